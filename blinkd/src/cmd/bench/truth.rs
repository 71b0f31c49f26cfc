//! Reads annotations: of one clip, or of many.

use std::{fs, path::Path};

use blink_proto::problem::code;
use blink_vision::score::{
    Annotation, Span,
    truth::{TruthClip, TruthFile},
};
use serde::{Deserialize, de::IgnoredAny};

use crate::exit::Failure;

const FIX: &str = "`blinkd bench --help` shows what a truth file looks like.";

/// The annotation of `clip`, from a file of its own or from its entry in a file of many clips.
pub(super) fn of_clip(path: &Path, clip: &Path) -> Result<Annotation, Failure> {
    let text = text_of(path)?;
    let annotation = if is_of_many(path, &text)? {
        let TruthFile { clips, .. } = parsed(path, &text)?;
        let found = clips.into_iter().find(|entry| entry.file.file_name() == clip.file_name());
        found.ok_or_else(|| unusable(path, "it says nothing of this clip"))?.annotation()
    } else {
        parsed(path, &text)?
    };
    check(path, clip, &annotation)?;
    Ok(annotation)
}

/// The annotations of many clips.
pub(super) fn of_many(path: &Path) -> Result<TruthFile, Failure> {
    let text = text_of(path)?;
    if !is_of_many(path, &text)? {
        let why = "it has no `clips`";
        let fix = "If it is the annotation of one clip, name that: `blinkd bench CLIP --truth FILE.json`.";
        return Err(Failure::failed(code::BAD_TRUTH, format!("{}: {why}", path.display()), fix));
    }
    let truth: TruthFile = parsed(path, &text)?;
    if truth.clips.is_empty() {
        return Err(unusable(path, "it lists no clips"));
    }
    truth.clips.iter().try_for_each(|clip| check(path, &clip.file, &TruthClip::annotation(clip)))?;
    Ok(truth)
}

fn text_of(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| unusable(path, &error.to_string()))
}

fn is_of_many(path: &Path, text: &str) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(default)]
        clips: Option<IgnoredAny>,
    }
    Ok(parsed::<Kind>(path, text)?.clips.is_some())
}

fn parsed<'de, T: Deserialize<'de>>(path: &Path, text: &'de str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| unusable(path, &error.to_string()))
}

fn check(path: &Path, clip: &Path, annotation: &Annotation) -> Result<(), Failure> {
    let mut spans = annotation.blinks.iter().chain(&annotation.other);
    spans.find(|span| span.end_frame < span.start_frame).map_or(Ok(()), |Span { start_frame, end_frame }| {
        let why = format!("in {} something begins at frame {start_frame} and ends at {end_frame}", clip.display());
        Err(unusable(path, &why))
    })
}

fn unusable(path: &Path, why: &str) -> Failure {
    Failure::failed(code::BAD_TRUTH, format!("{}: {why}", path.display()), FIX)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[rstest]
    #[case::no_json("{\"clips\": [", "line 1 column 11")]
    #[case::no_object("[]", "it has no `clips`")]
    #[case::one_clip(r#"{"fps": 30, "blinks": []}"#, "it has no `clips`")]
    #[case::nothing(r#"{"clips": []}"#, "it lists no clips")]
    #[case::no_blinks(r#"{"clips": [{"file": "a.mp4"}]}"#, "missing field `blinks`")]
    #[case::no_number(r#"{"clips": [{"file": "a", "blinks": [{"start_frame": 1.5, "end_frame": 2}]}]}"#, "1.5")]
    #[case::backwards(
        r#"{"clips": [{"file": "a", "blinks": [], "other": [{"start_frame": 9, "end_frame": 2}]}]}"#,
        "in a something begins at frame 9 and ends at 2"
    )]
    fn a_mistake_is_named_with_its_file(#[case] text: &str, #[case] why: &str) {
        let file = file(text);
        let failure = of_many(file.path()).unwrap_err();
        let message = &failure.problem.message;
        assert!(message.starts_with(&file.path().display().to_string()) && message.contains(why), "{message}");
        assert_eq!(failure.problem.code, "bad_truth");
    }

    #[test]
    fn a_clip_is_found_in_either_kind_of_file() {
        let many = file(r#"{"clips": [{"file": "in/a.mp4", "blinks": [{"start_frame": 1, "end_frame": 2}]}]}"#);
        assert_eq!(of_clip(many.path(), Path::new("/elsewhere/a.mp4")).unwrap().blinks.len(), 1);
        let failure = of_clip(many.path(), Path::new("b.mp4")).unwrap_err();
        assert!(failure.problem.message.ends_with("it says nothing of this clip"), "{failure}");
        let one = file(r#"{"fps": 30.0, "frames": 90, "blinks": [], "seed": 1}"#);
        assert_eq!(of_clip(one.path(), Path::new("b.mp4")).unwrap().frames, Some(90));
    }
}
