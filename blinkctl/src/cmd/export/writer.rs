//! Writes rows as JSON, NDJSON, CSV or Parquet.

use std::io::{self, Write};

use super::{Format, columnar::Columnar};
use crate::record::Row;

/// Writes rows in one of the formats. It holds one row in memory, for Parquet a group of rows.
pub(super) enum Writer<R: Row, W: Write + Send> {
    Json { out: W, first: bool },
    Ndjson(W),
    Csv(Box<csv::Writer<W>>),
    Parquet(Box<Columnar<R, W>>),
}

impl<R: Row, W: Write + Send> Writer<R, W> {
    pub(super) fn new(format: Format, out: W) -> io::Result<Self> {
        Ok(match format {
            Format::Json => Self::Json { out, first: true },
            Format::Ndjson => Self::Ndjson(out),
            Format::Csv => {
                let mut builder = csv::WriterBuilder::new();
                // The header is written here rather than with the first row, so that an empty file has it too.
                let mut writer = builder.has_headers(false).terminator(csv::Terminator::CRLF).from_writer(out);
                writer.write_record(R::COLUMNS.iter().map(|column| column.name)).map_err(plain)?;
                Self::Csv(Box::new(writer))
            }
            Format::Parquet => Self::Parquet(Box::new(Columnar::new(out)?)),
        })
    }

    pub(super) fn write(&mut self, row: R) -> io::Result<()> {
        match self {
            Self::Json { out, first } => {
                out.write_all(if *first { b"[\n" } else { b",\n" })?;
                *first = false;
                Ok(serde_json::to_writer(out, &row)?)
            }
            Self::Ndjson(out) => {
                serde_json::to_writer(&mut *out, &row)?;
                out.write_all(b"\n")
            }
            Self::Csv(writer) => writer.serialize(&row).map_err(plain),
            Self::Parquet(columnar) => columnar.write(row),
        }
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Json { mut out, first } => {
                out.write_all(if first { b"[]\n" } else { b"\n]\n" })?;
                out.flush()
            }
            Self::Ndjson(mut out) => out.flush(),
            Self::Csv(mut writer) => writer.flush(),
            Self::Parquet(columnar) => columnar.finish(),
        }
    }
}

/// Unwraps the I/O error, so that a closed pipe is recognised.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::{Minute, example};

    use super::*;

    fn written(format: Format, minutes: &[Minute]) -> String {
        let mut out = Vec::new();
        let mut writer = Writer::<Minute, _>::new(format, &mut out).unwrap();
        for minute in minutes {
            writer.write(minute.clone()).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_formats_look_like_this() {
        let bare = Minute { mean_blink_ms: None, incomplete_share: None, perclos: None, ..example::minute(29_534_401) };
        let two = [example::minute(29_534_400), bare];
        insta::assert_snapshot!("json", written(Format::Json, &two));
        insta::assert_snapshot!("ndjson", written(Format::Ndjson, &two));
        insta::assert_snapshot!("csv", written(Format::Csv, &two));
    }

    #[test]
    fn nothing_is_an_empty_array_no_lines_or_a_header() {
        assert_eq!(written(Format::Json, &[]), "[]\n");
        assert_eq!(written(Format::Ndjson, &[]), "");
        let header = written(Format::Csv, &[]);
        assert!(header.starts_with("id,user_id,blink_count,") && header.ends_with(",perclos\r\n"), "{header}");
    }
}
