//! A new machine brings the history back: whatever is killed meanwhile, each minute of the other machines is there once.
//! `WAW_TEST_LONG=1` uses the number that documents quote.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use blink_profile::{day_files, pulled::readable};
use blink_proto::{DeviceId, Minute, MinuteId, MinuteStart, example};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use waw_tests::{Daemon, Profile, Server, long_tier, profile::PASSWORD};

const EMAIL: &str = "ada@example.org";
/// Minutes of each of three other machines: a pull of five pages.
const EACH: i64 = 1_500;

type Key = (Timestamp, DeviceId);

fn key(minute: &Minute) -> Key {
    (minute.from_timestamp, minute.device_id)
}

/// Uploads the minutes of three machines, which overlap; returns what was uploaded.
fn uploaded(server: &Server) -> BTreeSet<Key> {
    let token = server.make_account(EMAIL);
    let newest = MinuteStart::containing(Timestamp::now() - SignedDuration::from_hours(1)).number();
    let mut all = BTreeSet::new();
    for machine in 0..3 {
        let device_id = DeviceId::new();
        let first = newest - EACH - machine * 700;
        let minutes: Vec<_> =
            (first..first + EACH).map(|n| Minute { id: MinuteId::new(), device_id, ..example::minute(n) }).collect();
        all.extend(minutes.iter().map(key));
        server.upload(&token, device_id, &minutes);
    }
    all
}

fn pull(profile: &Profile) -> Command {
    let mut command = profile.command("blinkctl");
    command.args(["sync", "--pull", "--json"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What the day files hold: lines, and the minutes in them. A line that cannot be read would be one too many.
fn on_disk(profile: &Profile) -> (usize, BTreeSet<Key>) {
    let folder = readable(&profile.paths()).expect("somebody is signed in");
    let (mut lines, mut keys) = (0, BTreeSet::new());
    for day in day_files::days(&folder).expect("the folder is ours").into_keys() {
        let text = fs::read_to_string(day_files::path_of(&folder, day)).expect("the file is ours");
        lines += text.lines().count();
        keys.extend(text.lines().filter_map(|line| Some(key(&serde_json::from_str(line).ok()?))));
    }
    (lines, keys)
}

#[test]
fn whatever_is_killed_each_minute_is_brought_once() {
    let kills = if long_tier() { 200 } else { 12 };
    let office = Profile::new();
    let server = Server::start(&office);
    let expected = uploaded(&server);
    let profile = Profile::new();
    let start = || Daemon::start_with(&profile, &[]);
    let mut daemon = start();
    let args = ["login", "--server", &server.url(), "--email", EMAIL, "--password-stdin", "--no-pull"];
    let _ = profile.ctl_with(&args, PASSWORD).success();
    // A whole pull is timed first, so that the kills come at any moment of one.
    let begun = Instant::now();
    let _ = profile.ctl(&["sync", "--pull"]).success();
    let whole = begun.elapsed();
    let (mut cut, mut doubled, mut finished, mut random) = (0, 0, true, StdRng::seed_from_u64(7));
    for _ in 0..kills {
        if finished {
            // Everything was here before the kill: another new machine begins.
            fs::remove_dir_all(profile.paths().pulled()).expect("the folder is ours");
        }
        let mut pulling = pull(&profile).spawn().expect("blinkctl starts");
        // The kill must come at an arbitrary moment, so there is no condition to wait for.
        thread::sleep(whole.mul_f64(random.random_range(0.0..1.0)));
        daemon.program().kill();
        finished = pulling.wait().expect("a child can be waited for").success();
        cut += usize::from(!finished);
        let (lines, keys) = on_disk(&profile);
        doubled += lines - keys.len();
        assert!(keys.is_subset(&expected), "a minute that nobody uploaded");
        assert!(!finished || keys == expected, "it said that everything was here");
        daemon = start();
    }
    let _ = profile.ctl(&["sync", "--pull"]).success();
    let exported: Vec<Minute> = serde_json::from_str(&profile.ctl(&["export"]).success()).expect("an export is JSON");
    let keys: BTreeSet<_> = exported.iter().map(key).collect();
    let lost = expected.difference(&keys).count();
    doubled += exported.len() - keys.len();
    println!("pull: {kills} kills, {} minutes: lost {lost}, doubled {doubled}", expected.len());
    println!("      {cut} of them while minutes came");
    assert_eq!((lost, doubled, keys == expected), (0, 0, true));
    assert!(cut > 0, "no kill came while minutes came");
    let status = profile.status();
    assert_eq!((status.today.blink_count, status.queue.pending), (0, 0), "nothing of it counts as this machine's");
    let report = profile.ctl(&["report"]).success();
    assert!(report.contains("The figures are from 3 machines: "), "{report}");
    let again = profile.ctl(&["sync", "--pull"]).success();
    assert_eq!(again, "Nothing new came from other machines of this account.\n");
}
