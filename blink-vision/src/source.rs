//! The value of `--source`.

use std::{fmt, path::PathBuf, str::FromStr};

use jiff::Timestamp;

/// Where frames come from.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSpec {
    /// `camera[:N]`: the Nth camera of the system, from 0.
    Camera(u32),
    /// `file:PATH[,loop]`: a video file.
    File {
        /// The video file.
        path: PathBuf,
        /// Whether it starts again at its end.
        repeat: bool,
    },
    /// `gst:PIPELINE`: a GStreamer pipeline without a sink.
    Gst(String),
    /// An `rtsp://` or `rtsps://` URL.
    Rtsp(String),
    /// `synthetic[:KEY=VALUE,..]`: a face drawn by the program.
    Synthetic(Synthetic),
}

/// The settings of the synthetic face.
#[derive(Clone, Debug, PartialEq)]
pub struct Synthetic {
    /// Blinks per minute, 0 to 60.
    pub bpm: f64,
    /// The seed of all variations.
    pub seed: u64,
    /// Frames per second, 1 to 120.
    pub fps: f64,
    /// Whether the face wears glasses.
    pub glasses: bool,
    /// How many seconds after opening the face appears.
    pub absent_s: f64,
    /// How many faces are drawn, 0 to 3.
    pub faces: u32,
    /// How far the head moves, in pixels, 0 to 20.
    pub sway: f64,
    /// If set, the blinks depend on the wall time since then, else on the time since opening.
    pub epoch: Option<Timestamp>,
}

impl Default for Synthetic {
    fn default() -> Self {
        Self { bpm: 15.0, seed: 1, fps: 30.0, glasses: false, absent_s: 0.0, faces: 1, sway: 0.0, epoch: None }
    }
}

/// Why a source specification is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The kind before the colon is unknown.
    #[error(
        "`{0}` is not a source: use camera[:N], file:PATH[,loop], gst:PIPELINE, an rtsp:// URL or synthetic[:KEY=VALUE,..]"
    )]
    UnknownKind(String),
    /// The camera number is no number.
    #[error("`{0}` is not a camera number: use camera:0, camera:1, ..")]
    CameraNumber(String),
    /// Nothing follows `file:` or `gst:`.
    #[error("`{0}` needs something after the colon")]
    Empty(&'static str),
    /// The synthetic source has no such key.
    #[error("`{0}` is not a key of the synthetic source: use bpm, seed, fps, glasses, absent, faces, sway or epoch")]
    UnknownKey(String),
    /// The value of a synthetic key is wrong.
    #[error("`{value}` is not a value for {key}: {want}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value as given.
        value: String,
        /// The values that are allowed.
        want: &'static str,
    },
    /// A GStreamer element that could send frames elsewhere.
    #[error(
        "the element `{0}` is refused: a gst: source may have no sink, tee or network output of its own; end the pipeline with raw video"
    )]
    RefusedElement(String),
    /// A GStreamer pipeline that cannot be parsed.
    #[error("the pipeline cannot be read: {0}")]
    Pipeline(&'static str),
}

impl SourceSpec {
    /// Whether it is a file, which ends and is paced by its own timestamps.
    #[must_use]
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}

impl FromStr for SourceSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text.starts_with("rtsp://") || text.starts_with("rtsps://") {
            return Ok(Self::Rtsp(text.to_owned()));
        }
        let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
        match (kind, rest) {
            ("camera", None) => Ok(Self::Camera(0)),
            ("camera", Some(n)) => n.parse().map(Self::Camera).map_err(|_| SpecError::CameraNumber(n.to_owned())),
            ("file", None | Some("")) => Err(SpecError::Empty("file:")),
            ("file", Some(path)) => {
                let (path, repeat) = path.strip_suffix(",loop").map_or((path, false), |path| (path, true));
                Ok(Self::File { path: path.into(), repeat })
            }
            ("gst", None | Some("")) => Err(SpecError::Empty("gst:")),
            ("gst", Some(pipeline)) => gst::check(pipeline).map(|()| Self::Gst(pipeline.to_owned())),
            ("synthetic", rest) => synthetic(rest.unwrap_or("")).map(Self::Synthetic),
            _ => Err(SpecError::UnknownKind(text.to_owned())),
        }
    }
}

fn synthetic(pairs: &str) -> Result<Synthetic, SpecError> {
    let mut spec = Synthetic::default();
    for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, "true"));
        match key {
            "bpm" => spec.bpm = number("bpm", value, 0.0..=60.0, "a number from 0 to 60")?,
            "seed" => spec.seed = parse("seed", value, "a whole number")?,
            "fps" => spec.fps = number("fps", value, 1.0..=120.0, "a number from 1 to 120")?,
            "glasses" => {
                spec.glasses = match value {
                    "true" | "1" | "yes" | "on" => true,
                    "false" | "0" | "no" | "off" => false,
                    _ => return Err(bad("glasses", value, "true or false")),
                }
            }
            "absent" => spec.absent_s = number("absent", value, 0.0..=86_400.0, "seconds from 0 to 86400")?,
            "faces" => {
                let faces = parse("faces", value, "0, 1, 2 or 3")?;
                spec.faces = if faces <= 3 { faces } else { return Err(bad("faces", value, "0, 1, 2 or 3")) };
            }
            "sway" => spec.sway = number("sway", value, 0.0..=20.0, "pixels from 0 to 20")?,
            "epoch" => spec.epoch = Some(parse("epoch", value, "an RFC 3339 time such as 2026-03-01T10:00:00Z")?),
            _ => return Err(SpecError::UnknownKey(key.to_owned())),
        }
    }
    Ok(spec)
}

fn bad(key: &'static str, value: &str, want: &'static str) -> SpecError {
    SpecError::BadValue { key, value: value.to_owned(), want }
}

fn parse<T: FromStr>(key: &'static str, value: &str, want: &'static str) -> Result<T, SpecError> {
    value.parse().map_err(|_| bad(key, value, want))
}

fn number(
    key: &'static str,
    value: &str,
    range: std::ops::RangeInclusive<f64>,
    want: &'static str,
) -> Result<f64, SpecError> {
    parse(key, value, want).and_then(|n| if range.contains(&n) { Ok(n) } else { Err(bad(key, value, want)) })
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Camera(n) => write!(f, "camera:{n}"),
            Self::File { path, repeat } => write!(f, "file:{}{}", path.display(), if *repeat { ",loop" } else { "" }),
            Self::Gst(pipeline) => write!(f, "gst:{pipeline}"),
            Self::Rtsp(url) => f.write_str(url),
            Self::Synthetic(s) => {
                write!(f, "synthetic:bpm={},seed={},fps={}", s.bpm, s.seed, s.fps)?;
                if s.glasses {
                    f.write_str(",glasses=true")?;
                }
                if s.absent_s > 0.0 {
                    write!(f, ",absent={}", s.absent_s)?;
                }
                if s.faces != 1 {
                    write!(f, ",faces={}", s.faces)?;
                }
                if s.sway > 0.0 {
                    write!(f, ",sway={}", s.sway)?;
                }
                s.epoch.map_or(Ok(()), |epoch| write!(f, ",epoch={epoch}"))
            }
        }
    }
}

mod gst;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("camera", "camera:0")]
    #[case("camera:2", "camera:2")]
    #[case("file:/a b,c.avi", "file:/a b,c.avi")]
    #[case("file:clip.avi,loop", "file:clip.avi,loop")]
    #[case("rtsp://host/stream", "rtsp://host/stream")]
    #[case("synthetic", "synthetic:bpm=15,seed=1,fps=30")]
    #[case("synthetic:bpm=20,seed=7,glasses", "synthetic:bpm=20,seed=7,fps=30,glasses=true")]
    #[case("synthetic:sway=3,faces=2", "synthetic:bpm=15,seed=1,fps=30,faces=2,sway=3")]
    #[case("synthetic:epoch=2026-03-01T10:00:00Z", "synthetic:bpm=15,seed=1,fps=30,epoch=2026-03-01T10:00:00Z")]
    #[case("gst:videotestsrc ! videoconvert", "gst:videotestsrc ! videoconvert")]
    fn specifications_round_trip(#[case] text: &str, #[case] shown: &str) {
        let spec: SourceSpec = text.parse().unwrap();
        assert_eq!(spec.to_string(), shown);
        assert_eq!(shown.parse::<SourceSpec>().unwrap(), spec);
    }

    #[rstest]
    #[case("webcam")]
    #[case("camera:front")]
    #[case("file:")]
    #[case("gst:")]
    #[case("synthetic:bpm=fast")]
    #[case("synthetic:bpm=61")]
    #[case("synthetic:bpm=NaN")]
    #[case("synthetic:faces=9")]
    #[case("synthetic:colour=blue")]
    fn what_is_not_a_source_says_so(#[case] text: &str) {
        assert!(text.parse::<SourceSpec>().is_err());
    }
}
