//! Shared test fixtures: a keeper on a folder of its own, and scripted observations.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use blink_profile::Paths;
use blink_proto::{UserId, consent::TRACKING_VERSION, ipc::Sight};
use jiff::{Timestamp, tz::TimeZone};
use tempfile::TempDir;
use tokio::sync::broadcast;

use crate::{
    capture::{CaptureControl, CaptureEvent, Sighting},
    clock::{Clock as _, FakeClock, Zone},
    cost::Meter,
    keeper::{CapturePolicy, Keeper, KeeperDeps},
    minutes::Observation,
    profile::SignedInAccount,
};

/// A profile in a folder of its own, with the clock it uses.
pub(crate) struct TempProfile {
    pub(crate) folder: TempDir,
    pub(crate) clock: FakeClock,
    pub(crate) control: Arc<CaptureControl>,
    pub(crate) machine: Option<String>,
    pub(crate) sealed: Arc<AtomicUsize>,
    pub(crate) policy: CapturePolicy,
    pub(crate) zone: Arc<Mutex<TimeZone>>,
    /// CPU time that the fake meter reports, in milliseconds.
    pub(crate) cpu_ms: Arc<AtomicU64>,
    pub(crate) enrols: Arc<AtomicBool>,
}

impl TempProfile {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: FakeClock::starting_at("2026-03-01T10:00:00Z".parse().unwrap()),
            control: Arc::default(),
            machine: Some("this machine".to_owned()),
            sealed: Arc::default(),
            policy: CapturePolicy::default(),
            zone: Arc::new(Mutex::new(TimeZone::UTC)),
            cpu_ms: Arc::default(),
            enrols: Arc::default(),
        }
    }

    pub(crate) fn with(self, policy: CapturePolicy) -> Self {
        Self { policy, ..self }
    }

    /// The folder of fake power supplies.
    pub(crate) fn supplies(&self) -> std::path::PathBuf {
        self.folder.path().join("sys/power_supply")
    }

    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn paths(&self) -> Paths {
        Paths::under(self.folder.path())
    }

    /// A keeper of the profile, as after a start.
    pub(crate) fn keeper(&self) -> Keeper {
        let sealed = Arc::clone(&self.sealed);
        Keeper::begin(KeeperDeps {
            paths: self.paths(),
            clock: Arc::new(self.clock.clone()),
            tz: {
                let zone = Arc::clone(&self.zone);
                Zone::from_fn(move || zone.lock().unwrap().clone())
            },
            machine: self.machine.clone(),
            source: "synthetic".to_owned(),
            retention_days: 90,
            policy: self.policy.clone(),
            meter: {
                let cpu_ms = Arc::clone(&self.cpu_ms);
                let cpu = move || Duration::from_millis(cpu_ms.load(Ordering::SeqCst));
                Meter::from_sources(Box::new(cpu), self.folder.path().join("sys"))
            },
            control: Arc::clone(&self.control),
            events: broadcast::channel(64).0,
            enrols: {
                let enrols = Arc::clone(&self.enrols);
                Box::new(move || enrols.load(Ordering::SeqCst))
            },
            on_sealed: Box::new(move || {
                sealed.fetch_add(1, Ordering::SeqCst);
            }),
        })
        .unwrap()
    }

    /// A keeper of the profile, with consent given.
    pub(crate) fn consenting(&self) -> Keeper {
        let mut keeper = self.keeper();
        keeper.grant(TRACKING_VERSION).unwrap();
        keeper
    }

    /// Observes a face for `seconds`; it blinks at the end of every `blink_every`th second.
    pub(crate) fn watch(&self, keeper: &mut Keeper, seconds: u64, blink_every: u64) {
        keeper.news(CaptureEvent::Opened);
        for second in 1..=seconds {
            let from = self.clock.now();
            self.clock.advance(Duration::from_secs(1));
            let at = self.clock.now();
            // A frame exactly on the boundary would begin another minute.
            let end = at.checked_sub(Duration::from_millis(1)).unwrap();
            let sighting =
                Sighting { at: end, sight: Sight::Measurable, ear: Some(0.3), baseline: Some(0.3), hint: None };
            let mut settled = vec![Observation::Observed { from, to: at, closed: Duration::ZERO }];
            if second % blink_every == 0 {
                settled.push(Observation::Blink { end, width: Duration::from_millis(180), complete: true });
            }
            keeper.news(CaptureEvent::Seen(vec![sighting], settled));
            keeper.tick();
        }
        keeper.news(CaptureEvent::Closed);
    }

    /// Passes `seconds` without any frames.
    pub(crate) fn idle(&self, keeper: &mut Keeper, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            keeper.tick();
        }
    }
}

pub(crate) fn account(n: u128) -> SignedInAccount {
    SignedInAccount {
        server: "https://blinks.example".to_owned(),
        user_id: UserId(uuid::Uuid::from_u128(n)),
        email: format!("person{n}@example.org"),
        session_ended: false,
    }
}

pub(crate) fn t(time: &str) -> Timestamp {
    format!("2026-03-01T{time}Z").parse().unwrap()
}
