//! Kills the daemon at random instants, while its server comes and goes: blinks counted a second before a kill are on
//! the server exactly once.
//!
//! The daemon tells a listener of each blink as it counts it; blinks older than a second at the kill are expected on
//! the server, minute by minute. The synthetic face blinks by a schedule of wall time, which gives the most blinks that
//! each minute can have.

use std::{
    collections::BTreeMap,
    fs, thread,
    time::{Duration, Instant},
};

use blink_proto::{MinuteStart, status::State};
use blink_vision::schedule::Schedule;
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use waw_tests::{Daemon, Listener, Profile, Program, Server, long_tier, until};

const EMAIL: &str = "ada@example.org";
const EPOCH: &str = "2026-01-01T00:00:00Z";
const BPM: f64 = 60.0;
/// The measured end of a blink may differ from the schedule's by some frames.
const SLACK: SignedDuration = SignedDuration::from_millis(300);

/// One person whose daemon and server are killed repeatedly.
struct Lane {
    seed: u64,
    rounds: u32,
    random: StdRng,
    profile: Profile,
    operator: Profile,
    expected: BTreeMap<MinuteStart, u64>,
    announced: u64,
    resumed: Vec<Duration>,
    server_kills: u32,
}

#[derive(Debug, Default)]
struct Tally {
    rounds: u32,
    server_kills: u32,
    announced: u64,
    expected: u64,
    found: u64,
    lost: u64,
    doubled: u64,
    resumed: Vec<Duration>,
}

impl Lane {
    fn new(seed: u64, rounds: u32) -> Self {
        Self {
            seed,
            rounds,
            random: StdRng::seed_from_u64(seed),
            profile: Profile::new(),
            operator: Profile::new(),
            expected: BTreeMap::new(),
            announced: 0,
            resumed: Vec::new(),
            server_kills: 0,
        }
    }

    fn source(&self) -> String {
        format!("synthetic:bpm={BPM},seed={},epoch={EPOCH}", self.seed)
    }

    fn run(mut self) -> Tally {
        let server = Server::start(&self.operator);
        let address = server.address();
        let mut first = Daemon::start(&self.profile, &self.source());
        let user_id = self.profile.register(&server, EMAIL);
        first.program().kill();
        let mut server = Some(server);
        for _ in 0..self.rounds {
            self.round(&mut server, &address);
        }
        let server = server.unwrap_or_else(|| Server::listening(&self.operator, &address));
        self.settle();
        self.compare(&server, &user_id)
    }

    /// Starts the daemon, stops or starts the server at a random instant, and kills the daemon at another.
    fn round(&mut self, server: &mut Option<Server>, address: &str) {
        let listener = Listener::start(&self.profile);
        let started = Instant::now();
        let mut command = self.profile.command("blinkd");
        command.args(["run", "--headless", "--source", &self.source()]);
        let mut daemon = Program::start(&mut command, self.profile.path());
        // One in four is killed while it starts.
        let life = if self.random.random_bool(0.25) { 0.0..1.0 } else { 1.0..10.0 };
        let life = Duration::from_secs_f64(self.random.random_range(life));
        let toggle = self.random.random_bool(0.4).then(|| life.mul_f64(self.random.random_range(0.0..1.0)));
        if let Some(at) = toggle {
            thread::sleep(at);
            *server = match server.take() {
                Some(mut running) => {
                    self.server_kills += 1;
                    running.program().kill();
                    None
                }
                None => Some(Server::listening(&self.operator, address)),
            };
        }
        thread::sleep(life.saturating_sub(started.elapsed()));
        let ended = daemon.ended();
        assert!(ended.is_none(), "the daemon ended by itself with {ended:?}:\n{}", daemon.stderr());
        let killed = Timestamp::now();
        daemon.kill();
        self.note(listener, started, killed - SignedDuration::from_secs(1));
    }

    /// Records the announced blinks, and expects those before `kept_until` on the server.
    fn note(&mut self, listener: Listener, started: Instant, kept_until: Timestamp) {
        let heard = listener.finish();
        let tracking = |event: &Value| event["type"] == "status" && event["state"] == "tracking";
        self.resumed.extend(heard.iter().find(|(_, event)| tracking(event)).map(|(at, _)| at.duration_since(started)));
        for at in blinks(&heard) {
            self.announced += 1;
            if at < kept_until {
                *self.expected.entry(MinuteStart::containing(at)).or_default() += 1;
            }
        }
    }

    /// Runs the daemon once more until every minute of the rounds is sealed and on the server.
    fn settle(&mut self) {
        let listener = Listener::start(&self.profile);
        let started = Instant::now();
        let mut daemon = Daemon::start(&self.profile, &self.source());
        self.profile.status_when("tracking", Duration::from_secs(30), |status| status.state == State::Tracking);
        self.profile.ctl(&["pause"]).success();
        let last = self.expected.keys().copied().chain(blinks(&listener.heard()).map(MinuteStart::containing)).max();
        let last = format!("\"from_timestamp\":\"{}\"", last.expect("the face blinked").start());
        until("the last minute to be sealed", Duration::from_secs(80), || {
            let days = fs::read_dir(self.profile.paths().history()).ok()?;
            days.flatten()
                .any(|day| fs::read_to_string(day.path()).is_ok_and(|text| text.contains(&last)))
                .then_some(())
        });
        until("everything to be sent", Duration::from_secs(30), || {
            (self.profile.ctl(&["sync"]).code == Some(0) && self.profile.status().queue.pending == 0).then_some(())
        });
        let status = self.profile.status();
        assert_eq!((status.queue.set_aside, status.state), (0, State::Paused), "{status:?}");
        assert!(daemon.program().stop().success());
        // This daemon is not killed, so all blinks announced until the pause are expected.
        self.note(listener, started, Timestamp::MAX);
    }

    fn compare(self, server: &Server, user_id: &str) -> Tally {
        let found = server.minutes_of(user_id, EMAIL);
        let schedule = Schedule::new(BPM, self.seed);
        let epoch: Timestamp = EPOCH.parse().unwrap();
        let seconds = |t: Timestamp| t.duration_since(epoch).as_secs_f64();
        let mut tally = Tally {
            rounds: self.rounds,
            server_kills: self.server_kills,
            announced: self.announced,
            expected: self.expected.values().sum(),
            found: found.values().sum(),
            resumed: self.resumed,
            ..Tally::default()
        };
        for (minute, expected) in &self.expected {
            tally.lost += expected.saturating_sub(found.get(minute).copied().unwrap_or(0));
        }
        for (minute, found) in &found {
            let (from, to) = (minute.start() - SLACK, minute.end() + SLACK);
            // A blink belongs to the minute of its end, whenever it began.
            let whole = schedule.within(seconds(from) - 1.0, seconds(to));
            let most = whole.iter().filter(|blink| blink.end_s >= seconds(from)).count() as u64;
            tally.doubled += found.saturating_sub(most);
        }
        tally
    }
}

/// The end times of the blinks among the events.
fn blinks(heard: &[(Instant, Value)]) -> impl Iterator<Item = Timestamp> {
    let blinks = heard.iter().filter(|(_, event)| event["type"] == "blink");
    blinks.map(|(_, event)| event["at"].as_str().unwrap().parse().unwrap())
}

#[test]
fn what_was_counted_a_second_before_a_kill_arrives_once() {
    let (lanes, rounds) = if long_tier() { (4, 50) } else { (1, 6) };
    let lanes: Vec<_> = (1..=lanes).map(|seed| thread::spawn(move || Lane::new(seed, rounds).run())).collect();
    let mut all = Tally::default();
    for lane in lanes {
        let one = lane.join().unwrap();
        all.rounds += one.rounds;
        all.server_kills += one.server_kills;
        all.announced += one.announced;
        all.expected += one.expected;
        all.found += one.found;
        all.lost += one.lost;
        all.doubled += one.doubled;
        all.resumed.extend(one.resumed);
    }
    all.resumed.sort();
    let (median, worst) = (all.resumed[all.resumed.len() / 2], all.resumed[all.resumed.len() - 1]);
    eprintln!(
        "{} kills of the daemon, {} of the server: expected {}, found {} ({} announced), lost {}, doubled {}; \
         tracking {:.2} s after a start in the median, {:.2} s at worst",
        all.rounds,
        all.server_kills,
        all.expected,
        all.found,
        all.announced,
        all.lost,
        all.doubled,
        median.as_secs_f64(),
        worst.as_secs_f64(),
    );
    assert!(all.expected > u64::from(all.rounds), "the face blinked and was seen to");
    assert_eq!((all.lost, all.doubled), (0, 0));
}
