//! Tests of `blinkctl import`, and of an export that is imported again.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use blink_proto::{
    Minute,
    ipc::{ImportRejection, Imported, Outcome, Reply, Request},
};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, minute, ok, refused},
    run::Profile,
};

/// Answers imports with `answer`, which gets the minutes and whether to upload them.
fn importing(answer: impl Fn(&[Minute], bool) -> Outcome + Send + Sync + 'static) -> Behaviour {
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::Import { minutes, upload } => answer(minutes, *upload),
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

/// Accepts all minutes, and records them in `taken`.
fn taking(taken: &Arc<Mutex<Vec<Vec<Minute>>>>, queued: bool) -> Behaviour {
    let taken = Arc::clone(taken);
    importing(move |minutes, upload| {
        taken.lock().unwrap().push(minutes.to_vec());
        let imported = minutes.len() as u64;
        let queued = if queued && upload { imported } else { 0 };
        ok(Reply::Imported(Imported { imported, queued, ..Imported::default() }))
    })
}

fn write(profile: &Profile, name: &str, text: &str) -> String {
    fs::write(profile.path(name), text).unwrap();
    profile.path(name).to_str().unwrap().to_owned()
}

fn lines(minutes: impl IntoIterator<Item = Minute>) -> String {
    minutes.into_iter().map(|minute| serde_json::to_string(&minute).unwrap() + "\n").collect()
}

#[rstest]
#[case("import", false, &[])]
#[case("import_upload", true, &["--upload"])]
#[case("import_json", false, &["--json"])]
fn what_was_imported_is_summed_up(#[case] name: &str, #[case] queued: bool, #[case] more: &[&str]) {
    let profile = Profile::new();
    let taken = Arc::default();
    let _daemon = Fake::start(&profile.paths(), taking(&taken, queued));
    let minutes: Vec<_> = (0..2_500).map(|n| minute(29_000_000 + n)).collect();
    let file = write(&profile, "x.ndjson", &lines(minutes.clone()));
    let ran = profile.run(&[&["import", &file], more].concat());
    insta::assert_snapshot!(name, ran.redacted(&profile));
    let taken = taken.lock().unwrap();
    assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 1_000, 500]);
    assert_eq!(taken.concat(), minutes);
}

#[test]
fn stdin_is_read_too() {
    let profile = Profile::new();
    let taken = Arc::default();
    let _daemon = Fake::start(&profile.paths(), taking(&taken, false));
    let ran = profile.run_with(&["import", "-"], &lines([minute(29_000_000)]));
    assert_eq!(ran.stdout, "Imported 1 minute.\n", "{}", ran.transcript());
}

#[test]
fn a_file_with_a_mistake_is_not_imported_at_all() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let text = lines((0..1_500).map(|n| minute(29_000_000 + n))) + "{\"id\":\"x\"}\n";
    let file = write(&profile, "x.ndjson", &text);
    for (name, args) in
        [("import_malformed", &["import", &file][..]), ("import_malformed_json", &["import", &file, "--json"])]
    {
        let ran = profile.run(args);
        ran.assert_fails(1);
        insta::assert_snapshot!(name, ran.redacted(&profile));
    }
    assert_eq!(daemon.asked(), []);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    let ran = profile.run(&["import", "/none/x.json"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.transcript());
    profile.run(&["import", "/tmp"]).assert_fails(1);
}

/// The transcript of a failing import of 1,200 minutes, made in two calls that `answer` answers.
fn failing(answer: impl Fn(&[Minute]) -> Outcome + Send + Sync + 'static) -> String {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), importing(move |minutes, _| answer(minutes)));
    let file = write(&profile, "x.ndjson", &lines((0..1_200).map(|n| minute(29_000_000 + n))));
    let ran = profile.run(&["import", &file]);
    ran.assert_fails(1);
    ran.redacted(&profile)
}

#[test]
fn minutes_that_are_not_taken_are_a_failure_with_their_places() {
    let told = failing(|minutes| {
        let detail = "it is older than retention_days (90) keeps".to_owned();
        let rejected = vec![ImportRejection { index: 1, code: "too_old".into(), detail }];
        let (imported, duplicates) = (minutes.len() as u64 - 2, 1);
        ok(Reply::Imported(Imported { imported, duplicates, queued: 0, rejected }))
    });
    insta::assert_snapshot!(told);
}

#[test]
fn a_call_that_fails_halfway_tells_what_is_in() {
    let calls = AtomicU32::new(0);
    let told = failing(move |minutes| {
        if calls.fetch_add(1, Ordering::Relaxed) == 1 {
            return refused("disk_full", "The disk is full", "Make room.");
        }
        ok(Reply::Imported(Imported { imported: minutes.len() as u64, ..Imported::default() }))
    });
    insta::assert_snapshot!(told);
}

/// The fake daemon writes the minutes into the day files, as the real one does.
#[test]
fn there_and_back_the_bytes_are_the_same() {
    let profile = Profile::new();
    let minutes: Vec<Minute> = (0..2_200)
        .map(|n| {
            let tenths = f64::from(n % 1_000) / 10.0;
            let user_id = (n % 3 == 0).then(|| uuid::Uuid::from_u128(7).into());
            let perclos = (n % 7 != 0).then_some(tenths / 1_000.0);
            Minute { user_id, perclos, mean_fps: tenths, ..minute(29_534_000 + i64::from(n)) }
        })
        .collect();
    let store = |minutes: &[Minute]| {
        let mut days = std::collections::BTreeMap::<String, String>::new();
        for minute in minutes {
            let day = minute.from_timestamp.strftime("%Y-%m-%d").to_string();
            *days.entry(day).or_default() += &lines([minute.clone()]);
        }
        for (day, text) in days {
            profile.day(&day, &text);
        }
    };
    store(&minutes);
    let first = profile.run(&["export"]);
    assert_eq!(first.exit, Some(0), "{}", first.stderr);
    fs::remove_dir_all(profile.paths().history()).unwrap();
    assert_eq!(profile.run(&["export"]).stdout, "[]\n");
    let taken: Arc<Mutex<Vec<Vec<Minute>>>> = Arc::default();
    let _daemon = Fake::start(&profile.paths(), taking(&taken, false));
    let ran = profile.run_with(&["import", "-"], &first.stdout);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    store(&taken.lock().unwrap().concat());
    assert_eq!(profile.run(&["export"]).stdout, first.stdout);
}
