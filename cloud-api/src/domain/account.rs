//! Parses passwords, names and time zones.

use blink_proto::Secret;
use unicode_normalization::UnicodeNormalization as _;

pub(crate) use super::email::Email;
use super::zone;

const MAX_PASSWORD_CHARS: usize = 128;

/// A new password: 12 to 128 characters after composition (NFC). There are no other rules, because length is what helps
/// (NIST SP 800-63B).
pub(crate) fn new_password(text: &str) -> Result<Secret, String> {
    match text.nfc().count() {
        12..=MAX_PASSWORD_CHARS => Ok(Secret::new(text)),
        _ => Err("must have 12 to 128 characters".to_owned()),
    }
}

/// A password to compare. Any password that could ever have been set is accepted; a longer text is cut, so that hashing
/// it costs nothing more.
pub(crate) fn given_password(text: &str) -> Result<Secret, String> {
    // One composed character may be typed as up to four.
    Ok(Secret::new(text.chars().take(4 * MAX_PASSWORD_CHARS + 1).collect::<String>()))
}

/// The name of a person, team or device, trimmed. Only spaces count as no name.
pub(crate) fn name(text: &str) -> Result<Option<String>, String> {
    let name = blink_proto::http::name::parse(text).map_err(|fault| fault.to_string())?;
    Ok(name.map(str::to_owned))
}

/// An IANA time zone name, in its canonical spelling.
pub(crate) fn time_zone(text: &str) -> Result<String, String> {
    let zone = zone::find(text);
    let name = zone.as_ref().and_then(|zone| zone.iana_name());
    name.map(str::to_owned).ok_or_else(|| "must be an IANA time zone, such as Europe/Berlin".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(11, false)]
    #[case(12, true)]
    #[case(128, true)]
    #[case(129, false)]
    fn passwords_are_counted_in_characters(#[case] length: usize, #[case] sound: bool) {
        assert_eq!(new_password(&"ä".repeat(length)).is_ok(), sound);
    }

    #[test]
    fn decomposed_letters_are_counted_as_they_are_read() {
        assert!(new_password(&"a\u{308}".repeat(11)).is_err());
        assert!(new_password(&"a\u{308}".repeat(128)).is_ok());
        assert_eq!(given_password(&"a\u{308}".repeat(128)).unwrap().expose().chars().count(), 256);
    }

    #[rstest]
    #[case("Europe/Berlin", true)]
    #[case("UTC", true)]
    #[case("Asia/Kolkata", true)]
    #[case("europe/berlin", true)]
    #[case("Mars/Olympus", false)]
    #[case("../../etc/passwd", false)]
    #[case("+01:00", false)]
    #[case("", false)]
    fn time_zones(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(time_zone(text).is_ok(), sound);
    }

    #[rstest]
    #[case("Ada Lovelace", true)]
    #[case("Ada\u{2019}s \u{201c}laptop\u{201d}", true)]
    #[case("\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}", true)]
    #[case("\u{1f469}\u{200d}\u{1f4bb}", true)]
    #[case("moc.live\u{202e}gro.elpmaxe", false)]
    #[case("Ada\u{200b}", false)]
    #[case("Ada\u{2066}x\u{2069}", false)]
    #[case("\u{feff}Ada", false)]
    #[case("two\nlines", false)]
    #[case("two\u{2028}lines", false)]
    fn names_are_seen_as_they_are(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(name(text).is_ok(), sound, "{}", text.escape_unicode());
    }

    #[test]
    fn a_time_zone_is_spelt_canonically() {
        assert_eq!(time_zone("europe/berlin").unwrap(), "Europe/Berlin");
    }
}
