//! Cells of a line: quoting, and what a spreadsheet would run.

use std::borrow::Cow;

/// Whether a spreadsheet may run this cell, now or without its apostrophe.
fn is_formula(cell: &str) -> bool {
    const RUN: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    cell.trim_start_matches(['\'', ' ', '\u{a0}', '\u{3000}']).starts_with(RUN)
}

/// A cell that no spreadsheet runs.
pub(super) fn plain(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// What [`plain`] was given.
pub(super) fn bare(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Adds a line of cells. Cells that another delimiter would divide are quoted too: some spreadsheets expect that one.
pub(super) fn write(cells: &[Cow<'_, str>], out: &mut Vec<u8>) {
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        if cell.contains([',', ';', '\t', '|', '"', '\r', '\n']) {
            out.push(b'"');
            out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// The cells of a line.
pub(super) fn split(line: &[u8], delimiter: u8) -> Result<Vec<Vec<u8>>, String> {
    if line.iter().filter(|b| **b == b'"').count() % 2 == 1 {
        return Err("a quotation mark is not closed".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(line.len().max(1))
        .from_reader(line);
    let mut record = csv::ByteRecord::new();
    let read = reader.read_byte_record(&mut record).map_err(|_| "it cannot be divided into cells".to_owned())?;
    if read { Ok(record.iter().map(<[u8]>::to_vec).collect()) } else { Ok(Vec::new()) }
}
