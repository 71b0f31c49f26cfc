//! What the person can do so that their eyes are seen better, as blinkd tells it to its clients.

use serde::{Deserialize, Serialize};

/// Advice to the person in front of the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// The face is too small in the picture.
    TooFar,
    /// The face is larger than the picture, or cut by its edge.
    TooNear,
    /// The face, or the whole picture where no face is followed, is too dark.
    TooDark,
    /// The head is turned, raised or lowered too far at the moment.
    TurnedAway,
    /// The face is usually seen from the side.
    CameraTooFarToTheSide,
    /// The camera gives the same picture again and again.
    PictureFrozen,
    /// A value that this build does not know.
    #[serde(other)]
    Unknown,
}

impl Hint {
    /// A sentence that says what to do; `None` for a value that this build does not know.
    #[must_use]
    pub fn sentence(self) -> Option<&'static str> {
        match self {
            Self::TooFar => Some("Too far from the camera: come closer."),
            Self::TooNear => Some("Too near to the camera: move back until your whole face is in the picture."),
            Self::TooDark => Some("Too dark: turn on a light, best in front of you."),
            Self::TurnedAway => Some("Your head is turned away: face the camera."),
            Self::CameraTooFarToTheSide => {
                Some("The camera sees you from the side: move it nearer to the screen that you look at.")
            }
            Self::PictureFrozen => {
                Some("The picture is frozen: go on with the camera where it is paused, or plug it in again.")
            }
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Hint::TooFar, "too_far")]
    #[case(Hint::TooNear, "too_near")]
    #[case(Hint::TooDark, "too_dark")]
    #[case(Hint::TurnedAway, "turned_away")]
    #[case(Hint::CameraTooFarToTheSide, "camera_too_far_to_the_side")]
    #[case(Hint::PictureFrozen, "picture_frozen")]
    fn every_hint_has_a_name_and_a_sentence(#[case] hint: Hint, #[case] name: &str) {
        assert_eq!(serde_json::to_value(hint).unwrap(), name);
        let sentence = hint.sentence().unwrap();
        assert!(sentence.contains(": ") && sentence.ends_with('.') && sentence.len() <= 100, "{sentence}");
    }

    #[test]
    fn a_hint_of_a_later_version_is_none_that_is_said() {
        let hint: Hint = serde_json::from_str("\"too_blue\"").unwrap();
        assert_eq!((hint, hint.sentence()), (Hint::Unknown, None));
    }
}
