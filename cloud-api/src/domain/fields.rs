//! Reads a JSON object field by field and collects the faults, so that one answer names them all. Unknown fields are
//! skipped in the text and never parsed into values: they can set nothing, and a hostile body takes no more memory than
//! its own length.

use std::{collections::BTreeMap, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields that are missing or wrong, each with the reason.
#[derive(Debug)]
pub struct WrongFields(pub BTreeMap<String, String>);

#[derive(Debug)]
pub(crate) enum Unreadable {
    Syntax(serde_json::Error),
    NoObject,
}

pub(crate) struct Fields {
    /// The object's text. [`Fields::parse`] has checked it from end to end.
    text: String,
    prefix: &'static str,
    wrong: BTreeMap<String, String>,
}

/// The value under a name.
#[derive(Default)]
enum Given<'a> {
    #[default]
    Absent,
    Once(&'a RawValue),
    /// JSON parsers differ in which one of repeated names counts, so it is refused.
    Repeated,
}

impl Given<'_> {
    fn is_nothing(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Once(value) => value.get() == "null",
            Self::Repeated => false,
        }
    }
}

impl Fields {
    pub(crate) fn parse(text: String) -> Result<Self, Unreadable> {
        if !text.trim_start().starts_with('{') {
            let other = serde_json::from_str::<IgnoredAny>(&text);
            return Err(other.map_or_else(Unreadable::Syntax, |_| Unreadable::NoObject));
        }
        find(&text, "").map_err(Unreadable::Syntax)?;
        Ok(Self { text, prefix: "", wrong: BTreeMap::new() })
    }

    #[must_use]
    pub(crate) fn none() -> Self {
        Self { text: "{}".to_owned(), prefix: "", wrong: BTreeMap::new() }
    }

    fn given(&self, name: &str) -> Given<'_> {
        // `parse` has read the text, so reading it again does not fail.
        find(&self.text, name).unwrap_or_default()
    }

    /// `what` is the fault to report for a value of another type.
    fn value<T: serde::de::DeserializeOwned>(&mut self, name: &str, what: &str) -> Option<T> {
        match self.given(name) {
            given if given.is_nothing() => self.refuse(name, "is required"),
            Given::Once(value) => match serde_json::from_str(value.get()) {
                Ok(value) => Some(value),
                Err(_) => self.refuse(name, what),
            },
            _ => self.refuse(name, "must be given once"),
        }
    }

    /// A required text.
    pub(crate) fn text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text: String = self.value(name, "must be a string")?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => self.refuse(name, why),
        }
    }

    /// A text that may be absent or null; both give `None`.
    pub(crate) fn optional_text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if self.given(name).is_nothing() { None } else { self.text(name, parse) }
    }

    /// A text that may be absent (`None`), null (`Some(None)`) or present.
    pub(crate) fn nullable_text<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.given(name) {
            Given::Absent => None,
            given if given.is_nothing() => Some(None),
            _ => self.text(name, parse).map(Some),
        }
    }

    #[must_use]
    pub(crate) fn has(&self, name: &str) -> bool {
        !matches!(self.given(name), Given::Absent)
    }

    /// A required boolean.
    pub(crate) fn required_flag(&mut self, name: &str) -> Option<bool> {
        self.value(name, "must be true or false")
    }

    /// Fails if any field was wrong.
    pub(crate) fn finish(self) -> Result<(), WrongFields> {
        if self.wrong.is_empty() { Ok(()) } else { Err(WrongFields(self.wrong)) }
    }

    /// A boolean; absent and null count as false.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        !self.given(name).is_nothing() && self.required_flag(name).unwrap_or(false)
    }

    /// A nested object; absent and null count as empty. Its faults are named `name.field`.
    pub(crate) fn object(&mut self, name: &'static str) -> Self {
        let inner = match self.given(name) {
            given if given.is_nothing() => Ok(Self::none()),
            Given::Once(value) => Self::parse(value.get().to_owned()).map_err(|_| "must be an object"),
            _ => Err("must be given once"),
        };
        let inner = inner.unwrap_or_else(|why| {
            let _: Option<()> = self.refuse(name, why);
            Self::none()
        });
        Self { prefix: name, ..inner }
    }

    /// Adds the faults of a nested object that [`Self::object`] returned.
    pub(crate) fn absorb(&mut self, inner: Self) {
        self.wrong.extend(inner.wrong);
    }

    pub(crate) fn refuse<T>(&mut self, name: &str, why: impl Into<String>) -> Option<T> {
        let name = if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) };
        self.wrong.insert(name, why.into());
        None
    }

    #[must_use]
    pub(crate) fn wrong(self) -> BTreeMap<String, String> {
        self.wrong
    }
}

/// Finds the value under `name`; reads the whole text, so that a syntax error anywhere is found.
fn find<'a>(text: &'a str, name: &str) -> serde_json::Result<Given<'a>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = Wanted(name).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

/// Keeps the value of one name as text and skips the others.
struct Wanted<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Given<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Given<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Given::Absent;
        while let Some(wanted) = map.next_key_seed(Is(self.0))? {
            if !wanted {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value()?;
            found = if matches!(found, Given::Absent) { Given::Once(value) } else { Given::Repeated };
        }
        Ok(found)
    }
}

/// Compares a name without storing it.
struct Is<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    fn fields(text: &str) -> Fields {
        Fields::parse(text.to_owned()).unwrap_or_else(|e| panic!("{text}: {e:?}"))
    }

    #[test]
    fn every_wrong_field_is_named() {
        let mut fields =
            fields(r#"{"a": 1, "c": {"d": "no"}, "e": null, "f": "x", "f": "y", "g": 1e400, "h": "\ud800"}"#);
        for name in ["a", "b", "f", "g", "h"] {
            fields.text(name, any);
        }
        assert_eq!(fields.optional_text("e", any), None);
        let mut inner = fields.object("c");
        inner.flag("d");
        fields.absorb(inner);
        let wrong = fields.wrong();
        assert_eq!(wrong.keys().collect::<Vec<_>>(), ["a", "b", "c.d", "f", "g", "h"]);
        assert_eq!((wrong["b"].as_str(), wrong["f"].as_str()), ("is required", "must be given once"));
    }

    #[test]
    fn a_name_counts_however_it_is_spelt_and_others_do_not() {
        let mut fields = fields(r#" {"x": [{"email": "no"}], "\u0065mail": "ada", "deep": {"email": "no"}} "#);
        assert_eq!(fields.text("email", any).as_deref(), Some("ada"));
        assert!(fields.has("deep") && !fields.has("mail"));
        assert_eq!((fields.nullable_text("n", any), fields.flag("f")), (None, false));
        fields.finish().unwrap();
    }

    #[test]
    fn a_null_is_there_and_nothing() {
        let mut fields = fields(r#"{"n": null}"#);
        assert_eq!((fields.has("n"), fields.nullable_text("n", any)), (true, Some(None)));
        assert_eq!((fields.required_flag("n"), fields.wrong()["n"].as_str()), (None, "is required"));
    }

    #[test]
    fn only_a_whole_object_is_read() {
        for text in ["", "{", "{\"a\":}", "{} {}", "{\"a\":1}x", "{\"a\" 1}", "{1:2}", "{\"\\ud800\":1}", "[", "nul"] {
            assert!(matches!(Fields::parse(text.to_owned()), Err(Unreadable::Syntax(_))), "{text}");
        }
        for text in ["[]", "null", "\"{}\"", "5"] {
            assert!(matches!(Fields::parse(text.to_owned()), Err(Unreadable::NoObject)), "{text}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let depth = 8_000;
        let text = format!("{{\"a\":{}{}, \"b\": \"x\"}}", "[".repeat(depth), "]".repeat(depth));
        let mut fields = fields(&text);
        assert_eq!(fields.text("b", any).as_deref(), Some("x"));
        assert_eq!(fields.text("a", any), None);
    }
}
