//! The cursors of pages, which are opaque to clients. That of a history is valid only for the grouping it was made for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use blink_proto::DeviceId;

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
        let plain = plain(text)?;
        let (grouping, start) = plain.split_once(':')?;
        Some(Self { grouping: Grouping::parse(grouping)?, start: time(start)? })
    }
}

/// The last minute of a page of whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteCursor {
    pub from: UtcMs,
    pub device: DeviceId,
}

impl MinuteCursor {
    /// The opaque text that clients send back.
    #[must_use]
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("minute:{}:{}", self.from.0, self.device))
    }

    /// `None` for anything that [`Self::encode`] did not make.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let plain = plain(text)?;
        let (from, device) = plain.strip_prefix("minute:")?.split_once(':')?;
        Some(Self { from: time(from)?, device: device.parse().ok()? })
    }
}

fn plain(text: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A time within the calendar.
fn time(text: &str) -> Option<UtcMs> {
    let time = UtcMs(text.parse().ok()?);
    (time.timestamp().as_millisecond() == time.0).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let cursor = Cursor { grouping: Grouping::Week, start: UtcMs(1_772_359_200_000) };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        let cursor = MinuteCursor { from: UtcMs(-60_000), device: DeviceId::new() };
        assert_eq!(MinuteCursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn nonsense_is_refused() {
        let far = URL_SAFE_NO_PAD.encode(format!("day:{}", i64::MAX));
        for text in ["", "x", "!!!!", far.as_str(), &URL_SAFE_NO_PAD.encode("day"), &URL_SAFE_NO_PAD.encode("eon:1")] {
            assert_eq!((Cursor::decode(text), MinuteCursor::decode(text)), (None, None), "{text}");
        }
    }
}
