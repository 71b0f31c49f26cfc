//! A person of the desk: their id and their name.

use unicode_normalization::UnicodeNormalization as _;

/// Longest id, in characters.
const MAX_ID: usize = 64;

/// Reads an id: letters and digits of any script, and `-`, `_` and `.` between them. Case does not tell two apart.
///
/// # Errors
/// What is wrong with it.
pub fn id(text: &str) -> Result<String, String> {
    let id: String = text.trim().nfkc().flat_map(char::to_lowercase).collect();
    let inner = |c: char| c.is_alphanumeric() || is_mark(c) || matches!(c, '-' | '_' | '.');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || is_mark(c));
    if !id.chars().all(inner) || !edge(id.chars().next()) || !edge(id.chars().last()) {
        return Err("may hold letters, digits, and - _ . between them".to_owned());
    }
    if id.chars().count() > MAX_ID {
        return Err("must have at most 64 characters".to_owned());
    }
    Ok(id)
}

/// The default id of a name: its letters and digits, with `-` for what is between them. `None` for a name without any.
#[must_use]
pub fn slug(name: &str) -> Option<String> {
    let mut slug = String::new();
    // Decomposed, so that the accents of Latin letters can be left out; others need their marks.
    for c in name.nfkd().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || (is_mark(c) && slug.chars().last().is_some_and(|c| !c.is_ascii())) {
            slug.push(c);
        } else if !is_mark(c) && !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.chars().count() >= MAX_ID {
            break;
        }
    }
    id(slug.trim_end_matches('-')).ok()
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Alice", Some("alice"))]
    #[case("  Zo\u{eb}  O'Hara-Smith ", Some("zoe-o-hara-smith"))]
    #[case("\u{645}\u{631}\u{64a}\u{645}", Some("\u{645}\u{631}\u{64a}\u{645}"))]
    #[case("\u{905}\u{928}\u{940}\u{924}\u{93e}", Some("\u{905}\u{928}\u{940}\u{924}\u{93e}"))]
    #[case("R2-D2", Some("r2-d2"))]
    #[case("../..", None)]
    #[case("\u{1f600}", None)]
    fn slugs(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(slug(name).as_deref(), expected);
        assert!(slug(&name.repeat(1_000)).is_none_or(|slug| slug.chars().count() <= 64));
    }

    #[rstest]
    #[case("E-1042", Some("e-1042"))]
    #[case("ada.lovelace", Some("ada.lovelace"))]
    #[case("a", Some("a"))]
    #[case("a/b", None)]
    #[case("..", None)]
    #[case("-a", None)]
    #[case("a b", None)]
    #[case("a\u{202e}b", None)]
    #[case("a%2fb", None)]
    #[case("", None)]
    fn ids(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(id(text).ok().as_deref(), expected);
        assert!(id(&"x".repeat(65)).is_err());
    }
}
