//! Parquet export: typed columns, UTC milliseconds, nulls for missing values, and Snappy, which every reader supports.

use std::{
    io::{self, Write},
    sync::Arc,
};

use parquet::{
    basic::Compression,
    column::writer::ColumnWriter,
    data_type::ByteArray,
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};

use crate::record::{Cell, Column, Kind, Row};

/// Rows held in memory before they are written: about 45 days of minutes, 10 MB.
const GROUP_ROWS: usize = 65_536;

pub(super) struct Columnar<R: Row, W: Write + Send> {
    file: SerializedFileWriter<W>,
    rows: Vec<R>,
}

impl<R: Row, W: Write + Send> Columnar<R, W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let schema = parse_message_type(&schema(R::COLUMNS)).map_err(broken)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("blinkctl ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(broken)?;
        Ok(Self { file, rows: Vec::new() })
    }

    pub(super) fn write(&mut self, row: R) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() == GROUP_ROWS { self.group() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.group()?;
        }
        self.file.finish().map_err(broken)?;
        self.file.inner_mut().flush()
    }

    fn group(&mut self) -> io::Result<()> {
        let mut columns: Vec<Vec<Cell>> = R::COLUMNS.iter().map(|_| Vec::with_capacity(self.rows.len())).collect();
        for row in self.rows.drain(..) {
            for (column, cell) in columns.iter_mut().zip(row.cells()) {
                column.push(cell);
            }
        }
        let mut group = self.file.next_row_group().map_err(broken)?;
        for (column, cells) in R::COLUMNS.iter().zip(columns) {
            column_chunk(&mut group, column, &cells).map_err(broken)?;
        }
        group.close().map(|_| ()).map_err(broken)
    }
}

fn column_chunk<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    cells: &[Cell],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General(format!("there is no column {}", column.name));
    let mut chunk = group.next_column()?.ok_or_else(missing)?;
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(*cell != Cell::Null)).collect();
    let levels = column.nullable.then_some(levels.as_slice());
    match chunk.untyped() {
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let text =
                |cell: &Cell| if let Cell::Text(text) = cell { Some(ByteArray::from(text.as_str())) } else { None };
            writer.write_batch(&cells.iter().filter_map(text).collect::<Vec<_>>(), levels, None)?;
        }
        ColumnWriter::Int32ColumnWriter(writer) => {
            // Parquet stores unsigned numbers in the bits of signed ones; the schema marks them as unsigned.
            let count = |cell: &Cell| if let Cell::Count(n) = cell { Some(n.cast_signed()) } else { None };
            writer.write_batch(&cells.iter().filter_map(count).collect::<Vec<_>>(), levels, None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let real = |cell: &Cell| if let Cell::Real(value) = cell { Some(*value) } else { None };
            writer.write_batch(&cells.iter().filter_map(real).collect::<Vec<_>>(), levels, None)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let time = |cell: &Cell| if let Cell::Time(at) = cell { Some(at.as_millisecond()) } else { None };
            writer.write_batch(&cells.iter().filter_map(time).collect::<Vec<_>>(), levels, None)?;
        }
        _ => return Err(missing()),
    }
    chunk.close()
}

fn schema(columns: &[Column]) -> String {
    let fields = columns.iter().map(|column| {
        let presence = if column.nullable { "optional" } else { "required" };
        let (kind, meaning) = match column.kind {
            Kind::Text => ("binary", " (STRING)"),
            Kind::Count => ("int32", " (INTEGER(32,false))"),
            Kind::Real => ("double", ""),
            Kind::Time => ("int64", " (TIMESTAMP(MILLIS,true))"),
        };
        format!("  {presence} {kind} {}{meaning};\n", column.name)
    });
    format!("message minutes {{\n{}}}\n", fields.collect::<String>())
}

fn broken(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::Minute;
    use blink_proto::example;
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::RowAccessor,
    };

    use super::*;

    fn written(minutes: Vec<Minute>) -> SerializedFileReader<std::fs::File> {
        let file = tempfile::tempfile().unwrap();
        let mut columnar = Columnar::new(file.try_clone().unwrap()).unwrap();
        for minute in minutes {
            columnar.write(minute).unwrap();
        }
        columnar.finish().unwrap();
        SerializedFileReader::new(file).unwrap()
    }

    #[test]
    fn the_schema_has_proper_types() {
        insta::assert_snapshot!(schema(Minute::COLUMNS));
    }

    #[test]
    fn what_is_written_is_read_back_with_its_nulls() {
        let user_id = Some(uuid::Uuid::from_u128(7).into());
        let bare = Minute { mean_blink_ms: None, perclos: None, ..example::minute(29_534_401) };
        let reader = written(vec![Minute { user_id, ..example::minute(29_534_400) }, bare]);
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].get_uint(2).unwrap(), 17);
        assert_eq!(rows[0].get_timestamp_millis(3).unwrap(), 29_534_400 * 60_000);
        assert_eq!(rows[0].get_string(1).unwrap(), &uuid::Uuid::from_u128(7).to_string());
        assert_eq!(rows[0].get_double(9).unwrap(), 181.25);
        assert_eq!(rows[0].get_string(8).unwrap(), "good");
        for missing in [1, 9, 11] {
            assert!(rows[1].get_string(missing).is_err() && rows[1].get_double(missing).is_err(), "{missing}");
        }
    }

    #[test]
    fn months_are_written_in_groups_and_nothing_is_a_file_too() {
        let minutes = 29_000_000..29_000_000 + i64::try_from(GROUP_ROWS).unwrap() + 1;
        let reader = written(minutes.map(example::minute).collect());
        let metadata = reader.metadata();
        assert_eq!((metadata.num_row_groups(), metadata.file_metadata().num_rows()), (2, 65_537));
        assert_eq!(written(Vec::new()).metadata().file_metadata().num_rows(), 0);
    }
}
