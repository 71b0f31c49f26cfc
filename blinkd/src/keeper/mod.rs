//! The keeper: one thread that owns minutes, store, consent, pause and account, and says what the state is.
//!
//! - [`Keeper`]: the data and its rules; every method is called by its own thread, or by a test
//! - [`KeeperHandle`]: how the other threads speak to it
//! - `person`: consent, pause, account
//! - `manners`, `absence`, `handover`, `sampling`: what it may cost, lock and sleep, yield, and the battery's windows
//! - `time`: clocks that are set, time zones that change
//! - `restore`, `saving`: going on where the last process stopped, sealing, and what to do when the disk fails
//! - `queue`: what the upload thread takes and gives back
//!
//! It decides by the clock it is given, so that a test lives a day in a moment.

mod absence;
mod erase;
mod figures;
mod handle;
mod handover;
mod import;
mod manners;
mod person;
mod queue;
mod restore;
mod sampling;
mod saving;
mod state;
mod time;

use std::{
    collections::BTreeSet,
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
use jiff::civil::Date;
use tokio::sync::broadcast;

pub use absence::LockedBy;
pub use handle::{Gone, KeeperHandle};
pub use manners::Manners;
pub use person::not_signed_in;
pub use queue::Batch;

use crate::{
    capture::{Gate, News, Sighting, Trouble},
    clock::{Clock, Zone},
    cost::{Governor, Meter},
    minutes::{Book, Seen},
    profile::{AccountFile, Consent, Device, Pause, files::FileError},
    store::{History, Store},
};

use figures::Figures;

/// How often the keeper looks at the clock when nothing happens.
const TICK: Duration = Duration::from_millis(250);
/// The open minute is saved, and subscribers hear the state, this often.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// A store or disk that failed is tried again this often.
const MEND_EVERY: Duration = Duration::from_secs(5);

/// What a keeper needs to begin.
pub struct Setup {
    /// The profile.
    pub paths: Paths,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The person's time zone, for "today".
    pub tz: Zone,
    /// This machine's fingerprint.
    pub machine: Option<String>,
    /// The source, as `status` shows it.
    pub source: String,
    /// Day files older than this are removed.
    pub retention_days: u32,
    /// Its manners.
    pub manners: Manners,
    /// Measures what it costs.
    pub meter: Meter,
    /// The capture thread's gate.
    pub gate: Arc<Gate>,
    /// Where subscribers listen.
    pub events: broadcast::Sender<Event>,
    /// Whether an enrolment is under way: the battery's windows leave it no time to rest.
    pub enrols: Box<dyn Fn() -> bool + Send>,
    /// Called when a minute joins the queue.
    pub on_sealed: Box<dyn Fn() + Send>,
}

/// Why a keeper cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// A small file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The history folder.
    #[error("the history folder cannot be used: {0}")]
    History(#[source] io::Error),
    /// A later version wrote the store.
    #[error("{0}")]
    Newer(Problem),
}

/// What the capture thread last said.
#[derive(Clone, Debug)]
enum Capture {
    Closed,
    Open,
    Trouble(Trouble),
}

/// The daemon's data and rules.
pub struct Keeper {
    setup: Setup,
    device: Device,
    consent: Consent,
    pause: Pause,
    account: AccountFile,
    history: History,
    store: Option<Store>,
    /// Whether what the last process left open was taken up.
    restored: bool,
    book: Book,
    figures: Figures,
    governor: Governor,
    absence: absence::Absence,
    sharing: handover::Sharing,
    sampling: sampling::Sampling,
    capture: Capture,
    /// How far the open source has decided.
    settled_to: Option<jiff::Timestamp>,
    known_days: BTreeSet<Date>,
    /// What the upload thread last said; the counts in it are not used.
    upload: Queue,
    store_problem: Option<Problem>,
    /// Something that happened and needs no more than being said.
    notice: Option<Problem>,
    clocks: time::Clocks,
    last_tick: Duration,
    last_save: Duration,
    mend_at: Duration,
    pruned: Option<Date>,
    shown: Option<State>,
    finished: bool,
}

impl Keeper {
    /// Reads the profile. A store that cannot be opened does not stop it: it is tried again.
    ///
    /// # Errors
    ///
    /// The profile's folder cannot be used.
    pub fn begin(setup: Setup) -> Result<Self, KeeperError> {
        let (now, mono) = (setup.clock.now(), setup.clock.mono());
        let device = Device::open(&setup.paths, setup.machine.as_deref())?;
        let history = History::open(&setup.paths.history()).map_err(KeeperError::History)?;
        let account = person::read_account(&setup.paths)?;
        let mut keeper = Self {
            consent: Consent::open(&setup.paths.consent_file()),
            pause: Pause::open(&setup.paths, now, mono),
            account,
            history,
            store: None,
            restored: false,
            book: Book::new(device.id, []),
            figures: Figures::new(setup.tz.now(), now),
            governor: Governor::default(),
            absence: absence::Absence::default(),
            sharing: handover::Sharing::of(setup.manners.device.clone()),
            sampling: sampling::Sampling::default(),
            capture: Capture::Closed,
            settled_to: None,
            known_days: BTreeSet::new(),
            upload: Queue::default(),
            store_problem: None,
            notice: None,
            clocks: time::Clocks::at(now, mono),
            last_tick: mono,
            last_save: mono,
            mend_at: mono,
            pruned: None,
            shown: None,
            finished: false,
            device,
            setup,
        };
        keeper.open_store();
        if let Some(newer) = keeper.store_problem.take_if(|problem| problem.is(code::STORE_NEWER)) {
            return Err(KeeperError::Newer(newer));
        }
        keeper.restore(now, mono);
        keeper.tick();
        Ok(keeper)
    }

    /// Starts the keeper's thread. It ends when it has [finished](Keeper::finish) or every handle is gone, and then
    /// calls `at_end`, even where it panics.
    ///
    /// # Errors
    ///
    /// The system lets no thread start.
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
            match inbox.recv_timeout(due.saturating_sub(self.setup.clock.mono()).min(TICK)) {
                Ok(job) => job(self),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => self.finish(),
            }
            if self.finished {
                return;
            }
            if self.setup.clock.mono() >= due {
                self.tick();
            }
        }
    }

    /// Looks at the clock: seals, saves, opens and closes the gate, tells the state.
    pub fn tick(&mut self) {
        let (now, mono) = (self.setup.clock.now(), self.setup.clock.mono());
        let passed = mono.saturating_sub(self.last_tick).min(Duration::from_secs(2));
        self.last_tick = mono;
        self.watch_time(now, mono);
        if self.consent.refresh() {
            tracing::info!(granted = self.consent.granted(), "the consent file changed");
        }
        self.pause.expire(now, mono);
        self.setup.meter.refresh(mono);
        self.share(mono);
        self.sampling.turn(mono, self.setup.manners.profile.samples(self.setup.meter.on_battery()));
        if self.obey() {
            self.figures.unpaused += passed;
        }
        self.set_pace(mono);
        self.turn_day(now);
        if self.store.is_none() && mono >= self.mend_at {
            self.open_store();
        }
        self.seal(now, mono);
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

    /// Whether the person wants to be seen and can be.
    fn wanted(&self) -> bool {
        let (now, mono) = (self.setup.clock.now(), self.setup.clock.mono());
        self.consent.granted() && !self.pause.holds(now, mono) && !self.absence.holds(mono)
    }

    /// Opens the gate or closes it; returns whether the person wants to be seen.
    fn obey(&mut self) -> bool {
        let wanted = self.wanted();
        let rests = self.sampling.rests() && !(self.setup.enrols)();
        self.setup.gate.set(wanted && self.sharing.handover.is_none() && !rests);
        wanted
    }

    fn publish(&self) {
        if self.setup.events.receiver_count() > 0 {
            let _ = self.setup.events.send(Event::Status(Box::new(self.status())));
        }
    }

    /// Takes what the capture thread says.
    pub fn news(&mut self, news: News) {
        match news {
            News::Opened => {
                self.book.gap();
                self.sharing.opened();
                // A stream is opened in the background: until it gives a frame the trouble with it is not over.
                if !matches!(self.capture, Capture::Trouble(_)) {
                    self.capture = Capture::Open;
                }
            }
            News::Closed => self.source_closed(Capture::Closed),
            News::Trouble(trouble) => self.source_closed(Capture::Trouble(trouble)),
            News::Seen(sightings, settled) => self.seen(&sightings, &settled),
        }
    }

    fn source_closed(&mut self, capture: Capture) {
        self.sampling.closed(self.figures.followed(self.setup.clock.mono()));
        self.capture = capture;
        self.settled_to = None;
        self.figures.closed();
    }

    fn seen(&mut self, sightings: &[Sighting], settled: &[Seen]) {
        let (now, mono) = (self.setup.clock.now(), self.setup.clock.mono());
        let owner = self.account.current.as_ref().map(crate::profile::SignedInAccount::owner);
        // Frames already on their way when consent was withdrawn are let go.
        let behind = self.book.clock_behind(now) || !self.consent.granted();
        let listened = self.setup.events.receiver_count() > 0;
        if !sightings.is_empty() {
            self.capture = Capture::Open;
        }
        for sighting in sightings {
            self.figures.sighting(sighting, mono);
            if !behind {
                self.book.take(Seen::Frame { at: sighting.at, face: sighting.sight != Sight::Nobody }, owner.as_ref());
            }
            if listened {
                let Sighting { at, sight, ear, baseline } = *sighting;
                let _ = self.setup.events.send(Event::Live(LivePoint { at, ear, baseline, sight: Some(sight) }));
            }
            self.settled_to = Some(sighting.at);
        }
        let mut blinks = Vec::new();
        for seen in settled.iter().filter(|_| !behind) {
            let taken = self.book.take(*seen, owner.as_ref());
            self.figures.counted(taken, mono);
            if taken.refused > 0 {
                tracing::warn!("a blink came for a minute that is sealed");
            }
            if let (Seen::Blink { end, width, .. }, 1) = (seen, taken.blinks) {
                let duration_ms = (width.as_secs_f64() * 1e4).round() / 10.0;
                blinks.push(Event::Blink { at: *end, duration_ms });
            }
        }
        if !blinks.is_empty() {
            // A blink that was decided late is older than the last second: it does not wait for the next save, and it
            // is told when nothing can take it back any more.
            self.save();
        }
        for blink in blinks.into_iter().filter(|_| listened) {
            let _ = self.setup.events.send(blink);
        }
    }

    /// Saves what is open, for a stop. Nothing is sealed early.
    pub fn finish(&mut self) {
        self.finished = true;
        self.save();
        crate::store::database::drop_quietly(self.store.take());
    }

    /// The machine's clocks, as the keeper sees them.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.setup.clock.as_ref()
    }
}

#[cfg(test)]
mod tests;
