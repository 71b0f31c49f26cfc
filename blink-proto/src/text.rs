//! Functions for text that every program uses.

use serde::Serialize;

/// `text` with a capital first letter, as a sentence.
#[must_use]
pub fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// `value` as one line of JSON that cannot control the terminal it is printed on: JSON itself does not escape DEL and
/// the control characters of ISO 6429 (U+0080 to U+009F).
///
/// # Errors
///
/// When the value has no form in JSON, such as a path that is not UTF-8.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    if !json.chars().any(char::is_control) {
        return Ok(json);
    }
    // A control character can only be inside a string, where an escape means the same.
    let escaped = |c: char| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    Ok(json.chars().map(escaped).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_capital() {
        for (text, wanted) in [("", ""), ("a b", "A b"), ("über", "Über"), ("ßeta", "SSeta"), ("1 x", "1 x")] {
            assert_eq!(capitalised(text), wanted);
        }
    }

    #[test]
    fn no_control_character_is_printed_and_the_value_is_the_same() {
        let text = "a\u{9b}31m\u{7f}\u{1b}[2J\u{85}ü€";
        let line = json_line(&text).unwrap();
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
