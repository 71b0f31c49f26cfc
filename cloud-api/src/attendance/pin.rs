//! PINs: what may be one. They are hashed like passwords, with Argon2id, and guesses are counted.

use blink_proto::Secret;

/// Fewest and most digits.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=12;

/// A code is good for this long after it was shown, in seconds.
pub const CODE_LIFE_S: i64 = 60;

/// Reads a new PIN.
///
/// # Errors
/// What is wrong with it.
pub fn new_pin(text: &str) -> Result<Secret, String> {
    let digits = text.as_bytes();
    if !DIGITS.contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err("must have 6 to 12 digits".to_owned());
    }
    // One digit repeated, or digits that go up or down by one: they are what is guessed first.
    let steps: Vec<i16> = digits.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    if [0, 1, -1].iter().any(|step| steps.iter().all(|each| each == step)) {
        return Err("is too easy to guess: choose digits that are no row".to_owned());
    }
    Ok(Secret::new(text))
}

/// A PIN to compare: any text, cut, so that hashing it costs nothing more.
pub fn given_pin(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text.chars().take(64).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("482917", true)]
    #[case("112233", true)]
    #[case("482917482917", true)]
    #[case("48291", false)]
    #[case("4829174829174", false)]
    #[case("48291a", false)]
    #[case("\u{664}\u{668}\u{662}\u{669}\u{661}\u{667}", false)]
    #[case("000000", false)]
    #[case("123456", false)]
    #[case("987654", false)]
    #[case("", false)]
    fn pins(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(new_pin(text).is_ok(), sound);
    }
}
