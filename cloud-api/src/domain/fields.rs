//! Reads a JSON object field by field, and collects what is wrong with each, so that one answer names them all.
//! Fields nobody asks for are skipped in the text and never built: they can assign nothing, and a hostile body takes no
//! more memory than its own length.

use std::{collections::BTreeMap, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of a body that are missing or wrong, and why.
#[derive(Debug)]
pub struct WrongFields(pub BTreeMap<String, String>);

/// Why a text cannot be read field by field.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is no JSON.
    Syntax(serde_json::Error),
    /// It is JSON, and no object.
    NoObject,
}

/// A JSON object being read.
pub(crate) struct Fields {
    /// The object as it came. [`Fields::parse`] has read it once from end to end.
    text: String,
    prefix: &'static str,
    wrong: BTreeMap<String, String>,
}

/// What an object says under a name.
#[derive(Default)]
enum Given<'a> {
    #[default]
    Absent,
    Once(&'a RawValue),
    /// Readers of JSON differ in which one of them counts.
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
    /// Starts reading the object of `text`.
    ///
    /// Fails when it is no JSON, or no object.
    pub(crate) fn parse(text: String) -> Result<Self, Unreadable> {
        if !text.trim_start().starts_with('{') {
            let other = serde_json::from_str::<IgnoredAny>(&text);
            return Err(other.map_or_else(Unreadable::Syntax, |_| Unreadable::NoObject));
        }
        find(&text, "").map_err(Unreadable::Syntax)?;
        Ok(Self { text, prefix: "", wrong: BTreeMap::new() })
    }

    /// An object without fields.
    #[must_use]
    pub(crate) fn none() -> Self {
        Self { text: "{}".to_owned(), prefix: "", wrong: BTreeMap::new() }
    }

    fn given(&self, name: &str) -> Given<'_> {
        // It has been read once, so it can be read again.
        find(&self.text, name).unwrap_or_default()
    }

    /// A value of the type that `what` describes.
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

    /// A text that must be there.
    pub(crate) fn text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text: String = self.value(name, "must be a string")?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => self.refuse(name, why),
        }
    }

    /// A text that may be absent or null.
    pub(crate) fn optional_text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if self.given(name).is_nothing() { None } else { self.text(name, parse) }
    }

    /// A text that may be absent (`None`), null (`Some(None)`) or there.
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

    /// Whether the field is there.
    #[must_use]
    pub(crate) fn has(&self, name: &str) -> bool {
        !matches!(self.given(name), Given::Absent)
    }

    /// A truth value that must be there.
    pub(crate) fn required_flag(&mut self, name: &str) -> Option<bool> {
        self.value(name, "must be true or false")
    }

    /// The object's fields, when none is wrong.
    pub(crate) fn finish(self) -> Result<(), WrongFields> {
        if self.wrong.is_empty() { Ok(()) } else { Err(WrongFields(self.wrong)) }
    }

    /// A truth value; absent and null are false.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        !self.given(name).is_nothing() && self.required_flag(name).unwrap_or(false)
    }

    /// An object inside this one; absent and null are an empty object. Its fields are named `name.field`.
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

    /// Takes what is wrong inside an object that [`Self::object`] gave.
    pub(crate) fn absorb(&mut self, inner: Self) {
        self.wrong.extend(inner.wrong);
    }

    /// Marks a field as wrong.
    pub(crate) fn refuse<T>(&mut self, name: &str, why: impl Into<String>) -> Option<T> {
        let name = if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) };
        self.wrong.insert(name, why.into());
        None
    }

    /// What was wrong, by field.
    #[must_use]
    pub(crate) fn wrong(self) -> BTreeMap<String, String> {
        self.wrong
    }
}

/// What stands under `name` in the object of `text`, which is read to its end.
fn find<'a>(text: &'a str, name: &str) -> serde_json::Result<Given<'a>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = Wanted(name).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

/// Keeps the value of one name, as text, and skips the others.
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

/// Whether a name is this one; it is compared and not kept.
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
