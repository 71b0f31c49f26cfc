//! E-mail addresses, passwords, names and time zones.

use blink_proto::Secret;
use unicode_normalization::UnicodeNormalization as _;

/// An e-mail address: as it was typed, and in the form that must be unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As it was typed.
    pub address: String,
    /// Lower case, so that one person does not get two accounts by a capital letter.
    pub key: String,
}

impl Email {
    /// Reads an address: one `@`, something on both sides, no spaces, at most 254 bytes (RFC 5321).
    ///
    /// # Errors
    /// With what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || "must be an e-mail address".to_owned();
        if text.len() > 254 {
            return Err("must be at most 254 bytes long".to_owned());
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"(),:;<>[\\]@".contains(c);
        let label = |l: &str| {
            !l.is_empty()
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let sound = !local.is_empty() && local.len() <= 64 && local.chars().all(plain) && domain.split('.').all(label);
        if sound { Ok(Self { address: text.to_owned(), key: text.to_lowercase() }) } else { Err(wrong()) }
    }
}

/// What a person may do, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A machine at the door: may challenge and mark, and nothing else.
    Kiosk,
    /// A person.
    Member,
    /// Runs attendance and teams.
    Manager,
    /// Runs the server.
    Admin,
}

impl Role {
    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "kiosk" => Self::Kiosk,
            "member" => Self::Member,
            "manager" => Self::Manager,
            "admin" => Self::Admin,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kiosk => "kiosk",
            Self::Member => "member",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

/// The most characters of a password.
const MAX_PASSWORD_CHARS: usize = 128;

/// A password that may be set: 12 to 128 characters, composed (NFC). There are no other rules: length is what helps
/// (NIST SP 800-63B).
///
/// # Errors
/// With what is wrong.
pub fn new_password(text: &str) -> Result<Secret, String> {
    match text.nfc().count() {
        12..=MAX_PASSWORD_CHARS => Ok(Secret::new(text)),
        _ => Err("must have 12 to 128 characters".to_owned()),
    }
}

/// A password to be compared: anything that could ever have been set; what is longer is cut, so that it costs nothing.
///
/// # Errors
/// Never; the form is that of the other readers.
pub fn given_password(text: &str) -> Result<Secret, String> {
    // One composed character is up to four.
    Ok(Secret::new(text.chars().take(4 * MAX_PASSWORD_CHARS + 1).collect::<String>()))
}

/// What a person is called: up to 100 characters on one line; nothing but spaces is no name.
///
/// # Errors
/// With what is wrong.
pub fn name(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.chars().count() > 100 {
        return Err("must have at most 100 characters".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("must be on one line".to_owned());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// An IANA time zone name that this program knows, in its canonical spelling.
///
/// # Errors
/// With what is wrong.
pub fn time_zone(text: &str) -> Result<String, String> {
    if text.len() <= 64
        && let Ok(zone) = jiff::tz::TimeZone::get(text)
        && let Some(name) = zone.iana_name()
    {
        return Ok(name.to_owned());
    }
    Err("must be an IANA time zone, such as Europe/Berlin".to_owned())
}

/// Reads a role by its name.
///
/// # Errors
/// With the names there are.
pub fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "must be member, kiosk, manager or admin".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Ada@Example.org", true)]
    #[case("ada+blinks@sub.example.org", true)]
    #[case("o'neil@example.org", true)]
    #[case("demo@localhost", true)]
    #[case("adäm@exämple.org", true)]
    #[case("", false)]
    #[case("ada", false)]
    #[case("@example.org", false)]
    #[case("ada@", false)]
    #[case("a da@example.org", false)]
    #[case("ada@exa mple.org", false)]
    #[case("ada@example..org", false)]
    #[case("ada@-example.org", false)]
    #[case("a@b@example.org", false)]
    #[case("ada\u{0}@example.org", false)]
    #[case("<ada>@example.org", false)]
    fn addresses(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(Email::parse(text).is_ok(), sound);
    }

    #[test]
    fn capitals_make_no_second_account() {
        assert_eq!(Email::parse(" Ada@Example.ORG ").unwrap().key, "ada@example.org");
    }

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

    #[test]
    fn a_time_zone_is_spelt_canonically() {
        assert_eq!(time_zone("europe/berlin").unwrap(), "Europe/Berlin");
    }
}
