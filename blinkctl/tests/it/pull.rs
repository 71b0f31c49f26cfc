//! Tests of `blinkctl sync --pull`, and of its offer after a sign-in.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use blink_profile::{AccountFile, SignedInAccount};
use blink_proto::{
    DeviceId, Minute, MinuteStart,
    http::DeviceMinutes,
    ipc::{Elsewhere, Outcome, Pulled, Reply, Request},
};
use jiff::{Timestamp, ToSpan};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, ada, healthy, minute, ok, refused},
    run::Profile,
};

fn machine(n: u128) -> DeviceId {
    DeviceId(uuid::Uuid::from_u128(n))
}

fn page(machines: &[(u128, u64)], left_out: u64, done: bool) -> Outcome {
    let machines = machines.iter().map(|(n, minutes)| DeviceMinutes { device_id: machine(*n), minutes: *minutes });
    let from = "2026-01-01T00:00:00Z".parse().unwrap();
    ok(Reply::Pulled(Pulled { machines: machines.collect(), left_out, from, done }))
}

/// A daemon whose pull is three pages; `broken` takes the place of the last.
fn three_pages(broken: Option<fn() -> Outcome>) -> Behaviour {
    let pages = Arc::new(AtomicUsize::new(0));
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::Elsewhere { .. } => ok(Reply::Elsewhere(Elsewhere { minutes: 2_400, machines: 2 })),
            Request::Pull { .. } => match pages.fetch_add(1, Ordering::SeqCst) {
                0 => page(&[(1, 700), (2, 300)], 0, false),
                1 => page(&[(1, 999)], 1, false),
                _ => broken.map_or_else(|| page(&[(2, 400)], 0, true), |outcome| outcome()),
            },
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

/// The requests but for the question how much there is.
fn pulls(daemon: &Fake) -> Vec<Request> {
    daemon.asked().into_iter().filter(|request| matches!(request, Request::Pull { .. })).collect()
}

#[rstest]
#[case("pull", &["sync", "--pull"])]
#[case("pull_json", &["sync", "--pull", "--json"])]
#[case("pull_from", &["sync", "--pull", "--from", "2025-06-01"])]
fn pages_are_brought_until_everything_is_here(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), three_pages(None));
    insta::assert_snapshot!(name, profile.run(args).transcript());
    let from = args.contains(&"--from").then(|| "2025-06-01T00:00:00Z".parse().unwrap());
    assert_eq!(pulls(&daemon), [(); 3].map(|()| Request::Pull { from }));
}

#[test]
fn where_nothing_is_new_that_is_said() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::Pull { .. } => page(&[], 0, true),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let _daemon = Fake::start(&profile.paths(), behaviour);
    insta::assert_snapshot!(profile.run(&["sync", "--pull"]).transcript());
}

#[rstest]
#[case("pull_offline", || refused("server_unreachable", "The server cannot be reached.", "Check the network."), 1)]
#[case("pull_signed_out", || refused("not_signed_in", "Nobody is signed in.", "Run `blinkctl login`."), 4)]
#[case("pull_disk", || refused("disk_full", "The disk is full: minutes cannot be saved.", "Make room, then run `blinkctl sync --pull` again."), 1)]
fn what_fails_in_the_middle_says_what_stays(#[case] name: &str, #[case] broken: fn() -> Outcome, #[case] exit: i32) {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), three_pages(Some(broken)));
    let ran = profile.run(&["sync", "--pull"]);
    ran.assert_fails(exit);
    insta::assert_snapshot!(name, ran.transcript());
}

#[rstest]
#[case("pull_and_set_aside", &["sync", "--pull", "--set-aside", "list"])]
#[case("pull_from_alone", &["sync", "--from", "2026-01-01"])]
#[case("pull_both", &["login", "--pull", "--no-pull"])]
fn wrong_usage_is_refused(#[case] name: &str, #[case] args: &[&str]) {
    let ran = Profile::new().run(args);
    ran.assert_fails(2);
    insta::assert_snapshot!(name, ran.transcript());
}

#[rstest]
#[case("offer_named", &[], 0)]
#[case("offer_named_json", &["--json"], 0)]
#[case("offer_taken_up", &["--pull"], 3)]
#[case("offer_taken_up_json", &["--pull", "--json"], 3)]
#[case("offer_declined", &["--no-pull"], 0)]
fn a_sign_in_without_a_terminal_names_the_command_or_does_as_told(
    #[case] name: &str,
    #[case] more: &[&str],
    #[case] pages: usize,
) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), three_pages(None));
    let args = [&["login", "--email", "ada@example.org", "--password-stdin"], more].concat();
    insta::assert_snapshot!(name, profile.run_with(&args, "correct horse battery").transcript());
    assert_eq!(pulls(&daemon).len(), pages);
}

#[test]
fn a_sign_in_stands_when_its_pull_fails() {
    let profile = Profile::new();
    let broken = || refused("server_unreachable", "The server cannot be reached.", "Check the network.");
    let _daemon = Fake::start(&profile.paths(), three_pages(Some(broken)));
    let args = ["login", "--email", "ada@example.org", "--password-stdin", "--pull"];
    insta::assert_snapshot!(profile.run_with(&args, "correct horse battery").transcript());
}

#[cfg(target_os = "linux")]
#[rstest]
#[case("\n", 3)]
#[case("y\n", 3)]
#[case("n\n", 0)]
fn on_a_terminal_it_is_asked_and_yes_is_the_default(#[case] answer: &str, #[case] pages: usize) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), three_pages(None));
    let mut terminal =
        crate::terminal::Terminal::start(&profile, "login --email ada@example.org", &[("NO_COLOR", "1")]);
    terminal.expect("Password: ");
    terminal.type_in("correct horse battery\n");
    terminal.expect("Signed in as ada@example.org");
    terminal.expect("This account has 2400 minutes from 2 other machines. Bring them here to read? [Y/n] ");
    terminal.type_in(answer);
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(0), "{seen}");
    assert_eq!((pulls(&daemon).len(), seen.contains("Brought 2399 minutes")), (pages, pages > 0), "{seen}");
}

/// An hour of yesterday of this machine, and of another one that was pulled, of which half is the same hour.
fn two_machines(profile: &Profile) {
    let day = (Timestamp::now() - 24.hours()).strftime("%Y-%m-%d").to_string();
    let start: Timestamp = format!("{day}T09:00:00Z").parse().unwrap();
    let first = MinuteStart::containing(start).number();
    let lines = |minutes: Vec<Minute>| {
        minutes.iter().map(|minute| serde_json::to_string(minute).unwrap() + "\n").collect::<String>()
    };
    profile.day(&day, &lines((0..60).map(|n| minute(first + n)).collect()));
    let account =
        SignedInAccount { server: ada().server, user_id: ada().user_id, email: ada().email, session_ended: false };
    AccountFile { current: Some(account), ..AccountFile::default() }.save(&profile.paths()).unwrap();
    let pulled = profile.paths().pulled_of(ada().user_id);
    fs::create_dir_all(&pulled).unwrap();
    let theirs =
        (30..90).map(|n| Minute { id: uuid::Uuid::now_v7().into(), device_id: machine(7), ..minute(first + n) });
    // What this machine counted may come back from the server too.
    fs::write(pulled.join(format!("{day}.ndjson")), lines(theirs.chain([minute(first)]).collect())).unwrap();
}

#[test]
fn reports_and_exports_have_the_minutes_of_all_machines_once() {
    let profile = Profile::new();
    two_machines(&profile);
    let report = profile.run(&["report", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["total"]["blink_count"], 120 * 17);
    assert_eq!(report["machines"], 2);
    let by_machine = report["by_machine"].as_array().unwrap();
    let blinks: Vec<_> = by_machine.iter().map(|machine| machine["blink_count"].as_u64().unwrap()).collect();
    assert_eq!(blinks, [60 * 17, 60 * 17]);
    let told = "The figures are from 2 machines: ";
    let shown = profile.run(&["report"]).stdout;
    assert!(shown.contains(told) && shown.contains(&machine(7).to_string()[28..]), "{shown}");
    profile.run(&["report", "--html", profile.path("report.html").to_str().unwrap()]);
    assert!(fs::read_to_string(profile.path("report.html")).unwrap().contains(told));
    let exported = profile.run(&["export"]).stdout;
    let exported: Vec<Minute> = serde_json::from_str(&exported).unwrap();
    assert_eq!(exported.len(), 120);
    assert_eq!(exported.iter().filter(|minute| minute.device_id == machine(7)).count(), 60);
    assert!(exported.is_sorted_by_key(|minute| minute.from_timestamp));
}
