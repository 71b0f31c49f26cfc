//! Handing the camera to another program and taking it back.
//!
//! - [`Handover`]: pure; told the time and who has the device open
//! - [`Keeper::yield_camera`] and the look of each second
//!
//! It lives in memory alone: a yield does not survive a restart.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use blink_vision::native::{Holder, holders};

use super::{Capture, Keeper};
use crate::capture::device::Openings;

/// Nobody took the camera for so long: it is taken back.
const NOBODY_CAME: Duration = Duration::from_secs(120);
/// Who holds the device is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After the device was opened by anybody it is looked at for so long.
const SUSPECT_FOR: Duration = Duration::from_secs(3);

/// Why the camera was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The person said so.
    Asked,
    /// Another program waits for it.
    Wanted,
}

/// A camera that is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handover {
    pub(super) why: Why,
    since: Duration,
    /// Another program has had it open.
    taken: bool,
    /// It was seen free once since; programs that change the camera's format close it for an instant.
    let_go: bool,
}

impl Handover {
    pub(super) fn begun_at(mono: Duration, why: Why) -> Self {
        Self { why, since: mono, taken: false, let_go: false }
    }

    /// Whether it goes on. `held`: whether another program has the device open; `None` where that cannot be seen.
    pub(super) fn goes_on(&mut self, mono: Duration, held: Option<bool>) -> bool {
        match held {
            Some(true) => (self.taken, self.let_go) = (true, false),
            Some(false) if self.taken && self.let_go => return false,
            Some(false) if self.taken => self.let_go = true,
            _ => {}
        }
        self.taken || mono.saturating_sub(self.since) < NOBODY_CAME
    }
}

/// What the keeper knows of the camera's other users.
#[derive(Debug, Default)]
pub(super) struct CameraUsers {
    pub(super) handover: Option<Handover>,
    /// The device behind the source; `None` for files and streams.
    device: Option<PathBuf>,
    openings: Openings,
    looked: Option<Duration>,
    suspect_until: Duration,
    /// Had it open when we opened it and let us have it, such as a media server: they wait for nothing.
    bystanders: BTreeSet<u32>,
    /// Were there at the last look; one that is there twice has not only asked what the camera can do.
    strangers: BTreeSet<u32>,
}

impl CameraUsers {
    pub(super) fn of_device(device: Option<PathBuf>) -> Self {
        Self { device, ..Self::default() }
    }

    fn due(&mut self, mono: Duration) -> bool {
        let due = self.looked.is_none_or(|looked| mono.saturating_sub(looked) >= LOOK_EVERY);
        if due {
            self.looked = Some(mono);
        }
        due
    }

    fn holders(&self) -> Option<Vec<Holder>> {
        self.device.as_deref().map(holders)
    }

    /// The source is opened: whoever holds the device by now is a bystander.
    pub(super) fn opened(&mut self) {
        // A camera that was unplugged is another file when it is back.
        self.openings = Openings::watch(self.device.as_deref());
        self.strangers.clear();
        self.bystanders = self.holders().into_iter().flatten().map(|holder| holder.pid).collect();
    }

    /// The name of a program that has waited for the device since the last look.
    fn waits(&mut self, mono: Duration) -> Option<String> {
        if self.openings.seen() {
            self.suspect_until = mono + SUSPECT_FOR;
        }
        if mono > self.suspect_until || !self.due(mono) {
            return None;
        }
        let holders = self.holders()?;
        let there: BTreeSet<u32> = holders.iter().map(|holder| holder.pid).collect();
        self.bystanders.retain(|pid| there.contains(pid));
        let strangers: BTreeSet<u32> = there.difference(&self.bystanders).copied().collect();
        let waiting = strangers.intersection(&self.strangers).next().copied();
        self.strangers = strangers;
        holders.into_iter().find(|holder| Some(holder.pid) == waiting).map(|holder| holder.name)
    }

    fn held(&self) -> Option<bool> {
        self.holders().map(|holders| holders.iter().any(|holder| !self.bystanders.contains(&holder.pid)))
    }
}

impl Keeper {
    /// Hands the camera over: the source is closed before long, and opened again when another program has had it, when
    /// nobody came for two minutes, or when the person resumes.
    pub fn yield_camera(&mut self) {
        self.hand_over(Why::Asked);
        self.tick();
    }

    fn hand_over(&mut self, why: Why) {
        tracing::info!(?why, "the camera is handed over");
        let mono = self.deps.clock.mono();
        self.camera_users.handover = Some(Handover::begun_at(mono, why));
        self.camera_users.looked = Some(mono);
    }

    /// Looks whether the camera is to be taken back, or handed over by itself.
    pub(super) fn share(&mut self, mono: Duration) {
        if let Some(mut handover) = self.camera_users.handover {
            if self.camera_users.due(mono) {
                let held = self.camera_users.held();
                let goes_on = handover.goes_on(mono, held);
                self.camera_users.handover = goes_on.then_some(handover);
                if !goes_on {
                    tracing::info!("the camera is taken back");
                }
            }
        } else if self.deps.policy.yield_to_others
            && matches!(self.counting.capture, Capture::Open)
            && let Some(name) = self.camera_users.waits(mono)
        {
            // The name of a program is no personal data, but which ones a person uses is not ours to keep: debug only.
            tracing::debug!(name, "another program waits for the camera");
            self.hand_over(Why::Wanted);
        }
    }
}

#[cfg(test)]
mod tests;
