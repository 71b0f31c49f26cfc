//! Annotations as files: of one clip, as `blinkd synthesize --truth` writes it, or of many clips. Fields that are not
//! known here are ignored.

use std::{fmt, path::PathBuf};

use serde::Deserialize;

use super::Span;

/// The annotation of one clip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Annotation {
    /// The blinks.
    pub blinks: Vec<Span>,
    /// Frames of which nobody can be sure, and closures longer than a blink.
    #[serde(default)]
    pub other: Vec<Span>,
    /// The number of frames that the annotator saw.
    #[serde(default)]
    pub frames: Option<u64>,
}

/// The annotations of many clips.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct TruthFile {
    /// The clips.
    pub clips: Vec<TruthClip>,
    /// Clips in which no blink can be seen, so that any that is found is false.
    #[serde(default)]
    pub must_be_unobserved: Vec<UnobservedClip>,
}

/// An annotated clip.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TruthClip {
    /// The clip's file, relative to the annotations.
    pub file: PathBuf,
    /// The blinks.
    pub blinks: Vec<Span>,
    /// Frames of which nobody can be sure, and closures longer than a blink.
    #[serde(default)]
    pub other: Vec<Span>,
    /// The number of frames that the annotator saw.
    #[serde(default)]
    pub frames: Option<u64>,
    /// Frames per second.
    #[serde(default)]
    pub fps: Option<f64>,
    #[serde(default)]
    group: Option<Label>,
    #[serde(default)]
    condition: Option<Label>,
    #[serde(default)]
    view: Option<Label>,
    #[serde(default)]
    person: Option<Label>,
    #[serde(default)]
    subject: Option<Label>,
}

/// A clip in which no blink can be seen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UnobservedClip {
    /// The clip's file, relative to the annotations.
    pub file: PathBuf,
}

/// The name of a group of clips: a string, a whole number, or yes and no.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged, expecting = "a group is a string, a whole number, true or false")]
enum Label {
    Text(String),
    Number(i64),
    Flag(bool),
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
        }
    }
}

impl TruthClip {
    /// The clip's annotation.
    #[must_use]
    pub fn annotation(&self) -> Annotation {
        Annotation { blinks: self.blinks.clone(), other: self.other.clone(), frames: self.frames }
    }

    /// The groups that the clip belongs to, each with the name of the field that says so.
    pub fn groups(&self) -> impl Iterator<Item = (&'static str, String)> {
        let fields = [
            ("group", &self.group),
            ("condition", &self.condition),
            ("view", &self.view),
            ("person", &self.person),
            ("subject", &self.subject),
        ];
        fields.into_iter().filter_map(|(field, label)| label.as_ref().map(|label| (field, label.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_ignored_and_groups_are_told() {
        let text = r#"{"frame_index_base": 0, "clips": [
            {"file": "a.mp4", "fps": 30.0, "frames": 146, "subject": 7, "glasses": true, "view": "FBN",
             "blinks": [{"start_frame": 34, "end_frame": 49, "kind": "blink"}]},
            {"file": "b.mp4", "blinks": [], "other": [{"start_frame": 1, "end_frame": 2}], "person": null}],
            "must_be_unobserved": [{"file": "c.mp4", "intervals": [[0, 9, "dark"]]}]}"#;
        let truth: TruthFile = serde_json::from_str(text).unwrap();
        assert_eq!(truth.clips[0].annotation().frames, Some(146));
        let groups: Vec<_> = truth.clips[0].groups().collect();
        assert_eq!(groups, [("view", "FBN".to_owned()), ("subject", "7".to_owned())]);
        assert_eq!((truth.clips[1].other.len(), truth.clips[1].groups().count()), (1, 0));
        assert_eq!(truth.must_be_unobserved[0].file, PathBuf::from("c.mp4"));
    }

    #[test]
    fn a_group_without_a_name_is_a_mistake() {
        let text = r#"{"clips": [{"file": "a.mp4", "blinks": [], "subject": 3.5}]}"#;
        let error = serde_json::from_str::<TruthFile>(text).unwrap_err();
        assert!(error.to_string().starts_with("a group is a string"), "{error}");
    }

    #[test]
    fn a_clip_without_blinks_is_a_mistake_that_is_named() {
        let error = serde_json::from_str::<TruthFile>(r#"{"clips": [{"file": "a.mp4"}]}"#).unwrap_err();
        assert!(error.to_string().contains("missing field `blinks`"), "{error}");
    }
}
