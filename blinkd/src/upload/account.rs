//! Signing in and out, and renewing the session's tokens.

use std::time::Duration;

use blink_proto::{
    Problem, Secret,
    http::{LoginRequest, RefreshRequest, RegisterConsent, RegisterRequest, TokenResponse},
    ipc::SignedIn,
    problem::code,
};
use jiff::tz::TimeZone;

use super::{BaseUrl, Credentials, Link, NetError, Server, Uploader, error::UploadError};
use crate::{
    keeper::{Gone, Keeper, not_signed_in},
    minutes::Owner,
    profile::{SignedInAccount, Tokens, vault::LoadError},
};

/// The longest e-mail address: 64 + 1 + 255 octets (RFC 5321, 4.5.3.1).
const LONGEST_EMAIL: usize = 320;
/// How long after a failure to connect to the account it is tried again. With a locked keyring, which may ask the
/// person each time, the wait doubles up to the second value.
pub(super) const RESUME_AFTER: Duration = Duration::from_secs(30);
const RESUME_AT_LAST: Duration = Duration::from_secs(3600);
/// Access tokens are renewed this long before they expire.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

impl Uploader {
    /// Connects to the server of the account that the profile is signed in to.
    pub(super) fn resume_account(&mut self) -> Result<(), Gone> {
        let (account, pending) = self.deps.keeper.call(|keeper| (keeper.account().cloned(), keeper.pending()))?;
        self.resume_at = None;
        let Some(account) = account else { return Ok(()) };
        let owner = account.owner();
        let reached = BaseUrl::parse(&owner.server, self.deps.insecure)
            .and_then(|base| (self.deps.connect)(&base))
            .and_then(|server| Ok((server, if account.session_ended { None } else { self.stored_tokens(&owner)? })));
        match reached {
            Ok((server, tokens)) => {
                self.link = Some(Link { owner, server, tokens });
                self.last_error = None;
                self.resume_after = RESUME_AFTER;
                self.schedule.signed_in(self.deps.clock.mono(), pending > 0);
            }
            Err(problem) => {
                tracing::error!(code = problem.code, "the account cannot be taken up yet");
                let asks = problem.is(code::KEYRING_LOCKED);
                self.last_error = Some(problem);
                self.resume_at = Some(self.deps.clock.mono() + self.resume_after);
                if asks {
                    self.resume_after = (2 * self.resume_after).min(RESUME_AT_LAST);
                }
            }
        }
        Ok(())
    }

    fn stored_tokens(&self, owner: &Owner) -> Result<Option<Tokens>, Problem> {
        self.deps.vault.load(owner).map_err(|error| {
            tracing::error!(why = error.why(), "the tokens cannot be read");
            let (word, fix) = match error {
                LoadError::Ring(_) => (code::KEYRING_LOCKED, "Unlock the desktop's keyring, or run `blinkctl login`."),
                LoadError::File(_) => (code::TOKENS_UNREADABLE, "Check the data folder, or run `blinkctl login`."),
            };
            let message = format!("The sign-in cannot be read: {error}; minutes are kept, and it is tried again.");
            Problem::new(word, message, fix)
        })
    }

    pub(super) fn open(&mut self, credentials: Credentials) -> Result<SignedIn, UploadError> {
        let Credentials { server, email, password, adopt, register } = credentials;
        let url = server.unwrap_or_else(|| self.deps.server.clone());
        let base = BaseUrl::parse(&url, self.deps.insecure)?;
        let server = (self.deps.connect)(&base)?;
        let answer = match &register {
            Some(version) => server.register(&registration(email, password, version)),
            None => server.login(&LoginRequest { email, password }),
        };
        let answer = answer.map_err(|error| error.problem())?;
        self.finish_sign_in(&base, server, answer, adopt, register.is_some())
    }

    /// Completes a sign-in that `server` has accepted.
    pub(super) fn finish_sign_in(
        &mut self,
        base: &BaseUrl,
        server: Box<dyn Server>,
        answer: TokenResponse,
        adopt: bool,
        consent: bool,
    ) -> Result<SignedIn, UploadError> {
        let owner = Owner { server: base.to_string(), user_id: answer.user.id };
        let email = answer.user.email.clone();
        if email.len() > LONGEST_EMAIL {
            return Err(NetError::Protocol("the account's address is too long".to_owned()).problem().into());
        }
        let tokens = self.tokens(owner, answer).map_err(|error| error.problem())?;
        let before = self.link.take();
        if let Err(error) = self.deps.vault.save(&tokens) {
            // The session works until the daemon stops, so the failure is logged and the sign-in goes on.
            tracing::error!(why = error.why(), "the tokens cannot be kept");
        }
        let owner = tokens.owner.clone();
        let account =
            SignedInAccount { server: owner.server.clone(), user_id: owner.user_id, email, session_ended: false };
        let signed_in = self.deps.keeper.call(move |keeper| keeper.sign_in(account, adopt, consent))?;
        if let Some(Link { owner: old, server, tokens: Some(tokens) }) = before
            && old != owner
        {
            // If the server does not hear this, the other account's session expires by itself.
            let _ = server.logout(&tokens.access);
        }
        self.link = Some(Link { owner, server, tokens: Some(tokens) });
        self.refused.clear();
        self.last_error = None;
        let pending = self.deps.keeper.call(|keeper| keeper.pending())?;
        self.schedule.signed_in(self.deps.clock.mono(), pending > 0);
        Ok(signed_in?)
    }

    /// Signs out here, even when the server cannot be told.
    pub(super) fn close(&mut self) -> Result<(), UploadError> {
        let known = self.deps.keeper.call(|keeper| keeper.account().is_some())?;
        if !known {
            return Err(not_signed_in().into());
        }
        if let Some(Link { server, tokens: Some(tokens), .. }) = self.link.take()
            && let Err(error) = server.logout(&tokens.access)
        {
            tracing::warn!(
                code = error.problem().code,
                "the server did not hear of the sign-out; the session ends by itself"
            );
        }
        self.forget_link();
        Ok(self.deps.keeper.call(|keeper| keeper.sign_out())??)
    }

    /// Deletes the tokens and the connection of an account that is signed out.
    pub(super) fn forget_link(&mut self) {
        self.resume_at = None;
        if !self.deps.vault.forget() {
            tracing::error!("tokens of an account that is signed out may be left in the keyring");
        }
        self.link = None;
        self.schedule.signed_out();
        self.last_error = None;
        self.last_success = None;
    }

    /// Connects to the account's server again, with the settings as they are now.
    pub(super) fn reconnect(&mut self) -> Result<(), Gone> {
        self.link = None;
        self.last_error = None;
        self.resume_account()
    }

    fn tokens(&self, owner: Owner, answer: TokenResponse) -> Result<Tokens, NetError> {
        let now = self.deps.clock.now();
        let lives = Duration::from_secs(answer.expires_in.min(365 * 86_400));
        let refresh = answer.refresh_token.ok_or_else(|| NetError::Protocol("it sent no refresh token".to_owned()))?;
        Ok(Tokens { owner, access: answer.access_token, refresh, access_until: now.checked_add(lives).unwrap_or(now) })
    }

    /// Calls the server as the account, renewing the access token first when it has expired.
    pub(super) fn authorised<T>(
        &mut self,
        call: impl Fn(&dyn Server, &Secret) -> Result<T, NetError>,
    ) -> Result<T, NetError> {
        let now = self.deps.clock.now();
        let link = self.link.as_ref().ok_or(NetError::SessionEnded)?;
        let tokens = link.tokens.as_ref().ok_or(NetError::SessionEnded)?;
        let ends_soon = now.checked_add(RENEW_BEFORE).is_ok_and(|soon| tokens.access_until <= soon);
        if !ends_soon {
            match call(link.server.as_ref(), &tokens.access) {
                Err(error) if error.is_unauthorised() => {}
                other => return other,
            }
        }
        self.renew()?;
        let link = self.link.as_ref().ok_or(NetError::SessionEnded)?;
        let tokens = link.tokens.as_ref().ok_or(NetError::SessionEnded)?;
        match call(link.server.as_ref(), &tokens.access) {
            Err(error) if error.is_unauthorised() => Err(self.session_ended()),
            other => other,
        }
    }

    /// Exchanges the refresh token. The new tokens are saved before they are used. If we lose the answer, the old token
    /// gets it again: the server accepts it until its successor is used.
    fn renew(&mut self) -> Result<(), NetError> {
        let link = self.link.as_ref().ok_or(NetError::SessionEnded)?;
        let tokens = link.tokens.as_ref().ok_or(NetError::SessionEnded)?;
        let answer = match link.server.refresh(&RefreshRequest { refresh_token: tokens.refresh.clone() }) {
            Err(error) if error.is_unauthorised() => return Err(self.session_ended()),
            other => other?,
        };
        if answer.user.id != link.owner.user_id {
            return Err(self.session_ended());
        }
        let tokens = self.tokens(link.owner.clone(), answer)?;
        if let Err(error) = self.deps.vault.save(&tokens) {
            tracing::error!(why = error.why(), "the renewed tokens cannot be kept");
        }
        if let Some(link) = &mut self.link {
            link.tokens = Some(tokens);
        }
        Ok(())
    }

    fn session_ended(&mut self) -> NetError {
        tracing::warn!("the server has ended the session");
        if let Some(link) = &mut self.link {
            link.tokens = None;
        }
        self.deps.vault.forget();
        if self.deps.keeper.call(Keeper::session_ended).is_err() {
            tracing::debug!("the daemon is stopping");
        }
        NetError::SessionEnded
    }
}

fn registration(email: String, password: Secret, version: &str) -> RegisterRequest {
    RegisterRequest {
        email,
        password,
        name: None,
        timezone: TimeZone::system().iana_name().map(str::to_owned),
        consent: Some(RegisterConsent { tracking: true, version: version.to_owned() }),
    }
}
