//! What a person, a team or a device may be called.

/// The most characters of a name.
pub const MAX_CHARS: usize = 100;

/// The characters beside controls that may not stand in a name, as inclusive ranges: they are not seen, or move others
/// away from where they stand (Unicode's Default_Ignorable_Code_Point and Bidi_Control). The joiners that Persian, Indic
/// scripts and emoji are written with are none of these.
const UNSEEN: [(char, char); 15] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// It has more than [`MAX_CHARS`] characters.
    #[error("must have at most {MAX_CHARS} characters")]
    TooLong,
    /// It has a line break or another control character.
    #[error("must be on one line")]
    Control,
    /// It has a character that is not seen, or that moves others.
    #[error("must not hold U+{:04X}, which is not seen", u32::from(*.0))]
    Unseen(char),
}

/// `text` without the spaces around it; nothing but spaces is no name.
///
/// # Errors
///
/// The text is too long, or has characters that a name may not have.
pub fn parse(text: &str) -> Result<Option<&str>, NameFault> {
    let text = text.trim();
    if text.chars().count() > MAX_CHARS {
        return Err(NameFault::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(NameFault::Control);
    }
    let unseen = |c: &char| UNSEEN.iter().any(|(first, last)| (first..=last).contains(&c));
    if let Some(c) = text.chars().find(unseen) {
        return Err(NameFault::Unseen(c));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// The schema of a name that may be absent or null.
#[cfg(feature = "schema")]
pub(super) fn optional() -> utoipa::openapi::schema::Object {
    use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
    ObjectBuilder::new()
        .description(Some("A name on one line, without characters that are not seen; nothing but spaces is none."))
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .max_length(Some(MAX_CHARS))
        .pattern(Some(format!("^[^{}]*$", refused())))
        .build()
}

/// The schema of a name that is needed: a character of it is no space.
#[cfg(feature = "schema")]
pub(super) fn required() -> utoipa::openapi::schema::Object {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    let refused = refused();
    ObjectBuilder::new()
        .description(Some("A name on one line, without characters that are not seen."))
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_CHARS))
        .pattern(Some(format!("^[^{refused}]*[^{refused}\\s\\u00a0][^{refused}]*$")))
        .build()
}

/// The refused characters as a regular expression's class has them (ECMA-262, which JSON Schema takes).
#[cfg(feature = "schema")]
fn refused() -> String {
    let escaped = |c: char| match u32::from(c) {
        code @ 0..=0xffff => format!("\\u{code:04x}"),
        // Without the flag `u` there is no escape for it.
        _ => c.to_string(),
    };
    let controls = [('\0', '\u{1f}'), ('\u{7f}', '\u{9f}')];
    let range = |(first, last): (char, char)| match first == last {
        true => escaped(first),
        false => format!("{}-{}", escaped(first), escaped(last)),
    };
    controls.into_iter().chain(UNSEEN).map(range).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("  Ada Lovelace ", Ok(Some("Ada Lovelace")))]
    #[case::spaces(" \u{a0} ", Ok(None))]
    #[case::joiner_in_emoji("👩\u{200d}💻", Ok(Some("👩\u{200d}💻")))]
    #[case::joiner_in_persian("می\u{200c}خواهم", Ok(Some("می\u{200c}خواهم")))]
    #[case::two_lines("Ada\nAdmin", Err(NameFault::Control))]
    #[case::turned("Ada\u{202e}nimda", Err(NameFault::Unseen('\u{202e}')))]
    #[case::tag("Ada\u{e0041}", Err(NameFault::Unseen('\u{e0041}')))]
    fn a_name_is_seen_where_it_stands(#[case] text: &str, #[case] wanted: Result<Option<&str>, NameFault>) {
        assert_eq!(parse(text), wanted);
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert!(parse(&"ü".repeat(MAX_CHARS)).is_ok());
        assert_eq!(parse(&"ü".repeat(MAX_CHARS + 1)), Err(NameFault::TooLong));
    }
}
