//! Reads a whole export, and checks it before anything is sent.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use blink_profile::day_files::MAX_LINE_BYTES;
use blink_proto::Minute;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::exit::Failure;

/// Some editors write it before the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{0} cannot be read: {1}")]
    Unreadable(String, #[source] io::Error),
    #[error("{file} is not an export: {place}: {why}")]
    Malformed { file: String, place: String, why: String },
    /// It is an export of the account, made with `--remote`.
    #[error("{0} was exported with --remote: the server's records have no id and no device")]
    Remote(String),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let (code, fix) = match error {
            ReadError::Unreadable(..) => ("unreadable", "Check its name and its permissions."),
            ReadError::Malformed { .. } => {
                ("malformed", "Nothing was imported. Take a file that `blinkctl export` wrote as json or ndjson.")
            }
            ReadError::Remote(_) => ("malformed", "Nothing was imported. Take an export made without --remote."),
        };
        Self::failed(code, error.to_string(), fix)
    }
}

/// All minutes of a file, or of stdin for `-`.
pub(super) fn minutes(path: &Path) -> Result<Vec<Minute>, ReadError> {
    if path.as_os_str() == "-" {
        return parse("stdin", io::stdin().lock());
    }
    let name = path.display().to_string();
    let file = File::open(path).and_then(|file| {
        // A folder opens like a file, and would fail later with a less clear error.
        if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
    });
    let file = file.map_err(|error| ReadError::Unreadable(name.clone(), error))?;
    parse(&name, BufReader::with_capacity(64 << 10, file))
}

fn parse(name: &str, mut input: impl BufRead) -> Result<Vec<Minute>, ReadError> {
    let unreadable = |error| ReadError::Unreadable(name.to_owned(), error);
    if input.fill_buf().map_err(unreadable)?.starts_with(BYTE_ORDER_MARK) {
        input.consume(BYTE_ORDER_MARK.len());
    }
    let mut line = 1;
    loop {
        let buffer = input.fill_buf().map_err(unreadable)?;
        let Some(first) = buffer.first() else { return Ok(Vec::new()) };
        match first {
            b'[' => return array(name, line, input),
            space if space.is_ascii_whitespace() => {
                line += usize::from(*space == b'\n');
                input.consume(1);
            }
            _ => return lines(name, line, input),
        }
    }
}

/// Reads one array, which begins at `first_line`.
fn array(name: &str, first_line: usize, input: impl BufRead) -> Result<Vec<Minute>, ReadError> {
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let mut elements = Elements::default();
    let ended = (&mut deserializer).deserialize_seq(&mut elements).and_then(|()| deserializer.end());
    let index = elements.sound.len();
    match (ended, elements.unsound) {
        (Ok(()), _) => Ok(elements.sound),
        // The array was read to its end, so the element's line is not known any more.
        (Err(_), Some(why)) => Err(malformed(name, format!("index {index}"), why)),
        (Err(error), None) => {
            let place = format!("line {}, index {index}", first_line - 1 + error.line().max(1));
            Err(fault(name, place, &error))
        }
    }
}

/// Reads one object per line.
fn lines(name: &str, first_line: usize, mut input: impl BufRead) -> Result<Vec<Minute>, ReadError> {
    let (mut minutes, mut line, mut number) = (Vec::new(), Vec::new(), first_line);
    loop {
        line.clear();
        let read = (&mut input).take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        if read.map_err(|error| ReadError::Unreadable(name.to_owned(), error))? == 0 {
            return Ok(minutes);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == MAX_LINE_BYTES {
            let why = format!("the line is longer than {MAX_LINE_BYTES} bytes");
            return Err(malformed(name, format!("line {number}"), why));
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            let place = || format!("line {number}, index {}", minutes.len());
            let minute = serde_json::from_slice(&line).map_err(|error| fault(name, place(), &error))?;
            minutes.push(sound(minute).map_err(|why| malformed(name, place(), why))?);
        }
        number += 1;
    }
}

/// The record, if the daemon will accept it; else what is wrong with it.
fn sound(minute: Minute) -> Result<Minute, String> {
    minute.check().map_err(|fault| fault.to_string())?;
    Ok(minute)
}

fn fault(name: &str, place: String, error: &serde_json::Error) -> ReadError {
    if let (true, Some(source)) = (error.is_io(), error.io_error_kind()) {
        return ReadError::Unreadable(name.to_owned(), source.into());
    }
    let text = error.to_string();
    if text.starts_with("missing field `id`") {
        return ReadError::Remote(name.to_owned());
    }
    // The column in the line does not help somebody who did not write it.
    malformed(name, place, text.split(" at line ").next().unwrap_or(&text).to_owned())
}

fn malformed(name: &str, place: String, why: String) -> ReadError {
    ReadError::Malformed { file: name.to_owned(), place, why }
}

/// The sound elements before the first unsound one, so that its index is known.
#[derive(Default)]
struct Elements {
    sound: Vec<Minute>,
    /// What is wrong with the next element, if it is a record.
    unsound: Option<String>,
}

impl<'de> Visitor<'de> for &mut Elements {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of minute records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(minute) = seq.next_element::<Minute>()? {
            match sound(minute) {
                Ok(minute) => self.sound.push(minute),
                Err(why) => {
                    self.unsound = Some(why);
                    return Err(serde::de::Error::custom("a record is unsound"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::example;
    use rstest::rstest;

    use super::*;

    fn read(text: &str) -> Result<Vec<Minute>, String> {
        parse("x.json", text.as_bytes()).map_err(|error| error.to_string())
    }

    fn line(number: i64) -> String {
        serde_json::to_string(&example::minute(number)).unwrap()
    }

    #[rstest]
    #[case::array(format!("[\n{},\n{}\n]\n", line(1), line(2)))]
    #[case::one_line(format!("[{},{}]", line(1), line(2)))]
    #[case::lines(format!("{}\n{}\n", line(1), line(2)))]
    #[case::no_last_break(format!("{}\n\n{}", line(1), line(2)))]
    #[case::marked(format!("\u{feff}\r\n [{}, {}]", line(1), line(2)))]
    fn both_formats_are_read(#[case] text: String) {
        assert_eq!(read(&text).unwrap(), [example::minute(1), example::minute(2)]);
    }

    #[rstest]
    #[case("")]
    #[case("\n")]
    #[case("[]\n")]
    fn nothing_is_no_minutes(#[case] text: &str) {
        assert_eq!(read(text), Ok(Vec::new()));
    }

    #[rstest]
    #[case::element("element", format!("[\n{},\n{{\"id\":3}}\n]", line(1)))]
    #[case::unsound("unsound", format!("[\n{},\n{}\n]", line(1), line(2).replace("58321", "70000")))]
    #[case::cut("cut", format!("[\n{},\n{}", line(1), &line(2)[..50]))]
    #[case::after("after", format!("[{}] and more", line(1)))]
    #[case::line("line", format!("{}\n\n{{\"id\":3}}\n", line(1)))]
    #[case::line_unsound("line_unsound", format!("{}\n{}\n", line(1), line(2).replace("00:03:00Z", "00:04:00Z")))]
    #[case::quality("quality", format!("{}\n{}\n", line(1), line(2).replace("good", "insufficient")))]
    #[case::csv("csv", "id,user_id,blink_count\r\n".to_owned())]
    #[case::remote("remote", "[\n{\"from_timestamp\":\"2026-03-01T10:00:00Z\"}]".to_owned())]
    fn the_place_of_a_mistake_is_named(#[case] name: &str, #[case] text: String) {
        insta::assert_snapshot!(format!("mistake_{name}"), read(&text).unwrap_err());
    }

    #[test]
    fn a_line_without_end_is_not_read_to_its_end() {
        let endless = BufReader::new(io::repeat(b'x'));
        let told = parse("x.json", endless).unwrap_err().to_string();
        assert_eq!(told, "x.json is not an export: line 1: the line is longer than 16384 bytes");
    }

    #[test]
    fn fuzz_exports() {
        let (array, lines) = (format!("[\n{},\n{}\n]\n", line(1), line(2)), format!("{}\n{}\n", line(1), line(2)));
        bolero::check!().for_each(|bytes: &[u8]| {
            let whole = [array.as_bytes(), lines.as_bytes()].map(|document| example::spliced(document, bytes));
            for text in [bytes, &whole[0], &whole[1]] {
                match parse("x.json", text) {
                    Ok(minutes) => assert!(minutes.iter().all(|minute| minute.check().is_ok())),
                    Err(error) => assert!(error.to_string().starts_with("x.json")),
                }
            }
        });
    }
}
