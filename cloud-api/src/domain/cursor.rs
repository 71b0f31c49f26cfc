//! The cursor of a page. It is opaque to clients, and valid only for the grouping it was made for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{interval::Grouping, time::UtcMs};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub grouping: Grouping,
    /// The start of the next page's first interval.
    pub start: UtcMs,
}

impl Cursor {
    /// The opaque text that clients send back.
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.grouping.as_str(), self.start.0))
    }

    /// `None` for anything that [`Self::encode`] did not make.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (grouping, start) = plain.split_once(':')?;
        let start = UtcMs(start.parse().ok()?);
        (start.timestamp().as_millisecond() == start.0).then_some(())?;
        Some(Self { grouping: Grouping::parse(grouping)?, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let cursor = Cursor { grouping: Grouping::Week, start: UtcMs(1_772_359_200_000) };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn nonsense_is_refused() {
        let far = URL_SAFE_NO_PAD.encode(format!("day:{}", i64::MAX));
        for text in ["", "x", "!!!!", far.as_str(), &URL_SAFE_NO_PAD.encode("day"), &URL_SAFE_NO_PAD.encode("eon:1")] {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
    }
}
