use blink_proto::example;
use jiff::civil::{date, time};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

const HEAD: &str = "Date,Time,Status,Name,ID,Confidence,Liveness_Verified,Session_ID";
const SOUND: &str = "2026-03-10,09:15:00,present,Alice,alice,97,Yes,67e55044-10b1-426f-9247-bb680e5fe0c8";

fn alice() -> Row {
    Row {
        date: date(2026, 3, 10),
        time: Some(time(9, 15, 0, 0)),
        status: Status::Present,
        name: "Alice".to_owned(),
        id: "alice".to_owned(),
        confidence: Some(97),
        live: true,
        session: Some("67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap()),
    }
}

/// The numbers of the sound lines, and of the rejected ones with their codes.
fn outcome(file: &[u8]) -> (Vec<usize>, Vec<(usize, &'static str)>) {
    let read = read(file);
    let rejected = read.rejected.listed.iter().map(|fault| (fault.line, fault.code)).collect();
    (read.rows.iter().map(|(line, _)| *line).collect(), rejected)
}

#[test]
fn the_columns_are_exactly_these() {
    let mut out = header().into_bytes();
    write(&alice(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), format!("{HEAD}\r\n{SOUND}\r\n"));
}

#[rstest]
#[case::lf(format!("{HEAD}\n{SOUND}\n"))]
#[case::crlf(format!("{HEAD}\r\n{SOUND}\r\n"))]
#[case::cr(format!("{HEAD}\r{SOUND}\r"))]
#[case::no_last_line_end(format!("{HEAD}\n{SOUND}"))]
#[case::byte_order_mark(format!("\u{feff}{HEAD}\n{SOUND}"))]
#[case::semicolons(format!("{HEAD}\n{SOUND}").replace(',', ";"))]
#[case::tabs(format!("{HEAD}\n{SOUND}").replace(',', "\t"))]
#[case::bars(format!("{HEAD}\n{SOUND}").replace(',', "|"))]
#[case::quoted(format!("{HEAD}\n{SOUND}").replace(',', "\",\"").replace('\n', "\"\n\"").replace("Date", "\"Date").replace("0c8", "0c8\""))]
#[case::capitals(format!("{}\n{SOUND}", HEAD.to_uppercase()))]
#[case::another_order("ID,Name,Date,Time,Status,Session_ID,Liveness_Verified,Confidence\nalice,Alice,2026-03-10,09:15:00,present,67e55044-10b1-426f-9247-bb680e5fe0c8,Yes,97".to_owned())]
#[case::more_columns(format!("Note,{HEAD}\n\"a, b\",{SOUND}"))]
#[case::spaces(format!("{HEAD}\n{SOUND}").replace(',', " , "))]
#[case::looser_words(format!("{HEAD}\n{}", SOUND.replace("09:15:00", "9:15 am").replace("present", "Present").replace("97", "97 %").replace("Yes", "TRUE")))]
fn sound_files(#[case] file: String) {
    let read = read(file.as_bytes());
    assert_eq!((read.rejected, read.notes), (Faults::default(), Faults::default()));
    assert_eq!(read.rows, [(2, alice())]);
}

#[rstest]
#[case(u16::to_le_bytes)]
#[case(u16::to_be_bytes)]
fn a_spreadsheets_unicode_text_is_read(#[case] bytes: fn(u16) -> [u8; 2]) {
    let text = format!("\u{feff}{HEAD}\r\n{SOUND}\r\n").replace(',', "\t").replace("Alice", "Zoë");
    let file: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
    let read = read(&file);
    assert_eq!((read.rows[0].1.name.as_str(), read.rejected.count()), ("Zoë", 0));
}

#[rstest]
#[case::empty("", "empty")]
#[case::blank("\n \n", "empty")]
#[case::no_date("Time,Status,Name,ID\n", "missing_column")]
#[case::no_status("Date,Time,Name,ID\n", "missing_column")]
#[case::nobody("Date,Time,Status\n", "missing_column")]
#[case::no_header(SOUND, "missing_column")]
#[case::zeros("PK\u{3}\u{4}\0\0", "not_text")]
fn files_of_which_nothing_can_be_taken(#[case] file: &str, #[case] code: &'static str) {
    let (rows, rejected) = outcome(file.as_bytes());
    assert_eq!((rows.len(), rejected), (0, vec![(1, code)]));
}

#[test]
fn a_missing_column_that_can_be_empty_is_noted() {
    let read = read(b"Date,Time,Status,Name,ID\n2026-03-10,09:15,present,Alice,alice\n");
    let noted: Vec<_> = read.notes.listed.iter().map(|note| (note.line, note.detail.as_str())).collect();
    assert_eq!(
        noted,
        [
            (1, "the column Confidence is missing: it counts as empty"),
            (1, "the column Liveness_Verified is missing: it counts as empty"),
            (1, "the column Session_ID is missing: it counts as empty"),
        ]
    );
    assert_eq!(read.rows, [(2, Row { confidence: None, live: false, session: None, ..alice() })]);
}

#[rstest]
#[case::date("2026-02-30", 0, "bad_date")]
#[case::day_first("10/03/2026", 0, "bad_date")]
#[case::no_date("", 0, "bad_date")]
#[case::time("25:00", 1, "bad_time")]
#[case::half_a_time("9", 1, "bad_time")]
#[case::no_such_hour("13:00 PM", 1, "bad_time")]
#[case::no_time("", 1, "bad_time")]
#[case::status("here", 2, "bad_status")]
#[case::no_status("", 2, "bad_status")]
#[case::a_turning_name("A\u{202e}b", 3, "bad_name")]
#[case::confidence("101", 5, "bad_confidence")]
#[case::negative("-1", 5, "bad_confidence")]
#[case::not_a_number("NaN", 5, "bad_confidence")]
#[case::liveness("maybe", 6, "bad_liveness")]
#[case::too_many_cells("Yes,Yes", 6, "bad_row")]
#[case::open_quote("\"Alice", 3, "bad_row")]
fn a_bad_line_is_listed_and_the_others_are_taken(#[case] cell: &str, #[case] place: usize, #[case] code: &'static str) {
    let mut cells: Vec<&str> = SOUND.split(',').collect();
    cells[place] = cell;
    let file = format!("{HEAD}\n{SOUND}\n\n{}\n{SOUND}\n", cells.join(","));
    assert_eq!(outcome(file.as_bytes()), (vec![2, 5], vec![(4, code)]));
}

#[test]
fn a_long_name_and_nobody_at_all() {
    let long = SOUND.replace("Alice", &"A".repeat(10_000));
    let nobody = SOUND.replace("Alice", " ").replace("alice", "");
    let id = SOUND.replace("alice", &"a".repeat(101));
    let file = format!("{HEAD}\n{long}\n{nobody}\n{id}\n{SOUND}");
    assert_eq!(outcome(file.as_bytes()), (vec![5], vec![(2, "bad_name"), (3, "nobody"), (4, "bad_id")]));
    assert!(read(file.as_bytes()).rejected.listed.iter().all(|fault| fault.detail.len() < 200));
}

#[test]
fn a_line_that_is_no_utf8_takes_no_other_with_it() {
    let file =
        [HEAD.as_bytes(), b"\n", &SOUND.as_bytes()[..28], b"\xff", &SOUND.as_bytes()[28..], b"\n", SOUND.as_bytes()]
            .concat();
    assert_eq!(outcome(&file), (vec![3], vec![(2, "not_utf8")]));
}

#[test]
fn a_foreign_session_is_left_out_and_noted() {
    let read = read(format!("{HEAD}\n{},desk 1", SOUND.rsplit_once(',').unwrap().0).as_bytes());
    assert_eq!(read.rows, [(2, Row { session: None, ..alice() })]);
    assert_eq!(read.notes.listed[0].detail, "Session_ID \"desk 1\" is no UUID: it is left out");
}

#[test]
fn nobody_needs_a_time_to_be_absent() {
    let file = format!("{HEAD}\n2026-03-10,,absent,Alice,alice,,No,\n2026-03-11,,unknown,Alice,alice,,,\n");
    let read = read(file.as_bytes());
    assert_eq!(
        read.rows.iter().map(|(_, row)| (row.status, row.time)).collect::<Vec<_>>(),
        [(Status::Absent, None), (Status::Unknown, None)]
    );
}

#[rstest]
#[case("=1+1")]
#[case("+49 30")]
#[case("-2")]
#[case("@sum")]
#[case("  =cmd|' /C calc'!A0")]
#[case("'=1")]
#[case("''=1")]
#[case("\u{ff1d}1")]
fn a_formula_is_written_so_that_it_does_not_run(#[case] name: &str) {
    let mut out = header().into_bytes();
    write(&Row { name: name.to_owned(), ..alice() }, &mut out);
    let text = String::from_utf8(out).unwrap();
    let cell = text.lines().nth(1).unwrap().split(',').nth(3).unwrap().trim_matches('"');
    assert_eq!(cell, format!("'{name}"));
    assert_eq!(read(text.as_bytes()).rows[0].1.name, name.trim());
}

#[rstest]
#[case("O'Brien")]
#[case("'Alice'")]
#[case("Ada; =1")]
fn other_apostrophes_stay(#[case] name: &str) {
    let mut out = header().into_bytes();
    write(&Row { name: name.to_owned(), ..alice() }, &mut out);
    assert!(!String::from_utf8_lossy(&out).contains("''"));
    assert_eq!(read(&out).rows[0].1.name, name);
}

fn row() -> impl Strategy<Value = Row> {
    let (id, name) = ("[^\\p{C}\\p{Z}]{1,20}", "['=+@,;\"|a-zA-Zäß -]{1,20}");
    let when = (1..=28i8, 1..=12i8, 0..=23i8, 0..=59i8, 0..=59i8);
    let what = (
        prop::sample::select(Status::ALL),
        prop::option::of(0..=100u8),
        any::<bool>(),
        prop::option::of(any::<u128>()),
    );
    (when, what, id, name).prop_map(|((day, month, h, m, s), (status, confidence, live, session), id, name)| Row {
        date: date(2026, month, day),
        time: status.is_there().then(|| time(h, m, s, 0)),
        status,
        name: name.trim().to_owned(),
        id,
        confidence,
        live,
        session: session.map(Uuid::from_u128),
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(rows in prop::collection::vec(row(), 0..20)) {
        let mut out = header().into_bytes();
        rows.iter().for_each(|row| write(row, &mut out));
        let read = read(&out);
        prop_assert_eq!(&read.rejected, &Faults::default());
        prop_assert_eq!(read.rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), rows);
    }
}

/// Any bytes are read to their end, and give no more rows and faults than there are lines.
#[test]
fn fuzz_records() {
    let sound = format!("{HEAD}\n{SOUND}\n{SOUND}\n");
    bolero::check!().for_each(|bytes: &[u8]| {
        for file in [bytes, &[HEAD.as_bytes(), b"\n", bytes].concat(), &example::spliced(sound.as_bytes(), bytes)] {
            let read = read(file);
            assert!(read.rows.len() as u64 + read.rejected.count() <= lines(file).count() as u64 + 1);
        }
    });
}
