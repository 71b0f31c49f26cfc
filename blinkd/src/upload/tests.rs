//! Tests of the upload thread with a fake server and a clock that the tests move.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use blink_proto::{
    Minute, UserId,
    consent::TRACKING_VERSION,
    http::{
        ErrorDetail, HistoryItem, LoginRequest, RefreshRequest, RegisterRequest, Rejected, Role, SyncRequest,
        SyncResponse, TokenResponse, User,
    },
    status::{State, Status},
};
use rstest::rstest;

use super::*;
use crate::{
    keeper::Keeper,
    testing::{TempProfile, t},
};

mod asked;
mod failures;
mod interrupted;
mod keyring;

/// The fake server's data and behaviour.
#[derive(Default)]
struct FakeServerState {
    minutes: BTreeMap<(UserId, Timestamp), Minute>,
    /// Sizes of the batches that arrived.
    batches: Vec<usize>,
    /// Failures of the next calls of `sync`.
    sync_fails: VecDeque<NetError>,
    /// How many more answers are lost after the minutes were taken.
    answers_lost: usize,
    rejects: Option<Timestamp>,
    /// Whether it answers with counts that do not account for every minute.
    lies: bool,
    /// The time between uploads that it asks for.
    send_every_s: Option<u32>,
    /// The answer to every `sync`, whatever is sent.
    answer: Option<SyncResponse>,
    device_answers: VecDeque<Result<&'static str, NetError>>,
    device_asked: usize,
    /// The address and code of a device sign-in, if not the usual ones.
    device_shown: Option<(String, String)>,
    most: Option<usize>,
    away: bool,
    /// Whether a proxy before it refuses everything.
    proxied: bool,
    /// Why connecting fails before anything is sent.
    untried: Option<Problem>,
    access: String,
    refresh: String,
    refreshed: usize,
    sessions_dead: bool,
    erased: bool,
    consent: Option<ServerConsent>,
    put: Vec<(bool, String)>,
    health_asked: usize,
}

#[derive(Clone, Default)]
struct FakeServer(Arc<Mutex<FakeServerState>>);

fn status(status: u16, code: &str) -> NetError {
    let detail = ErrorDetail { code: code.into(), message: "no".into(), fields: None, request_id: "1".into() };
    NetError::Status { status, detail: Some(Box::new(detail)), retry_after: None }
}

impl FakeServer {
    fn state<T>(&self, f: impl FnOnce(&mut FakeServerState) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }

    fn reach(&self) -> Result<(), NetError> {
        self.state(|w| match (w.away, w.proxied) {
            (true, _) => Err(NetError::Unreachable("away".into())),
            (_, true) => Err(NetError::Status { status: 401, detail: None, retry_after: None }),
            _ => Ok(()),
        })
    }

    fn tokens(&self, email: &str) -> TokenResponse {
        self.state(|w| {
            w.refreshed += 1;
            w.access = format!("access{}", w.refreshed);
            w.refresh = format!("refresh{}", w.refreshed);
            let id = UserId(uuid::Uuid::from_u128(email.len() as u128));
            TokenResponse {
                user: User {
                    id,
                    email: email.into(),
                    name: None,
                    timezone: "UTC".into(),
                    role: Role::Member,
                    created_at: Timestamp::UNIX_EPOCH,
                },
                access_token: Secret::new(&w.access),
                refresh_token: Some(Secret::new(&w.refresh)),
                token_type: "Bearer".into(),
                expires_in: 900,
            }
        })
    }

    fn check(&self, access: &Secret) -> Result<(), NetError> {
        self.reach()?;
        let good = self.state(|w| !w.sessions_dead && w.access == access.expose());
        if good { Ok(()) } else { Err(status(401, "unauthorized")) }
    }
}

const PASSWORD: &str = "correct horse battery";

impl Server for FakeServer {
    fn health(&self) -> Result<Option<Timestamp>, NetError> {
        self.state(|w| w.health_asked += 1);
        self.reach().map(|()| None)
    }

    fn register(&self, request: &RegisterRequest) -> Result<TokenResponse, NetError> {
        self.reach()?;
        let consent = request.consent.as_ref().expect("consent is sent");
        assert!(consent.tracking && consent.version == TRACKING_VERSION);
        if request.email == "taken@example.org" {
            return Err(status(409, "email_taken"));
        }
        Ok(self.tokens(&request.email))
    }

    fn login(&self, request: &LoginRequest) -> Result<TokenResponse, NetError> {
        self.reach()?;
        if request.password.expose() != PASSWORD || self.state(|w| w.erased) {
            return Err(status(401, "invalid_credentials"));
        }
        Ok(self.tokens(&request.email))
    }

    fn refresh(&self, request: &RefreshRequest) -> Result<TokenResponse, NetError> {
        self.reach()?;
        let good = self.state(|w| !w.sessions_dead && w.refresh == request.refresh_token.expose());
        if good { Ok(self.tokens(EMAIL)) } else { Err(status(401, "unauthorized")) }
    }

    fn logout(&self, access: &Secret) -> Result<(), NetError> {
        self.check(access)
    }

    fn sync(&self, access: &Secret, request: &SyncRequest) -> Result<SyncResponse, NetError> {
        self.check(access)?;
        self.state(|w| {
            w.batches.push(request.buckets.len());
            if let Some(error) = w.sync_fails.pop_front() {
                return Err(error);
            }
            if w.most.is_some_and(|most| request.buckets.len() > most) {
                return Err(status(413, "too_large"));
            }
            if let Some(answer) = w.answer.clone() {
                return Ok(answer);
            }
            let mut response = SyncResponse { send_every_s: w.send_every_s, ..SyncResponse::default() };
            for (index, minute) in request.buckets.iter().enumerate() {
                assert_eq!(minute.device_id, request.device_id);
                if w.rejects == Some(minute.from_timestamp) {
                    let rejected = Rejected { index, code: "implausible".into(), detail: "no".into() };
                    response.rejected.push(rejected);
                } else if w.minutes.insert((minute.user_id.unwrap(), minute.from_timestamp), minute.clone()).is_none() {
                    response.accepted += 1;
                } else {
                    response.duplicates += 1;
                }
            }
            if w.lies {
                let twice = |index| Rejected { index, code: "invalid".into(), detail: "no".into() };
                return Ok(SyncResponse { accepted: 1, rejected: vec![twice(0), twice(0)], ..SyncResponse::default() });
            }
            if w.answers_lost > 0 {
                w.answers_lost -= 1;
                return Err(NetError::TimedOut);
            }
            Ok(response)
        })
    }

    fn consent(&self, access: &Secret) -> Result<Option<ServerConsent>, NetError> {
        self.check(access)?;
        Ok(self.state(|w| w.consent))
    }

    fn put_consent(&self, access: &Secret, granted: bool, version: &str) -> Result<(), NetError> {
        self.check(access)?;
        self.state(|w| {
            w.put.push((granted, version.to_owned()));
            w.consent = w.consent.map(|_| ServerConsent { granted, at: None });
        });
        Ok(())
    }

    fn minutes(&self, access: &Secret, of: &PageOf) -> Result<RemotePage, NetError> {
        self.check(access)?;
        let shown = |minute: &Minute| HistoryItem {
            from_timestamp: minute.from_timestamp,
            to_timestamp: minute.to_timestamp,
            blink_count: minute.blink_count.into(),
            observed_ms: minute.observed_ms.into(),
            blinks_per_minute: None,
            coverage: 1.0,
            quality: minute.quality,
        };
        let items = self.state(|w| w.minutes.values().map(shown).collect());
        Ok(RemotePage { items, next_cursor: of.cursor.clone() })
    }

    fn erase_account(&self, access: &Secret, password: Option<&Secret>) -> Result<serde_json::Value, NetError> {
        self.check(access)?;
        if password.is_some_and(|password| password.expose() != PASSWORD) {
            return Err(status(403, "wrong_password"));
        }
        self.state(|w| {
            (w.sessions_dead, w.erased) = (true, true);
            w.minutes.clear();
            if w.answers_lost > 0 { Err(NetError::TimedOut) } else { Ok(serde_json::json!({"removed": true})) }
        })
    }

    fn device_start(&self, name: &str) -> Result<DeviceStart, NetError> {
        self.reach()?;
        assert!(!name.is_empty());
        let usual = || ("https://blinks.example/device".to_owned(), "BCDF-GHJK".to_owned());
        let (uri, code) = self.state(|w| w.device_shown.clone()).unwrap_or_else(usual);
        let json = serde_json::json!({
            "device_code": "ours alone", "user_code": code, "verification_uri": uri,
            "expires_in": 600, "interval": 5,
        });
        Ok(serde_json::from_value(json).unwrap())
    }

    fn device_token(&self, code: &Secret) -> Result<DeviceAnswer, NetError> {
        self.reach()?;
        assert_eq!(code.expose(), "ours alone");
        self.state(|w| {
            w.device_asked += 1;
            w.device_answers.pop_front().unwrap_or(Ok("pending"))
        })
        .map(|word| match word {
            "granted" => DeviceAnswer::Granted(Box::new(self.tokens(EMAIL))),
            "slow_down" => DeviceAnswer::SlowDown,
            "denied" => DeviceAnswer::Denied,
            "expired" => DeviceAnswer::Expired,
            _ => DeviceAnswer::Pending,
        })
    }
}

const EMAIL: &str = "ada@example.org";

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
