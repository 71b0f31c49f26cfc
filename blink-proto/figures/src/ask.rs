//! A question to a language model at an OpenAI-compatible address, and its answer. Only aggregates are given to it, and a
//! number in its answer that is not in the figures given is struck out.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, json};

/// The longest question, in characters.
pub const MAX_QUESTION: usize = 1_000;

/// The longest answer of a model that is read, in bytes.
pub const MAX_ANSWER_BYTES: u64 = 1 << 20;

const INSTRUCTIONS: &str = "You answer one person's question about their own blinking at screens, from the figures \
    given and nothing else. Repeat numbers as they are given and calculate none. Say when the figures cannot tell: \
    \"unknown\" is not zero. You never diagnose and never advise on illness: for that, say that a doctor or optometrist \
    should be asked. Three sentences at most, plain words.";

/// The body of the request to the model: all that leaves.
#[must_use]
pub fn request(model: &str, question: &str, figures: &Value) -> Value {
    json!({
        "model": model,
        "messages": [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": format!("My figures:\n{figures}\n\nMy question:\n{question}")},
        ],
    })
}

/// The address that the request is posted to; `url` is the base, such as `http://127.0.0.1:11434/v1`.
#[must_use]
pub fn address(url: &str) -> String {
    format!("{}/chat/completions", url.trim_end_matches('/'))
}

/// The part of a model's answer that is read.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

/// Why a model's answer says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// It is not the JSON of a completion.
    NotACompletion,
    /// It has no text.
    Empty,
    /// The model refused, in these words.
    Refused(String),
}

/// The text of a model's answer.
///
/// # Errors
/// [`NoAnswer`], where there is none.
pub fn text_of(body: &[u8]) -> Result<String, NoAnswer> {
    let completion: Completion = serde_json::from_slice(body).map_err(|_| NoAnswer::NotACompletion)?;
    let message = completion.choices.into_iter().next().map(|choice| choice.message).ok_or(NoAnswer::Empty)?;
    let full = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match (full(message.content), full(message.refusal)) {
        (Some(text), _) => Ok(text),
        (None, Some(refusal)) => Err(NoAnswer::Refused(refusal)),
        (None, None) => Err(NoAnswer::Empty),
    }
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text, and numbers that are in the figures.
    Told(String),
    /// A number that is not.
    Stricken(String),
}

/// An answer with its made-up numbers marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked(pub Vec<Part>);

impl Checked {
    /// The whole answer, each stricken number between two tildes on each side, as Markdown strikes out.
    #[must_use]
    pub fn marked(&self) -> String {
        let part = |part: &Part| match part {
            Part::Told(text) => text.clone(),
            Part::Stricken(number) => format!("~~{number}~~"),
        };
        self.0.iter().map(part).collect()
    }

    /// The stricken numbers, in their order.
    #[must_use]
    pub fn stricken(&self) -> Vec<String> {
        let stricken = |part: &Part| match part {
            Part::Stricken(number) => Some(number.clone()),
            Part::Told(_) => None,
        };
        self.0.iter().filter_map(stricken).collect()
    }
}

/// Strikes out each number of `answer` that is not in `figures`. A number of the answer is in the figures if one of them
/// is it when rounded to as many decimals; its sign does not matter, as "12 % less" tells of -12. Dates and times of day
/// must stand in the figures as they are. Numbers in words are numbers too, from two on.
#[must_use]
pub fn check(answer: &str, figures: &Value) -> Checked {
    let known = Known::of(figures);
    let mut parts: Vec<Part> = Vec::new();
    for token in tokens(answer) {
        let is_made_up = match token {
            Token::Other(_) => false,
            Token::Digits(text) => !known.has(text),
            Token::Word(_, value) => !known.has_value(value, 0),
        };
        let text = token.text();
        match parts.last_mut() {
            _ if is_made_up => parts.push(Part::Stricken(text.to_owned())),
            Some(Part::Told(told)) => told.push_str(text),
            _ => parts.push(Part::Told(text.to_owned())),
        }
    }
    Checked(parts)
}

/// The numbers of the figures.
struct Known {
    values: Vec<f64>,
    /// Dates, times and numbers as they are written.
    written: HashSet<String>,
}

impl Known {
    fn of(figures: &Value) -> Self {
        let mut known = Self { values: Vec::new(), written: HashSet::new() };
        known.take(figures);
        known
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::Number(number) => self.values.extend(number.as_f64()),
            Value::String(text) => self.take_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.take(item)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.take_text(name);
                    self.take(value);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn take_text(&mut self, text: &str) {
        for token in tokens(&text.replace('_', " ")) {
            match token {
                Token::Digits(text) => {
                    self.written.insert(plain(text));
                    self.values.extend(readings(text).iter().map(|(value, _)| *value));
                }
                Token::Word(_, value) => self.values.push(value),
                Token::Other(_) => {}
            }
        }
    }

    fn has(&self, text: &str) -> bool {
        // What is no ASCII digit is in no figures of ours.
        text.is_ascii()
            && (self.written.contains(&plain(text))
                || readings(text).iter().any(|(value, decimals)| self.has_value(*value, *decimals)))
    }

    fn has_value(&self, value: f64, decimals: i32) -> bool {
        let near = 0.5 * 10_f64.powi(-decimals) + 1e-9;
        self.values.iter().any(|known| (known.abs() - value).abs() <= near)
    }
}

/// Digits as they are compared: hours without a leading zero.
fn plain(text: &str) -> String {
    if text.contains(':') { text.trim_start_matches('0').to_owned() } else { text.to_owned() }
}

/// What digits with separators can mean: each value, and how many decimals it has. A comma is one of thousands or of
/// decimals. Dates and times mean no number.
fn readings(text: &str) -> Vec<(f64, i32)> {
    if text.contains([':', '-', '/']) {
        return Vec::new();
    }
    let mut readings = Vec::new();
    let grouped = |separator: char| {
        let mut groups = text.split(separator);
        let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
        first && groups.all(|group| group.split('.').next().is_some_and(|whole| whole.len() == 3))
    };
    let mut read = |text: &str| {
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        readings.extend(text.parse().ok().zip(i32::try_from(decimals).ok()));
    };
    if text.contains(',') {
        if grouped(',') {
            read(&text.replace(',', ""));
        }
        if text.matches(',').count() == 1 && !text.contains('.') {
            read(&text.replace(',', "."));
        }
    } else {
        read(text);
    }
    readings
}

#[derive(Clone, Copy)]
enum Token<'a> {
    /// Digits, with separators between them.
    Digits(&'a str),
    /// A number in words.
    Word(&'a str, f64),
    Other(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Digits(text) | Self::Word(text, _) | Self::Other(text) => text,
        }
    }
}

/// Cuts `text` into numbers and what is between them. Joined, the tokens are the text.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_numeric() {
            digits(rest)
        } else if first.is_alphabetic() {
            rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        tokens.push(match value_of(token) {
            _ if first.is_numeric() => Token::Digits(token),
            Some(value) => Token::Word(token, value),
            None => Token::Other(token),
        });
        rest = after;
    }
    tokens
}

/// The length of the number at the beginning of `text`: digits, and single separators between two of them.
fn digits(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next_is_digit = chars.peek().is_some_and(|(_, next)| next.is_numeric());
        let separates = matches!(c, '.' | ',' | ':' | '-' | '/') && next_is_digit;
        if !(c.is_numeric() || separates) {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// The value of an English number word. "One" and "a" are also said of what is no number.
fn value_of(word: &str) -> Option<f64> {
    const WORDS: [(&str, u32); 33] = [
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("eleven", 11),
        ("twelve", 12),
        ("thirteen", 13),
        ("fourteen", 14),
        ("fifteen", 15),
        ("sixteen", 16),
        ("seventeen", 17),
        ("eighteen", 18),
        ("nineteen", 19),
        ("twenty", 20),
        ("thirty", 30),
        ("forty", 40),
        ("fifty", 50),
        ("sixty", 60),
        ("seventy", 70),
        ("eighty", 80),
        ("ninety", 90),
        ("hundred", 100),
        ("thousand", 1_000),
        ("million", 1_000_000),
        ("dozen", 12),
        ("twice", 2),
        ("double", 2),
        ("triple", 3),
    ];
    WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, value)| f64::from(*value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn figures() -> Value {
        json!({
            "last_7_days": {"blinks_per_minute": 14.2, "blinks": 12_345, "coverage_percent": 42.0, "from": "2026-03-02"},
            "change": {"change_percent": -12.0, "interval": [-20.0, -4.0]},
            "hours": [{"hour": "09:00", "blinks_per_minute": 16.04}],
        })
    }

    #[rstest]
    #[case("You blinked 14.2 times a minute.")]
    #[case("About 14 a minute, 12,345 blinks, 12345 in all.")]
    #[case("That is 12 % less, and 14,2 in German.")]
    #[case("Best from 09:00 and also at 9:00, with 16.0.")]
    #[case("Since 2026-03-02, seven days and four weeks of -20 to -4 %. One thing: none.")]
    #[case("")]
    fn what_is_in_the_figures_stays(#[case] answer: &str) {
        assert_eq!(check(answer, &figures()).stricken(), Vec::<String>::new());
        assert_eq!(check(answer, &figures()).marked(), answer);
    }

    #[rstest]
    #[case("You blinked 17.3 times.", "17.3", "You blinked ~~17.3~~ times.")]
    #[case("It was 14.3.", "14.3", "It was ~~14.3~~.")]
    #[case("12,346 blinks", "12,346", "~~12,346~~ blinks")]
    #[case("at 10:00", "10:00", "at ~~10:00~~")]
    #[case("on 2026-03-03!", "2026-03-03", "on ~~2026-03-03~~!")]
    #[case("about Fifty", "Fifty", "about ~~Fifty~~")]
    #[case("\u{661}\u{662}", "\u{661}\u{662}", "~~\u{661}\u{662}~~")]
    #[case("1.2.3", "1.2.3", "~~1.2.3~~")]
    fn what_is_not_is_struck_out(#[case] answer: &str, #[case] stricken: &str, #[case] marked: &str) {
        let checked = check(answer, &figures());
        assert_eq!((checked.stricken(), checked.marked()), (vec![stricken.to_owned()], marked.to_owned()));
    }

    #[rstest]
    #[case(r#"{"choices":[{"message":{"content":" Yes. "}}]}"#, Ok("Yes.".to_owned()))]
    #[case(r#"{"choices":[{"message":{"content":null,"refusal":"No."}}]}"#, Err(NoAnswer::Refused("No.".to_owned())))]
    #[case(r#"{"choices":[{"message":{"content":""}}]}"#, Err(NoAnswer::Empty))]
    #[case(r#"{"choices":[]}"#, Err(NoAnswer::Empty))]
    #[case("<html>", Err(NoAnswer::NotACompletion))]
    fn the_text_of_an_answer(#[case] body: &str, #[case] text: Result<String, NoAnswer>) {
        assert_eq!(text_of(body.as_bytes()), text);
    }

    proptest! {
        #[test]
        fn no_letter_of_an_answer_is_lost(answer in "\\PC{0,60}|[0-9a-z .,:/-]{0,60}") {
            prop_assert_eq!(tokens(&answer).iter().map(|token| token.text()).collect::<String>(), answer);
        }
    }
}
