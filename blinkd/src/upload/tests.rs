//! Tests of the upload thread with a fake server and a clock that the tests move.

use std::{collections::BTreeMap, sync::Mutex};

use blink_proto::{
    Secret,
    consent::TRACKING_VERSION,
    http::{ErrorDetail, SyncResponse},
    ipc::{DeviceCode, RemotePage, SignedIn, SyncDone},
    status::{State, Status},
};
use rstest::rstest;
use tokio::sync::oneshot;

use super::*;
use crate::{
    keeper::Keeper,
    testing::{TempProfile, t},
};

mod asked;
mod failures;
mod fake_server;
mod interrupted;
mod keyring;
mod pulled;

use fake_server::{EMAIL, FakeServer, PASSWORD, status};

struct Stage {
    place: TempProfile,
    keeper: KeeperHandle,
    server: FakeServer,
    uploader: Uploader,
}

impl Stage {
    /// Has three sealed minutes that belong to nobody.
    fn new() -> Self {
        Self::with_minutes(3)
    }

    fn with_minutes(minutes: u64) -> Self {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        place.watch(&mut keeper, 60 * minutes, 10);
        place.idle(&mut keeper, 2);
        let (keeper, _) = keeper.start(|| {}).unwrap();
        let server = FakeServer::default();
        let uploader = Self::uploader(&place, &keeper, &server);
        Self { place, keeper, server, uploader }
    }

    fn signed_in() -> Self {
        let mut stage = Self::new();
        stage.open(None).unwrap();
        stage
    }

    fn uploader(place: &TempProfile, keeper: &KeeperHandle, server: &FakeServer) -> Uploader {
        Self::uploader_of(Vault::with(&place.paths(), None, Duration::ZERO), place, keeper, server)
    }

    fn uploader_of(vault: Vault, place: &TempProfile, keeper: &KeeperHandle, server: &FakeServer) -> Uploader {
        let server = server.clone();
        Uploader::begin(UploadDeps {
            keeper: keeper.clone(),
            clock: Arc::new(place.clock.clone()),
            connect: Box::new(move |_| match server.state(|w| w.untried.clone()) {
                Some(problem) => Err(problem),
                None => Ok(Box::new(server.clone())),
            }),
            vault,
            server: "https://blinks.example".into(),
            insecure: false,
        })
        .unwrap()
    }

    fn open(&mut self, register: Option<&str>) -> Result<SignedIn, Problem> {
        self.open_as(EMAIL, PASSWORD, register)
    }

    fn open_as(&mut self, email: &str, password: &str, register: Option<&str>) -> Result<SignedIn, Problem> {
        let register = register.map(str::to_owned);
        let (email, password) = (email.to_owned(), Secret::new(password));
        outcome(self.uploader.open(Credentials { server: None, email, password, adopt: true, register }))
    }

    /// Advances the clock second by second for `seconds`, taking each due step.
    fn live(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.place.clock.advance(Duration::from_secs(1));
            self.keep(Keeper::tick);
            self.uploader.step().unwrap();
            self.uploader.report().unwrap();
        }
    }

    fn keep<T: Send + 'static>(&self, f: impl FnOnce(&mut Keeper) -> T + Send + 'static) -> T {
        self.keeper.call(f).unwrap()
    }

    fn status(&self) -> Status {
        self.uploader.report().unwrap();
        self.keep(|keeper| keeper.status())
    }

    fn on_server(&self) -> (usize, u32) {
        self.server.state(|w| (w.minutes.len(), w.minutes.values().map(|minute| minute.blink_count).sum()))
    }
}

/// The outcome as the client sees it.
fn outcome<T>(outcome: Result<T, error::UploadError>) -> Result<T, Problem> {
    split(outcome).unwrap()
}

#[test]
fn an_account_opens_adopts_and_uploads() {
    let mut stage = Stage::new();
    stage.live(30);
    assert_eq!(stage.on_server(), (0, 0), "before any account nothing is sent");
    let signed_in = stage.open(Some(TRACKING_VERSION)).unwrap();
    assert_eq!((signed_in.adopted, signed_in.email.as_str()), (3, EMAIL));
    stage.live(1);
    assert_eq!(stage.on_server(), (3, 18));
    let queue = stage.status().queue;
    assert_eq!((queue.pending, queue.last_error, queue.next_retry), (0, None, None));
    assert!(queue.last_success.is_some());
}

#[test]
fn whether_the_person_is_at_the_screen_leaves_the_machine_in_nothing() {
    let mut stage = Stage::signed_in();
    stage.live(1);
    let bodies = stage.server.state(|w| w.bodies.clone());
    let sent: serde_json::Value = serde_json::from_str(&bodies[0]).unwrap();
    let minute = sent["buckets"][0].as_object().unwrap();
    assert!(minute.contains_key("observed_ms") && !bodies.concat().contains("screen"), "{bodies:?}");
    let days = std::fs::read_dir(stage.place.paths().history()).unwrap();
    let kept: String = days.map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap()).collect();
    assert!(kept.contains("observed_ms") && !kept.contains("screen"), "nor does the history hold it");
}

#[test]
fn the_server_says_how_much_time_to_leave_between_uploads() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.send_every_s = Some(300));
    stage.live(1);
    assert_eq!(stage.on_server().0, 3);
    let now = stage.place.clock.mono();
    stage.uploader.schedule.queued(now, 0.5);
    assert_eq!(stage.uploader.schedule.next_try(), Some(now + Duration::from_secs(300)));
}

#[rstest]
#[case(EMAIL, "wrong", None, "invalid_credentials")]
#[case("taken@example.org", PASSWORD, Some(TRACKING_VERSION), "email_taken")]
fn what_the_server_refuses_is_told(
    #[case] email: &str,
    #[case] password: &str,
    #[case] register: Option<&str>,
    #[case] code: &str,
) {
    let mut stage = Stage::new();
    assert_eq!(stage.open_as(email, password, register).unwrap_err().code, code);
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "not_signed_in");
    assert!(!stage.place.paths().data.join("tokens.json").exists());
}

#[test]
fn plain_http_beyond_this_machine_is_refused() {
    let mut stage = Stage::new();
    let credentials = Credentials {
        server: Some("http://blinks.example".into()),
        email: EMAIL.into(),
        password: Secret::new(PASSWORD),
        adopt: true,
        register: None,
    };
    assert_eq!(outcome(stage.uploader.open(credentials)).unwrap_err().code, "insecure_server");
}

#[test]
fn a_rejected_minute_is_set_aside_with_its_reason_and_the_rest_goes_on() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.rejects = Some(t("10:01:00")));
    assert_eq!(outcome(stage.uploader.sync()), Ok(SyncDone { uploaded: 2, set_aside: 1, held: 0 }));
    let queue = stage.status().queue;
    assert_eq!((queue.pending, queue.set_aside), (0, 1));
}
