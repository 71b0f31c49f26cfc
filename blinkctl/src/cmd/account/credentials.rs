//! Server, address and password, from flags or from the person at the terminal.

use blink_proto::Secret;

use crate::{ask, exit::Failure};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new account, which needs consent, and the password twice.
    Register,
    /// An existing account.
    Login,
}

/// The flags `register` and `login` share.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Credentials {
    /// The server's address; without it the one in the settings file
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,

    /// The account's e-mail address
    #[arg(long, value_name = "E")]
    pub(super) email: Option<String>,

    /// Read the password from the first line of stdin
    #[arg(long)]
    pub(super) password_stdin: bool,

    /// You have read the consent text (`blinkctl consent show`) and agree, for this machine too
    #[arg(long)]
    pub(super) accept_consent: bool,

    /// Leave minutes counted before any account as they are, belonging to nobody
    #[arg(long)]
    pub(super) no_adopt: bool,
}

pub(super) struct Given {
    pub(super) server: Option<String>,
    pub(super) email: String,
    pub(super) password: Secret,
}

impl Credentials {
    /// Names every missing flag where nobody can be asked.
    pub(super) fn check(&self, purpose: Purpose, can_ask: bool) -> Result<(), Failure> {
        if can_ask {
            return Ok(());
        }
        let missing: Vec<_> = [
            (self.email.is_none(), "--email"),
            (!self.password_stdin, "--password-stdin"),
            (purpose == Purpose::Register && !self.accept_consent, "--accept-consent"),
        ]
        .into_iter()
        .filter_map(|(missing, flag)| missing.then_some(flag))
        .collect();
        if missing.is_empty() { Ok(()) } else { Err(ask::missing_flags(&missing)) }
    }

    /// Takes the flags' values and asks for the others. [`Self::check`] must be called first.
    pub(super) fn gather(self, purpose: Purpose) -> Result<Given, Failure> {
        let email = match self.email {
            Some(email) => email.trim().to_owned(),
            None => ask::line("E-mail: ")?,
        };
        if email.is_empty() {
            return Err(Failure::usage("no_email", "The e-mail address is empty", "Give it with --email."));
        }
        let password = match (self.password_stdin, purpose) {
            (true, _) => ask::password_from_stdin()?,
            (false, Purpose::Register) => ask::new_password()?,
            (false, Purpose::Login) => ask::password("Password: ")?,
        };
        Ok(Given { server: self.server, email, password })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn given(email: bool, password_stdin: bool, accept_consent: bool) -> Credentials {
        let email = email.then(|| "ada@example.org".to_owned());
        Credentials { server: None, email, password_stdin, accept_consent, no_adopt: false }
    }

    #[rstest]
    #[case(Purpose::Register, given(false, false, false), "--email, --password-stdin and --accept-consent are missing")]
    #[case(Purpose::Register, given(true, true, false), "--accept-consent is missing")]
    #[case(Purpose::Login, given(false, true, false), "--email is missing")]
    #[case(Purpose::Login, given(true, false, true), "--password-stdin is missing")]
    fn what_is_missing_is_named(#[case] purpose: Purpose, #[case] flags: Credentials, #[case] message: &str) {
        let failure = flags.check(purpose, false).unwrap_err();
        assert!(failure.problem.message.starts_with(message), "{}", failure.problem.message);
        assert_eq!(failure.status as u8, 2);
        assert!(flags.check(purpose, true).is_ok(), "on a terminal it is asked for");
    }

    #[test]
    fn consent_is_not_needed_to_sign_in() {
        assert!(given(true, true, false).check(Purpose::Login, false).is_ok());
        assert!(given(true, true, true).check(Purpose::Register, false).is_ok());
    }
}
