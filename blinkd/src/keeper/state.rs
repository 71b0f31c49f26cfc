//! The state and the problem that `status` shows.

use std::process;

use blink_proto::{
    MinuteStart, Problem,
    ipc::PROTOCOL,
    problem::code,
    status::{Account, OpenMinute, Queue, State, Status},
};

use super::{Capture, Keeper};
use crate::capture::TroubleKind;

impl Keeper {
    /// The first state that applies, in the order of their precedence.
    #[must_use]
    pub fn state(&self) -> State {
        let now = self.deps.clock.now();
        if !self.person.consent.granted() {
            return State::NoConsent;
        }
        let mono = self.deps.clock.mono();
        if self.person.pause.holds(now, mono) {
            return State::Paused;
        }
        if self.absence.holds(mono) {
            return State::Locked;
        }
        if self.camera_users.handover.is_some() {
            return State::Yielded;
        }
        if self.counting.minutes.clock_behind(now) {
            return State::Error;
        }
        match &self.counting.capture {
            Capture::Trouble(trouble) => match trouble.kind {
                TroubleKind::Ended | TroubleKind::Gone => State::NoCamera,
                TroubleKind::Busy => State::CameraBusy,
                TroubleKind::Broken => State::Error,
            },
            _ if self.counting.figures.followed(mono) => State::Tracking,
            // Between two windows, and until the next has had time to find the face, the last window's state stands.
            Capture::Closed | Capture::Open if self.sampling.was_tracking(mono) => State::Tracking,
            // While the source is being opened nobody is seen, and nothing is wrong.
            Capture::Closed | Capture::Open => State::NoFace,
        }
    }

    /// The gravest of the current problems.
    fn problem(&self) -> Option<Problem> {
        let now = self.deps.clock.now();
        let wanted = self.wanted() && self.camera_users.handover.is_none();
        if wanted && self.counting.minutes.clock_behind(now) {
            return Some(Problem::new(
                code::CLOCK_BEHIND,
                "The clock was set back into a minute that is already counted; nothing is counted until it has \
                 caught up.",
                "Set the clock right, or wait.",
            ));
        }
        match &self.counting.capture {
            Capture::Trouble(trouble) if wanted => Some(trouble.problem.clone()),
            _ => self.records.problem.clone().or_else(|| self.notice.clone()),
        }
    }

    #[must_use]
    pub fn status(&self) -> Status {
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        let from = MinuteStart::containing(now);
        let open = self.counting.minutes.get(from);
        let today = self.counting.figures.today(self.counting.minutes.open_minutes());
        let owner = self.owner();
        let account = self.person.account.current.as_ref();
        Status {
            state: self.state(),
            source: self.deps.source.clone(),
            blinks_session: self.counting.figures.session_blinks,
            minute: OpenMinute {
                from,
                blink_count: open.map_or(0, |minute| minute.blinks),
                observed_ms: open.map_or(0, crate::minutes::OpenMinute::observed_ms),
            },
            rate_per_minute: self.counting.figures.rate(mono),
            coverage: self.counting.figures.coverage(&today),
            today,
            fps: self.counting.figures.fps(mono),
            hint: self.counting.figures.hint(mono),
            at_screen: self.at_screen(),
            account: account.map(|a| Account { email: a.email.clone(), server: a.server.clone() }),
            consent: self.person.consent.granted(),
            queue: Queue {
                pending: self
                    .records
                    .store
                    .as_ref()
                    .map_or(0, |store| owner.as_ref().map_or(0, |o| store.pending(Some(o)))),
                set_aside: self.records.store.as_ref().map_or(0, |store| store.set_aside_count(owner.as_ref())),
                ..self.upload.clone()
            },
            cost: self.deps.meter.cost().clone(),
            last_error: self.problem(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL,
            pid: process::id(),
            since: Some(self.since),
        }
    }
}
