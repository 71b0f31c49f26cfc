//! E-mail addresses, and when two of them are the same.
//!
//! An address may contain any letters (RFC 6531), which can be used to look like somebody else's. So a new address must
//! be in Unicode's composed form and consist of letters, digits and marks allowed in identifiers (UTS 39, General
//! Security Profile): none is invisible, changes the direction of writing, or stands for another, such as the Kelvin sign
//! for K. Each part must be in one script (UTS 39, Highly Restrictive), and neither the name nor the domain may look like
//! one in ASCII. Addresses stored before that rule stay as they are.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark, is_nfc};
use unicode_security::{GeneralSecurityProfile as _, RestrictionLevel, RestrictionLevelDetection as _, skeleton};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email {
    /// The address as it was typed, in composed form (NFC).
    pub address: String,
    /// The address in lower case. It is unique, so that a capital letter does not make a second account.
    pub key: String,
}

impl Email {
    /// Parses a new address: one `@`, something on both sides, no spaces, at most 254 bytes (RFC 5321).
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let address: String = text.trim().nfc().collect();
        shape(&address)?;
        // A character that composition replaces by a different one was chosen because it looks like it.
        let replaced = text.chars().find(|c| !c.is_ascii() && !is_nfc(&c.to_string()));
        let word = |c: char| c.identifier_allowed() && (c.is_alphanumeric() || is_combining_mark(c));
        let strange = |c: &char| !c.is_ascii() && !word(*c);
        if let Some(c) = replaced.or_else(|| address.chars().find(strange)) {
            return Err(format!("must not hold U+{:04X}, which cannot be told from other characters", u32::from(c)));
        }
        let one_script = |part: &str| {
            let letters: String = part.chars().filter(|c| !c.is_ascii_punctuation()).collect();
            letters.check_restriction_level(RestrictionLevel::HighlyRestrictive)
        };
        if !address.split(['@', '.']).all(one_script) {
            return Err("must not mix letters of several scripts in one part".to_owned());
        }
        if holds_hidden_mark(&address) || address.split('@').any(looks_ascii) {
            return Err("must not look like an address in other letters".to_owned());
        }
        Ok(Self { key: address.to_lowercase(), address })
    }

    /// The keys that an account with this address may have: as typed, which is how older addresses were stored, and
    /// composed, as new ones are. Empty for a text that cannot be an address.
    #[must_use]
    pub(crate) fn keys(text: &str) -> Vec<String> {
        let typed = text.trim();
        let composed = typed.nfc().collect::<String>().to_lowercase();
        let mut keys = vec![typed.to_lowercase(), composed];
        keys.dedup();
        keys.retain(|key| shape(key).is_ok());
        keys
    }

    /// The domain, in lower case.
    #[must_use]
    pub(crate) fn domain(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Whether this is an account's address, apart from ASCII capitals. A provider's verification says nothing about an
    /// address that is merely similar.
    #[must_use]
    pub(crate) fn is_exactly(&self, address: &str) -> bool {
        self.address.eq_ignore_ascii_case(address)
    }
}

/// Whether a mark may not be seen: after an ASCII letter that it does not compose with, such as a dot on an i, or after
/// the same mark, or any dot above that composes with nothing.
fn holds_hidden_mark(address: &str) -> bool {
    const DOT_ABOVE: char = '\u{307}';
    let after = |first: char, mark: char| is_combining_mark(mark) && (first.is_ascii() || first == mark);
    address.contains(DOT_ABOVE)
        || address.chars().zip(address.chars().skip(1)).any(|(first, mark)| after(first, mark))
        || address.nfd().zip(address.nfd().skip(1)).any(|(first, mark)| first == mark && is_combining_mark(mark))
}

/// Whether a name or domain that is not in ASCII can be taken for one that is: each of its other letters looks like one
/// of ASCII (UTS 39, confusables).
fn looks_ascii(part: &str) -> bool {
    let stands_for_ascii = |c: char| {
        let mut letter = [0; 4];
        let mut like = skeleton(c.encode_utf8(&mut letter));
        like.next().is_some_and(|c| c.is_ascii()) && like.next().is_none()
    };
    !part.is_ascii() && part.chars().all(|c| c.is_ascii() || stands_for_ascii(c))
}

/// The rules that all addresses have always had to meet.
fn shape(text: &str) -> Result<(), String> {
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
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || !c.is_ascii() && plain(c))
    };
    let sound = !local.is_empty() && local.len() <= 64 && local.chars().all(plain) && domain.split('.').all(label);
    if sound { Ok(()) } else { Err(wrong()) }
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
    #[case("адам@пример.рф", true)]
    #[case("田中さくら@例え.jp", true)]
    #[case("иван@пример.срб", true)]
    #[case("βασίλης@παράδειγμα.ελ", true)]
    #[case("łukasz@example.org", true)]
    #[case("søren.kær@example.org", true)]
    #[case("şükrü@example.org", true)]
    #[case("nguyễn@example.org", true)]
    #[case("हिन्दी@उदाहरण.भारत", true)]
    #[case("דוד@example.org", true)]
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

    #[rstest]
    #[case::kelvin("\u{212a}ate@example.org")]
    #[case::angstrom("\u{212b}sa@example.org")]
    #[case::zero_width_space("ka\u{200b}te@example.org")]
    #[case::zero_width_joiner("ka\u{200d}te@example.org")]
    #[case::soft_hyphen("ka\u{ad}te@example.org")]
    #[case::right_to_left("\u{202e}kate@example.org")]
    #[case::isolate("\u{2066}kate@example.org")]
    #[case::byte_order_mark("kate\u{feff}@example.org")]
    #[case::full_width("\u{ff4b}ate@example.org")]
    #[case::full_width_at("kate\u{ff20}example.org")]
    #[case::ligature("\u{fb01}nn@example.org")]
    #[case::cyrillic_in_latin("k\u{430}te@example.org")]
    #[case::greek_in_latin("kat\u{3b5}@example.org")]
    #[case::in_the_domain("kate@ex\u{430}mple.org")]
    #[case::invisible_in_the_domain("kate@exam\u{200b}ple.org")]
    #[case::wholly_cyrillic("соре@example.org")]
    #[case::wholly_cyrillic_capitals("НЕТ@example.org")]
    #[case::wholly_cyrillic_domain("hi@сорр.example")]
    #[case::wholly_greek("οο@example.org")]
    #[case::dot_on_an_i("admi\u{307}n@example.org")]
    #[case::dotless_i("adm\u{131}n@example.org")]
    #[case::dot_on_a_dotless_i("adm\u{131}\u{307}n@example.org")]
    #[case::dot_on_a_cyrillic_i("сор\u{456}\u{307}@example.org")]
    #[case::mark_twice("ad\u{e4}\u{308}m@example.org")]
    #[case::quotation_mark("a\u{2019}b@example.org")]
    #[case::hyphen("a\u{2010}b@example.org")]
    #[case::middle_dot("a\u{b7}b@example.org")]
    fn what_looks_like_another_address_is_none(#[case] text: &str) {
        assert!(Email::parse(text).is_err());
    }

    #[test]
    fn capitals_and_composition_make_no_second_account() {
        assert_eq!(Email::parse(" Ada@Example.ORG ").unwrap().key, "ada@example.org");
        assert_eq!(Email::parse("ada\u{308}m@example.org"), Email::parse("adäm@example.org"));
    }

    #[test]
    fn an_account_of_before_is_found_as_it_was_kept() {
        assert_eq!(Email::keys(" Ada@Example.org"), ["ada@example.org"]);
        assert_eq!(Email::keys("Ada\u{308}m@example.org"), ["ada\u{308}m@example.org", "adäm@example.org"]);
        assert_eq!(Email::keys("ka\u{200b}te@example.org"), ["ka\u{200b}te@example.org"]);
        assert_eq!(Email::keys("no address"), Vec::<String>::new());
    }

    #[test]
    fn a_provider_speaks_of_one_address() {
        let verified = Email::parse("KATE@Example.org").unwrap();
        assert!(verified.is_exactly("kate@example.org") && !verified.is_exactly("\u{212a}ate@example.org"));
        let verified = Email::parse("ÄDA@example.org").unwrap();
        assert!(!verified.is_exactly("äda@example.org"), "only capitals of ASCII are the same for every mail server");
    }
}
