//! A server in memory, which fails as it is told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use blink_proto::{
    Minute, UserId,
    consent::TRACKING_VERSION,
    http::{
        DeviceMinutes, ErrorDetail, HistoryItem, LoginRequest, MinutesByDevice, OwnMinutes, RefreshRequest,
        RegisterRequest, Rejected, Role, SyncRequest, SyncResponse, TokenResponse, User,
    },
};

use super::*;

/// The fake server's data and behaviour.
#[derive(Default)]
pub(super) struct FakeServerState {
    pub(super) minutes: BTreeMap<(UserId, Timestamp), Minute>,
    /// Sizes of the batches that arrived.
    pub(super) batches: Vec<usize>,
    /// Their bodies.
    pub(super) bodies: Vec<String>,
    /// Failures of the next calls of `sync`.
    pub(super) sync_fails: VecDeque<NetError>,
    /// How many more answers are lost after the minutes were taken.
    pub(super) answers_lost: usize,
    pub(super) rejects: Option<Timestamp>,
    /// Whether it answers with counts that do not account for every minute.
    pub(super) lies: bool,
    /// The time between uploads that it asks for.
    pub(super) send_every_s: Option<u32>,
    /// The answer to every `sync`, whatever is sent.
    pub(super) answer: Option<SyncResponse>,
    pub(super) device_answers: VecDeque<Result<&'static str, NetError>>,
    pub(super) device_asked: usize,
    /// The address and code of a device sign-in, if not the usual ones.
    pub(super) device_shown: Option<(String, String)>,
    pub(super) most: Option<usize>,
    pub(super) away: bool,
    /// Whether a proxy before it refuses everything.
    pub(super) proxied: bool,
    /// Why connecting fails before anything is sent.
    pub(super) untried: Option<Problem>,
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) refreshed: usize,
    pub(super) sessions_dead: bool,
    pub(super) erased: bool,
    pub(super) consent: Option<ServerConsent>,
    pub(super) put: Vec<(bool, String)>,
    pub(super) health_asked: usize,
    /// Minutes of other machines, with the time at which each was received.
    pub(super) elsewhere: Vec<(Timestamp, Minute)>,
    pub(super) as_of: Timestamp,
    /// Pages of them that were asked for.
    pub(super) pages: usize,
    /// Whether it is a server from before they could be asked for.
    pub(super) lacks_minutes: bool,
}

#[derive(Clone, Default)]
pub(super) struct FakeServer(Arc<Mutex<FakeServerState>>);

pub(super) fn status(status: u16, code: &str) -> NetError {
    let detail = ErrorDetail { code: code.into(), message: "no".into(), fields: None, request_id: "1".into() };
    NetError::Status { status, detail: Some(Box::new(detail)), retry_after: None }
}

impl FakeServer {
    pub(super) fn state<T>(&self, f: impl FnOnce(&mut FakeServerState) -> T) -> T {
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

    fn elsewhere(&self, access: &Secret, of: &MinutesOf) -> Result<Vec<Minute>, NetError> {
        self.check(access)?;
        self.state(|w| {
            if w.lacks_minutes {
                return Err(status(404, "not_found"));
            }
            let asked = |(received, minute): &&(Timestamp, Minute)| {
                minute.from_timestamp >= of.from
                    && minute.device_id != of.not_device
                    && of.received_from.is_none_or(|from| *received >= from)
            };
            let mut found: Vec<_> = w.elsewhere.iter().filter(asked).map(|(_, minute)| minute.clone()).collect();
            found.sort_by_key(|minute| (minute.from_timestamp, minute.device_id));
            Ok(found)
        })
    }

    fn check(&self, access: &Secret) -> Result<(), NetError> {
        self.reach()?;
        let good = self.state(|w| !w.sessions_dead && w.access == access.expose());
        if good { Ok(()) } else { Err(status(401, "unauthorized")) }
    }
}

pub(super) const PASSWORD: &str = "correct horse battery";

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
            w.bodies.push(serde_json::to_string(request).unwrap());
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

    fn own_minutes(&self, access: &Secret, of: &MinutesOf) -> Result<OwnMinutes, NetError> {
        let found = self.elsewhere(access, of)?;
        let begin = of.cursor.as_ref().map_or(0, |cursor| cursor.parse().unwrap());
        let end = found.len().min(begin + 8);
        let next_cursor = (end < found.len()).then(|| end.to_string());
        self.state(|w| {
            w.pages += 1;
            Ok(OwnMinutes { items: found[begin..end].to_vec(), next_cursor, as_of: w.as_of })
        })
    }

    fn minutes_by_device(&self, access: &Secret, of: &MinutesOf) -> Result<MinutesByDevice, NetError> {
        let mut items = BTreeMap::new();
        for minute in self.elsewhere(access, of)? {
            *items.entry(minute.device_id).or_default() += 1;
        }
        let item = |(device_id, minutes)| DeviceMinutes { device_id, minutes };
        Ok(MinutesByDevice { items: items.into_iter().map(item).collect() })
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

pub(super) const EMAIL: &str = "ada@example.org";
