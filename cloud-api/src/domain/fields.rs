//! Reads a JSON object field by field, and collects what is wrong with each, so that one answer names them all.
//! Fields nobody asks for are ignored: nothing can be assigned that the code does not name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The fields of a body that are missing or wrong, and why.
#[derive(Debug)]
pub struct WrongFields(pub BTreeMap<String, String>);

/// A JSON object being read.
pub struct Fields {
    object: Map<String, Value>,
    prefix: &'static str,
    wrong: BTreeMap<String, String>,
}

impl Fields {
    /// Starts reading `object`.
    #[must_use]
    pub fn new(object: Map<String, Value>) -> Self {
        Self { object, prefix: "", wrong: BTreeMap::new() }
    }

    /// A text that must be there.
    pub fn text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match self.object.get(name) {
            None | Some(Value::Null) => self.refuse(name, "is required"),
            Some(Value::String(text)) => match parse(text) {
                Ok(value) => Some(value),
                Err(why) => self.refuse(name, why),
            },
            Some(_) => self.refuse(name, "must be a string"),
        }
    }

    /// A text that may be absent or null.
    pub fn optional_text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            _ => self.text(name, parse),
        }
    }

    /// A text that may be absent (`None`), null (`Some(None)`) or there.
    pub fn nullable_text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<Option<T>> {
        match self.object.get(name) {
            None => None,
            Some(Value::Null) => Some(None),
            _ => self.text(name, parse).map(Some),
        }
    }

    /// Whether the field is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// A truth value that must be there.
    pub fn required_flag(&mut self, name: &str) -> Option<bool> {
        match self.object.get(name) {
            Some(Value::Bool(value)) => Some(*value),
            None | Some(Value::Null) => self.refuse(name, "is required"),
            Some(_) => self.refuse(name, "must be true or false"),
        }
    }

    /// The object's fields, when none is wrong.
    ///
    /// # Errors
    /// Those that are, with what is wrong.
    pub fn finish(self) -> Result<(), WrongFields> {
        if self.wrong.is_empty() { Ok(()) } else { Err(WrongFields(self.wrong)) }
    }

    /// A truth value; absent and null are false.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.object.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(_) => self.refuse(name, "must be true or false").unwrap_or(false),
        }
    }

    /// An object inside this one; absent and null are an empty object. Its fields are named `name.field`.
    pub fn object(&mut self, name: &'static str) -> Self {
        let object = match self.object.get(name) {
            Some(Value::Object(inner)) => inner.clone(),
            None | Some(Value::Null) => Map::new(),
            Some(_) => {
                let _: Option<()> = self.refuse(name, "must be an object");
                Map::new()
            }
        };
        Self { object, prefix: name, wrong: BTreeMap::new() }
    }

    /// Takes what is wrong inside an object that [`Self::object`] gave.
    pub fn absorb(&mut self, inner: Self) {
        self.wrong.extend(inner.wrong);
    }

    /// Marks a field as wrong.
    pub fn refuse<T>(&mut self, name: &str, why: impl Into<String>) -> Option<T> {
        let name = if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) };
        self.wrong.insert(name, why.into());
        None
    }

    /// What was wrong, by field.
    #[must_use]
    pub fn wrong(self) -> BTreeMap<String, String> {
        self.wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let Value::Object(object) = serde_json::json!({"a": 1, "c": {"d": "no"}, "e": null}) else { unreachable!() };
        let mut fields = Fields::new(object);
        let any = |s: &str| Ok(s.to_owned());
        fields.text("a", any);
        fields.text("b", any);
        assert_eq!(fields.optional_text("e", any), None);
        let mut inner = fields.object("c");
        inner.flag("d");
        fields.absorb(inner);
        let wrong = fields.wrong();
        assert_eq!(wrong.keys().collect::<Vec<_>>(), ["a", "b", "c.d"]);
    }
}
