//! Brings the minutes of the account's other machines here, a page at a time.

use blink_proto::{
    DeviceId, Problem,
    ipc::{Elsewhere, Pulled},
    problem::code,
};
use jiff::Timestamp;

use super::{NetError, Uploader, error::UploadError};
use crate::keeper::PullPage;

const PAGE: usize = 1_000;

/// A selection of the account's minutes, and a position in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinutesOf {
    pub from: Timestamp,
    /// Only what the server received then or later.
    pub received_from: Option<Timestamp>,
    pub not_device: DeviceId,
    /// The cursor that ended the previous page.
    pub cursor: Option<String>,
}

impl MinutesOf {
    /// The query string of `GET /api/user/me/minutes`.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = self.selection();
        query.push(("limit", PAGE.to_string()));
        query.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        query
    }

    /// The query string of `GET /api/user/me/minutes/devices`.
    pub(super) fn selection(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("from", self.from.to_string()), ("not_device", self.not_device.to_string())];
        query.extend(self.received_from.map(|at| ("received_from", at.to_string())));
        query
    }
}

impl From<&PullPage> for MinutesOf {
    fn from(page: &PullPage) -> Self {
        let step = &page.step;
        let (from, received_from, cursor) = (step.from, step.received_from, step.cursor.clone());
        Self { from, received_from, not_device: page.device_id, cursor }
    }
}

/// A server that lacks the endpoint is told from a wrong address: its account is signed in.
fn problem(error: &NetError) -> Problem {
    if matches!(error.status(), Some(404 | 405)) {
        let message = "The server is too old to give whole minutes back.";
        let fix = "Ask its operator for an update; `blinkctl export --remote` writes what it can show.";
        return Problem::new(code::SERVER_OLDER, message, fix);
    }
    error.problem()
}

impl Uploader {
    /// Asks how much the next pull would go through.
    pub(super) fn elsewhere(&mut self, from: Option<Timestamp>) -> Result<Elsewhere, UploadError> {
        self.linked()?;
        let page = self.deps.keeper.call(move |keeper| keeper.next_pull(from))??;
        let of = MinutesOf::from(&page);
        let counts = self.authorised(|server, access| server.minutes_by_device(access, &of));
        let counts = counts.map_err(|error| problem(&error))?.items;
        let minutes = counts.iter().fold(0_u64, |sum, device| sum.saturating_add(device.minutes));
        Ok(Elsewhere { minutes, machines: counts.len() as u64 })
    }

    /// Brings the next page. What came stays when a later one fails.
    pub(super) fn pull(&mut self, from: Option<Timestamp>) -> Result<Pulled, UploadError> {
        self.linked()?;
        let page = self.deps.keeper.call(move |keeper| keeper.next_pull(from))??;
        let of = MinutesOf::from(&page);
        let answer = self.authorised(|server, access| server.own_minutes(access, &of)).and_then(|answer| {
            // A page whose next cursor is its own would make the pull endless.
            let stays = answer.next_cursor.is_some() && answer.next_cursor == of.cursor;
            let strange = || NetError::Protocol("a page of minutes leads to itself".to_owned());
            if stays { Err(strange()) } else { Ok(answer) }
        });
        let answer = answer.map_err(|error| problem(&error))?;
        Ok(self.deps.keeper.call(move |keeper| keeper.take_pulled(page, answer))??)
    }
}
