//! Handing the camera to another program and taking it back.
//!
//! [`Handover`] holds the rules and is pure: it is given the time and whether the device is held. A handover lives in
//! memory alone, so it does not survive a restart.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use blink_vision::native::{Holder, holders};

use super::{Capture, Keeper};
use crate::capture::device::Openings;

/// The camera is taken back when no program has opened it within this time.
const NOBODY_CAME: Duration = Duration::from_secs(120);
/// How often the holders of the device are listed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the holders are listed after any program opened the device.
const SUSPECT_FOR: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The person ran the command.
    Asked,
    /// Another program was found waiting for the camera.
    Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handover {
    pub(super) why: Why,
    since: Duration,
    /// Whether another program has had the device open.
    taken: bool,
    /// Whether the device was seen free once since. One look is not enough: programs that change the camera's format
    /// close it for an instant.
    let_go: bool,
}

impl Handover {
    pub(super) fn begun_at(mono: Duration, why: Why) -> Self {
        Self { why, since: mono, taken: false, let_go: false }
    }

    /// Whether the handover goes on. `held` says whether another program has the device open; `None` where the system
    /// cannot tell.
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

/// The other programs that use the camera.
#[derive(Debug, Default)]
pub(super) struct CameraUsers {
    pub(super) handover: Option<Handover>,
    /// The device behind the source; `None` for files and streams.
    device: Option<PathBuf>,
    openings: Openings,
    looked: Option<Duration>,
    suspect_until: Duration,
    /// Processes that held the device when we opened it and still let us have it, such as a media server: they do not
    /// wait for it.
    bystanders: BTreeSet<u32>,
    /// Processes seen at the last look. One that is still there at the next is not just querying the camera's
    /// abilities.
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

    /// Notes that the source was opened: whoever holds the device now does not wait for it.
    pub(super) fn opened(&mut self) {
        // A camera that was unplugged comes back as another file, so the watch begins anew.
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
    /// Hands the camera over: the source is closed soon. It is opened again when another program has had the camera,
    /// when none took it for two minutes, or when the person resumes.
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

    /// Takes the camera back when it is free, or hands it over when another program waits.
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
            // Which programs a person uses is not ours to log, so the name is at debug level only.
            tracing::debug!(name, "another program waits for the camera");
            self.hand_over(Why::Wanted);
        }
    }
}

#[cfg(test)]
mod tests;
