//! What the worker found. Times are milliseconds from the start of the recording: of frames the given ones, of a video
//! those from its first picture on.

use serde::{Deserialize, Serialize};

use super::Encoding;

/// One face in one picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StillReport {
    /// Width of the picture in pixels, after it was turned upright.
    pub width: u32,
    /// Height of the picture in pixels, after it was turned upright.
    pub height: u32,
    /// Width of the face in pixels, from ear to ear.
    pub face_px: f32,
    /// Mean lightness of the face, 0 to 255.
    pub lightness: f32,
    /// Sharpness of the face: the standard deviation of its Laplacian over that of its grey levels, at one size for all.
    pub sharpness: f32,
    /// Degrees by which the head is turned; positive towards the right edge of the picture.
    pub yaw: f32,
    /// The face.
    pub encoding: Encoding,
}

/// A recording of one face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipReport {
    /// Width of the pictures in pixels, upright.
    pub width: u32,
    /// Height of the pictures in pixels, upright.
    pub height: u32,
    /// The number of pictures.
    pub frames: u32,
    /// Time of the first picture.
    pub first_ms: u32,
    /// Time from the first picture to the last.
    pub duration_ms: u32,
    /// Pictures per second over the whole recording.
    pub fps: f32,
    /// Time in which exactly one face with measurable eyes was followed at 14.5 fps or more. Blinks are seen in it alone.
    pub observed_ms: u32,
    /// Longest time from one observed instant to the next.
    pub longest_gap_ms: u32,
    /// The blinks, in order: 50 to 1,500 ms wide at half depth.
    pub blinks: Vec<ClipBlink>,
    /// The face at several moments, in order.
    pub faces: Vec<ClipFace>,
    /// When the scene changed from one picture to the next, the face jumped, or it had been lost so often that it could not
    /// be encoded once more.
    pub cuts_ms: Vec<u32>,
    /// How many pictures are the same as those of the last 250 ms, but for noise and compression.
    pub repeated_frames: u32,
    /// The longest time for which they were.
    pub longest_repeat_ms: u32,
    /// How many pictures are the same as one that was shown earlier, with others between, but for noise and compression: a
    /// recording that goes round, or forth and back.
    pub returned_frames: u32,
    /// What tells a head from a flat picture of one; `None` where the face moved too little to tell.
    pub solidity: Option<Solidity>,
}

impl ClipReport {
    /// The most moments at which the face is encoded: the 44 of the longest recording, and one after each of 12 losses.
    /// Shorter recordings may have more losses.
    pub const MAX_FACES: usize = 56;
}

/// A blink of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipBlink {
    /// The lid's first movement.
    pub start_ms: u32,
    /// The reopening.
    pub end_ms: u32,
    /// Width at half depth.
    pub width_ms: u32,
    /// How far the lid went down, 0 to 1.
    pub depth: f32,
}

/// The face at one moment of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipFace {
    /// When.
    pub at_ms: u32,
    /// Degrees by which the head is turned; positive towards the right edge of the picture.
    pub yaw: f32,
    /// Degrees by which the head is raised; only meaningful against the same face's other ones.
    pub pitch: f32,
    /// Width of the face in pixels.
    pub face_px: f32,
    /// The face.
    pub encoding: Encoding,
}

/// How the face's points moved against each other. The points of a flat picture, however it is moved, turned or
/// bent a little, keep to one plane's perspective; those of a head do not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Solidity {
    /// How many pictures were compared.
    pub frames: u32,
    /// How far the face turned or moved, relative to its size.
    pub motion: f32,
    /// What no movement of a plane explains, relative to the face's size. Below [`Solidity::FLAT_BELOW`] it is a flat
    /// picture, or a head that only moved as one.
    pub residual: f32,
}

impl Solidity {
    /// Below this residual the face moved like a flat picture. The figure is measured: docs/liveness.md.
    pub const FLAT_BELOW: f32 = 0.03;

    /// Whether the face moved like a flat picture.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.residual < Self::FLAT_BELOW
    }
}

/// Why a picture or recording cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureFault {
    /// There is no face.
    NoFace,
    /// There are several faces.
    SeveralFaces,
    /// The face has too few pixels.
    TooSmall,
    /// The face is too dark.
    TooDark,
    /// The face is blurred.
    TooBlurred,
    /// The head is turned too far.
    TurnedAway,
    /// A part of the face is outside of the picture.
    PartialFace,
    /// The file is damaged or cut off.
    Unreadable,
    /// The file is of a kind that is not taken.
    Unsupported,
    /// The picture is a strip: its shorter side is too short, or its longer one too long for it.
    BadShape,
    /// The picture has too many pixels, or the recording too many frames, or is too long.
    TooLarge,
    /// The times of the frames do not rise.
    BadTimes,
    /// There are too few frames, or too few per second.
    TooFewFrames,
    /// The frames are of different sizes.
    SizesDiffer,
}

impl PictureFault {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::NoFace,
        Self::SeveralFaces,
        Self::TooSmall,
        Self::TooDark,
        Self::TooBlurred,
        Self::TurnedAway,
        Self::PartialFace,
        Self::Unreadable,
        Self::Unsupported,
        Self::BadShape,
        Self::TooLarge,
        Self::BadTimes,
        Self::TooFewFrames,
        Self::SizesDiffer,
    ];

    /// The stable code, as on the wire and in the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoFace => "no_face",
            Self::SeveralFaces => "several_faces",
            Self::TooSmall => "too_small",
            Self::TooDark => "too_dark",
            Self::TooBlurred => "too_blurred",
            Self::TurnedAway => "turned_away",
            Self::PartialFace => "partial_face",
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::BadShape => "bad_shape",
            Self::TooLarge => "too_large",
            Self::BadTimes => "bad_times",
            Self::TooFewFrames => "too_few_frames",
            Self::SizesDiffer => "sizes_differ",
        }
    }

    /// What the person can do about it, in one sentence.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoFace => "Look straight into the camera, with your whole face in the picture.",
            Self::SeveralFaces => "Be alone in the picture.",
            Self::TooSmall => "Come closer.",
            Self::TooDark => "More light from the front.",
            Self::TooBlurred => "Hold still, and wipe the lens.",
            Self::TurnedAway => "Look straight into the camera.",
            Self::PartialFace => "Move back until your whole face is in the picture.",
            Self::Unreadable => "The file is damaged; take or choose another one.",
            Self::Unsupported => "Use a JPEG, PNG or WebP picture, or an MP4, MOV, WebM or AVI video.",
            Self::BadShape => "Use a whole picture, not a strip of one.",
            Self::TooLarge => "Use a smaller picture, or a shorter recording.",
            Self::BadTimes => "Record again; the times of the frames do not rise.",
            Self::TooFewFrames => "Record again with 15 frames a second or more, until the last cue is over.",
            Self::SizesDiffer => "Record again; every frame must have the same size.",
        }
    }
}
