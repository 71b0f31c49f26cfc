//! Minute records as the rows of a table.

use blink_proto::{Minute, Quality, http::HistoryItem};
use jiff::Timestamp;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Count,
    Real,
    /// An instant in UTC with a precision of milliseconds.
    Time,
}

/// A column of a table of records.
#[derive(Debug)]
pub(crate) struct Column {
    /// The name, which is also that of the JSON field.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

const fn required(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: false }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: true }
}

/// A value, of the kind of its column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Count(u32),
    Real(f64),
    Time(Timestamp),
}

fn real(value: Option<f64>) -> Cell {
    value.map_or(Cell::Null, Cell::Real)
}

/// A record as a row of a table. Its JSON fields are its columns, in the same order.
pub(crate) trait Row: Serialize {
    const COLUMNS: &'static [Column];

    fn cells(&self) -> Vec<Cell>;
}

impl Row for Minute {
    const COLUMNS: &'static [Column] = &[
        required("id", Kind::Text),
        nullable("user_id", Kind::Text),
        required("blink_count", Kind::Count),
        required("from_timestamp", Kind::Time),
        required("to_timestamp", Kind::Time),
        required("device_id", Kind::Text),
        required("observed_ms", Kind::Count),
        required("mean_fps", Kind::Real),
        required("quality", Kind::Text),
        nullable("mean_blink_ms", Kind::Real),
        nullable("incomplete_share", Kind::Real),
        nullable("perclos", Kind::Real),
    ];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::Text(self.id.to_string()),
            self.user_id.map_or(Cell::Null, |id| Cell::Text(id.to_string())),
            Cell::Count(self.blink_count),
            Cell::Time(self.from_timestamp),
            Cell::Time(self.to_timestamp),
            Cell::Text(self.device_id.to_string()),
            Cell::Count(self.observed_ms),
            Cell::Real(self.mean_fps),
            Cell::Text(quality(self.quality).to_owned()),
            real(self.mean_blink_ms),
            real(self.incomplete_share),
            real(self.perclos),
        ]
    }
}

impl Row for HistoryItem {
    const COLUMNS: &'static [Column] = &[
        required("from_timestamp", Kind::Time),
        required("to_timestamp", Kind::Time),
        required("blink_count", Kind::Count),
        required("observed_ms", Kind::Count),
        nullable("blinks_per_minute", Kind::Real),
        nullable("coverage", Kind::Real),
        required("quality", Kind::Text),
    ];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::Time(self.from_timestamp),
            Cell::Time(self.to_timestamp),
            count(self.blink_count),
            count(self.observed_ms),
            real(self.blinks_per_minute),
            Cell::Real(self.coverage),
            Cell::Text(quality(self.quality).to_owned()),
        ]
    }
}

/// A minute's counts fit 32 bits.
fn count(count: u64) -> Cell {
    Cell::Count(u32::try_from(count).unwrap_or(u32::MAX))
}

fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good",
        Quality::Insufficient => "insufficient",
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::example;
    use rstest::rstest;

    use super::*;

    fn fields(row: &impl Row) -> Vec<String> {
        let text = serde_json::to_string(row).unwrap();
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        let mut names: Vec<_> = object.keys().cloned().collect();
        names.sort_by_key(|name| text.find(&format!("\"{name}\":")));
        names
    }

    #[test]
    fn the_columns_are_the_fields_in_their_order() {
        let names = |columns: &[Column]| columns.iter().map(|column| column.name.to_owned()).collect::<Vec<_>>();
        assert_eq!(fields(&example::minute(1)), names(Minute::COLUMNS));
        let remote = r#"{"from_timestamp":"2026-03-01T10:00:00Z","to_timestamp":"2026-03-01T10:01:00Z","blink_count":3,
            "observed_ms":50000,"blinks_per_minute":3.6,"coverage":0.833,"quality":"good"}"#;
        let remote: HistoryItem = serde_json::from_str(remote).unwrap();
        assert_eq!(fields(&remote), names(HistoryItem::COLUMNS));
        assert_eq!(remote.cells().len(), HistoryItem::COLUMNS.len());
    }

    #[rstest]
    fn cells_are_of_their_columns_kind(#[values(true, false)] full: bool) {
        let mut minute = example::minute(29_000_000);
        if !full {
            (minute.mean_blink_ms, minute.incomplete_share, minute.perclos) = (None, None, None);
        }
        for (cell, column) in minute.cells().iter().zip(Minute::COLUMNS) {
            let fits = match cell {
                Cell::Null => column.nullable,
                Cell::Text(_) => column.kind == Kind::Text,
                Cell::Count(_) => column.kind == Kind::Count,
                Cell::Real(_) => column.kind == Kind::Real,
                Cell::Time(_) => column.kind == Kind::Time,
            };
            assert!(fits, "{}", column.name);
        }
    }
}
