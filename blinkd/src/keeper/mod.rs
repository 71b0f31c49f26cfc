//! The keeper: one thread that owns minutes, store, consent, pause and account, and decides the state.
//!
//! - [`Keeper`]: the data and its rules; every method is called by the keeper's thread, or by a test
//! - [`KeeperHandle`]: how other threads reach it
//! - `person`, `records`, `counting`: its data; `commands`: what the person asks for
//! - `policy`, `absence`, `handover`, `sampling`: CPU limit, lock and sleep, yielding the camera, sampling on battery
//! - `presence`: whether the person is at the screen
//! - `setup`: which camera and detector measure from now on
//! - `time`: clocks that are set, time zones that change
//! - `restore`, `saving`: restoring after a restart, sealing, and what to do when the disk fails
//! - `queue`: what the upload thread takes and reports; `pull`: what it brings
//!
//! The clock is passed in, so that a test runs a day in a moment.

mod absence;
mod commands;
mod counting;
mod erase;
mod figures;
mod handle;
mod handover;
mod import;
mod person;
mod policy;
mod presence;
mod pull;
mod queue;
mod records;
mod restore;
mod sampling;
mod saving;
mod setup;
mod state;
mod time;

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use blink_profile::Paths;
use blink_proto::{
    Problem,
    ipc::{Event, LivePoint, Sight},
    problem::code,
    status::{Queue, State},
};
use jiff::Timestamp;
use tokio::sync::broadcast;

pub use absence::LockedBy;
pub use commands::not_signed_in;
pub use handle::{Gone, KeeperHandle};
pub use policy::CapturePolicy;
pub(crate) use presence::LEFT_AFTER;
pub(crate) use pull::PullPage;
pub use queue::Batch;

use crate::{
    capture::{CaptureControl, CaptureEvent, Sighting},
    clock::{Clock, Zone},
    cost::{Governor, Meter},
    minutes::Observation,
    profile::{Device, files::FileError},
    store::History,
};

use counting::{Capture, Counting};
use person::Person;
use records::Records;

/// How often the keeper checks the clock when nothing else happens.
const TICK: Duration = Duration::from_millis(250);
/// How often the open minutes are saved and subscribers are sent the state.
const SAVE_EVERY: Duration = Duration::from_secs(1);

pub struct KeeperDeps {
    pub paths: Paths,
    pub clock: Arc<dyn Clock>,
    /// The person's time zone, which decides what "today" is.
    pub tz: Zone,
    pub machine: Option<String>,
    /// The source, as `status` shows it.
    pub source: String,
    /// The history keeps this many days.
    pub retention_days: u32,
    pub policy: CapturePolicy,
    /// Measures the daemon's CPU use.
    pub meter: Meter,
    pub control: Arc<CaptureControl>,
    pub events: broadcast::Sender<Event>,
    /// Whether an enrolment is under way: it needs the camera, so sampling does not close it then.
    pub enrols: Box<dyn Fn() -> bool + Send>,
    /// Called when a minute joins the upload queue.
    pub on_sealed: Box<dyn Fn() + Send>,
}

/// Why a keeper cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the history folder cannot be used: {0}")]
    History(#[source] io::Error),
    /// A later version of blinkd wrote the store.
    #[error("{0}")]
    Newer(Problem),
}

pub struct Keeper {
    deps: KeeperDeps,
    device: Device,
    person: Person,
    records: Records,
    counting: Counting,
    governor: Governor,
    absence: absence::Absence,
    camera_users: handover::CameraUsers,
    sampling: sampling::Sampling,
    presence: presence::Presence,
    /// When this process began.
    since: Timestamp,
    /// The last report of the upload thread; its counts are not used, the store's are.
    upload: Queue,
    /// An event that the status shows, and that needs no action.
    notice: Option<Problem>,
    clocks: time::Clocks,
    last_tick: Duration,
    last_save: Duration,
    shown: Option<State>,
    finished: bool,
}

impl Keeper {
    /// Reads the profile. A store that cannot be opened is no error: it is tried again later.
    pub fn begin(deps: KeeperDeps) -> Result<Self, KeeperError> {
        let (now, mono) = (deps.clock.now(), deps.clock.mono());
        let device = Device::open(&deps.paths, deps.machine.as_deref())?;
        let history = History::open(&deps.paths.history()).map_err(KeeperError::History)?;
        let mut keeper = Self {
            person: Person::open(&deps.paths, now, mono)?,
            records: Records::new(history, Arc::clone(&deps.clock)),
            counting: Counting::new(device.id, deps.tz.now(), now),
            governor: Governor::default(),
            absence: absence::Absence::default(),
            camera_users: handover::CameraUsers::of_device(deps.policy.device.clone()),
            sampling: sampling::Sampling::default(),
            presence: presence::Presence::default(),
            since: now,
            upload: Queue::default(),
            notice: None,
            clocks: time::Clocks::from_readings(now, mono),
            last_tick: mono,
            last_save: mono,
            shown: None,
            finished: false,
            device,
            deps,
        };
        keeper.open_store();
        if let Some(newer) = keeper.records.problem.take_if(|problem| problem.is(code::STORE_NEWER)) {
            return Err(KeeperError::Newer(newer));
        }
        keeper.restore(now, mono);
        keeper.tick();
        Ok(keeper)
    }

    /// Starts the keeper's thread. It ends when it has [finished](Keeper::finish) or every handle is gone, and then
    /// calls `at_end`, even where it panics.
    pub fn start(
        mut self,
        at_end: impl FnOnce() + Send + 'static,
    ) -> io::Result<(KeeperHandle, thread::JoinHandle<()>)> {
        let (handle, inbox) = KeeperHandle::new();
        let thread = thread::Builder::new().name("blinkd-keeper".into()).spawn(move || {
            let _at_end = scopeguard::guard(at_end, |at_end| at_end());
            self.run(&inbox);
        })?;
        Ok((handle, thread))
    }

    fn run(&mut self, inbox: &mpsc::Receiver<handle::Job>) {
        loop {
            let due = self.last_tick + TICK;
            match inbox.recv_timeout(due.saturating_sub(self.deps.clock.mono()).min(TICK)) {
                Ok(job) => job(self),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => self.finish(),
            }
            if self.finished {
                return;
            }
            if self.deps.clock.mono() >= due {
                self.tick();
            }
        }
    }

    /// Checks the clock: seals and saves minutes, allows or forbids the source, publishes the state.
    pub fn tick(&mut self) {
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        let passed = mono.saturating_sub(self.last_tick).min(Duration::from_secs(2));
        self.last_tick = mono;
        self.watch_time(now, mono);
        if self.person.consent.refresh() {
            tracing::info!(granted = self.person.consent.granted(), "the consent file changed");
        }
        self.person.pause.expire(now, mono);
        self.deps.meter.refresh(mono);
        self.share(mono);
        self.sampling.turn(mono, self.deps.policy.profile.samples(self.deps.meter.on_battery()));
        if self.obey() {
            self.counting.figures.unpaused += passed;
        }
        self.set_pace(mono);
        self.turn_day(now);
        if self.records.is_mending_due(mono) {
            self.open_store();
        }
        self.seal(now, mono);
        self.tell_presence();
        let state = self.state();
        if mono.saturating_sub(self.last_save) >= SAVE_EVERY {
            self.last_save = mono;
            self.save();
            self.publish();
        } else if self.shown != Some(state) {
            self.publish();
        }
        if self.shown != Some(state) {
            tracing::info!(%state, "state");
            self.shown = Some(state);
        }
    }

    /// Whether tracking is wanted and the person can be there.
    fn wanted(&self) -> bool {
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        self.person.allows(now, mono) && !self.absence.holds(mono)
    }

    /// Allows or forbids the source; returns whether tracking is wanted.
    fn obey(&mut self) -> bool {
        let wanted = self.wanted();
        let rests = self.sampling.rests() && !(self.deps.enrols)();
        self.deps.control.allow(wanted && self.camera_users.handover.is_none() && !rests);
        wanted
    }

    fn publish(&self) {
        if self.deps.events.receiver_count() > 0 {
            let _ = self.deps.events.send(Event::Status(Box::new(self.status())));
        }
    }

    pub fn news(&mut self, news: CaptureEvent) {
        match news {
            CaptureEvent::Opened => {
                self.note_setup();
                self.counting.minutes.gap();
                self.camera_users.opened();
                // A stream opens in the background, so an earlier trouble lasts until its first frame.
                if !matches!(self.counting.capture, Capture::Trouble(_)) {
                    self.counting.capture = Capture::Open;
                }
            }
            CaptureEvent::Closed => self.source_closed(Capture::Closed),
            CaptureEvent::Trouble(trouble) => self.source_closed(Capture::Trouble(trouble)),
            CaptureEvent::Seen(sightings, settled) => self.seen(&sightings, &settled),
        }
    }

    fn source_closed(&mut self, capture: Capture) {
        let followed = self.counting.source_closed(capture, self.deps.clock.mono());
        self.sampling.closed(followed);
    }

    fn seen(&mut self, sightings: &[Sighting], settled: &[Observation]) {
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        let owner = self.person.owner();
        // Frames that were on their way when consent was withdrawn are dropped.
        let behind = self.counting.minutes.clock_behind(now) || !self.person.consent.granted();
        let listened = self.deps.events.receiver_count() > 0;
        if !sightings.is_empty() {
            self.counting.capture = Capture::Open;
        }
        for sighting in sightings {
            self.counting.figures.sighting(sighting, mono);
            if sighting.sight.is_followed() {
                self.presence.followed(mono);
            }
            if !behind {
                self.counting.minutes.take(
                    Observation::Frame { at: sighting.at, face: sighting.sight != Sight::Nobody },
                    owner.as_ref(),
                );
            }
            if listened {
                let Sighting { at, sight, ear, baseline, hint } = *sighting;
                let point = LivePoint { at, ear, baseline, sight: Some(sight), hint };
                let _ = self.deps.events.send(Event::Live(point));
            }
            self.counting.settled_to = Some(sighting.at);
        }
        let mut told = Vec::new();
        let mut blinked = false;
        for seen in settled.iter().filter(|_| !behind) {
            let taken = self.counting.minutes.take(*seen, owner.as_ref());
            self.counting.figures.counted(taken, mono);
            if taken.refused > 0 {
                tracing::warn!("a blink came for a minute that is sealed or full");
            }
            match *seen {
                Observation::Blink { end, width, .. } if taken.blinks == 1 => {
                    blinked = true;
                    let duration_ms = (width.as_secs_f64() * 1e4).round() / 10.0;
                    told.push(Event::Blink { at: end, duration_ms });
                }
                Observation::Wink { end, eye } => told.push(Event::Wink { at: end, eye }),
                _ => {}
            }
        }
        if blinked {
            // A blink that was decided late is older than the last second, so it does not wait for the next save.
            // Subscribers are told after the save, when a crash can no longer lose it.
            self.save();
        }
        for event in told.into_iter().filter(|_| listened) {
            let _ = self.deps.events.send(event);
        }
    }

    /// Saves the open minutes before a stop. None is sealed early.
    pub fn finish(&mut self) {
        self.finished = true;
        self.save();
        self.records.close();
    }

    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.deps.clock.as_ref()
    }
}

#[cfg(test)]
mod tests;
