//! Requests about the account itself: reading its minutes on the server, and erasing it.

use blink_proto::{Problem, Secret, ipc::RemotePage, problem::code};
use jiff::Timestamp;
use serde_json::Value;

use super::{Link, NetError, Uploader, error::UploadError};
use crate::keeper::not_signed_in;

const PAGE: usize = 1_000;
/// The most bytes of a page, so that it fits one IPC frame.
const MAX_PAGE_BYTES: usize = 900 << 10;

/// A range of minutes and a position in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageOf {
    pub from: Option<Timestamp>,
    /// Exclusive end.
    pub to: Option<Timestamp>,
    /// The cursor that ended the previous page.
    pub cursor: Option<String>,
}

impl PageOf {
    /// The query string of `GET /api/user/me/blinks`.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("group", "minute".to_owned()), ("limit", PAGE.to_string())];
        query.extend(self.from.map(|from| ("from", from.to_string())));
        query.extend(self.to.map(|to| ("to", to.to_string())));
        query.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        query
    }
}

impl Uploader {
    /// Ensures a connection to the account's server, or says why there is none.
    pub(super) fn linked(&mut self) -> Result<(), UploadError> {
        let known = self.deps.keeper.call(|keeper| keeper.account().is_some())?;
        if !known {
            return Err(not_signed_in().into());
        }
        if self.link.is_none() {
            self.resume_account()?;
        }
        match &self.link {
            Some(_) => Ok(()),
            None => Err(self.last_error.clone().unwrap_or_else(not_signed_in).into()),
        }
    }

    pub(super) fn remote_page(&mut self, of: &PageOf) -> Result<RemotePage, UploadError> {
        self.linked()?;
        let page = self.authorised(|server, access| server.minutes(access, of)).and_then(|page| {
            let bytes = serde_json::to_vec(&page).map_or(usize::MAX, |text| text.len());
            let too_large = || NetError::Protocol("a page of minutes is too large".to_owned());
            if bytes > MAX_PAGE_BYTES { Err(too_large()) } else { Ok(page) }
        });
        Ok(page.map_err(|error| error.problem())?)
    }

    /// Erases the account on its server, and signs out here. Returns the server's receipt.
    pub(super) fn erase_account(&mut self, password: Option<&Secret>) -> Result<Value, UploadError> {
        self.linked()?;
        let mut erased = self.authorised(|server, access| server.erase_account(access, password));
        let ended = erased == Err(NetError::SessionEnded);
        if let (true, Some(password)) = (ended, password) {
            let email = self.deps.keeper.call(|keeper| keeper.account().map(|account| account.email.clone()))?;
            erased = self.erase_after_sign_in(email, password);
        }
        let receipt = match erased {
            Ok(receipt) => receipt,
            Err(error) if ended && (error == NetError::SessionEnded || error.is_unauthorised()) => {
                return Err(perhaps_gone(password.is_some()).into());
            }
            Err(error) => return Err(error.problem().into()),
        };
        tracing::info!("the account was erased on its server");
        if let Some(Link { owner, .. }) = self.link.take() {
            self.forget_link();
            if let Err(problem) = self.deps.keeper.call(move |keeper| keeper.account_erased(&owner))? {
                // The account is erased on the server, which is what the person asked for.
                tracing::error!(code = problem.code, "the erased account is still signed in here");
            }
        }
        let bytes = serde_json::to_vec(&receipt).map_or(usize::MAX, |text| text.len());
        // The erasure is done, so a receipt too long for a frame is replaced rather than refused.
        Ok(if bytes > MAX_PAGE_BYTES { Value::from("the server's receipt is too long to show") } else { receipt })
    }

    /// Signs in with the password when the session has ended; the new session serves this erasure alone.
    fn erase_after_sign_in(&self, email: Option<String>, password: &Secret) -> Result<Value, NetError> {
        let (Some(email), Some(link)) = (email, &self.link) else { return Err(NetError::SessionEnded) };
        let request = blink_proto::http::LoginRequest { email, password: password.clone() };
        let answer = link.server.login(&request)?;
        if answer.user.id != link.owner.user_id {
            return Err(NetError::SessionEnded);
        }
        link.server.erase_account(&answer.access_token, Some(password))
    }
}

/// The problem when the session has ended and signing in fails too. It looks the same when an earlier erasure succeeded
/// and its answer was lost.
fn perhaps_gone(with_password: bool) -> Problem {
    if with_password {
        let message = "The server knows neither this session nor this password: the password is wrong, or the account \
                       is erased already.";
        let fix = "Try the password again; if the account is gone, run `blinkctl logout`, then the same again with \
                   `--local` or `--everything`.";
        return Problem::new(code::ACCOUNT_GONE, message, fix);
    }
    let message = "The server has ended this session, as it does when the account is erased.";
    let fix = "Give the password; if the account is gone, run `blinkctl logout`.";
    Problem::new(code::NOT_SIGNED_IN, message, fix)
}
