//! `blinkctl export`.

use std::fs;

use blink_proto::{
    Minute, Quality,
    http::HistoryItem,
    ipc::{RemotePage, Reply, Request},
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::{
    fake::{Behaviour, Fake, healthy, held_back, minute, ok},
    run::Profile,
};

/// Three minutes of two days, out of order, with a torn line, and with the field `server` that a record does not have.
fn history(profile: &Profile) -> [Minute; 3] {
    let minutes = [minute(29_534_399), minute(29_534_400), minute(29_534_402)];
    let line = |minute: &Minute| serde_json::to_string(minute).unwrap();
    profile.day("2026-02-25", &format!("{}\n", line(&minutes[0])));
    let with_server = line(&minutes[1]).replace('}', ",\"server\":\"https://waw.example.org\"}");
    let torn = &line(&minutes[2])[..70];
    profile.day("2026-02-26", &format!("{}\n{torn}\n{with_server}\n", line(&minutes[2])));
    minutes
}

#[rstest]
#[case("export", &["export"])]
#[case("export_csv", &["export", "--format", "csv"])]
#[case("export_ndjson", &["export", "--format", "ndjson"])]
#[case("export_json_flag", &["export", "--json"])]
#[case("export_span", &["export", "--from", "2026-02-26", "--to", "2026-02-27", "--format", "ndjson"])]
#[case("export_instants", &["export", "--from", "2026-02-25T23:59:00Z", "--to", "2026-02-26T00:00:00Z"])]
#[case("export_parquet_stdout", &["export", "--format", "parquet"])]
#[case("export_no_time", &["export", "--from", "2026-02-26", "--to", "2026-02-26"])]
#[case("export_bad_time", &["export", "--from", "yesterday"])]
fn the_history_is_written(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    history(&profile);
    insta::assert_snapshot!(name, profile.run(args).transcript());
}

#[rstest]
#[case(&["export"], "[]\n")]
#[case(&["export", "--format", "ndjson"], "")]
#[case(&["export", "--from", "2026-03-02", "--json"], "[]\n")]
fn nothing_is_nothing_and_no_failure(#[case] args: &[&str], #[case] stdout: &str) {
    let profile = Profile::new();
    let ran = profile.run(args);
    assert_eq!((ran.exit, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), stdout, ""));
}

#[test]
fn a_file_is_written_whole_and_not_overwritten() {
    let profile = Profile::new();
    let minutes = history(&profile);
    let file = profile.path("out.json");
    let args = ["export", "-o", file.to_str().unwrap()];
    insta::assert_snapshot!("export_file", profile.run(&args).redacted(&profile));
    let read: Vec<Minute> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(read, minutes);
    let again = profile.run(&args);
    again.assert_fails(1);
    insta::assert_snapshot!("export_file_again", again.redacted(&profile));
    let forced = profile.run(&[&args[..], &["--force", "--format", "csv", "--json"]].concat());
    insta::assert_snapshot!("export_file_json", forced.redacted(&profile));
    assert!(fs::read_to_string(&file).unwrap().starts_with("id,user_id,"));
    let left: Vec<_> = fs::read_dir(profile.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_str().unwrap().starts_with(".blink-")), "{left:?}");
}

#[test]
fn parquet_goes_to_a_file() {
    let profile = Profile::new();
    history(&profile);
    let file = profile.path("out.parquet");
    let ran = profile.run(&["export", "--format", "parquet", "-o", file.to_str().unwrap()]);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

#[test]
fn a_history_that_cannot_be_read_is_named() {
    let profile = Profile::new();
    fs::create_dir_all(profile.paths().data).unwrap();
    fs::write(profile.paths().history(), "no folder").unwrap();
    let ran = profile.run(&["export"]);
    ran.assert_fails(1);
    insta::assert_snapshot!(ran.redacted(&profile));
}

/// Two pages of the account's minutes; if `broken`, the first page names itself as the next.
fn remote(broken: bool) -> Behaviour {
    let item = |minute: u8| {
        let from: Timestamp = format!("2026-03-01T10:{minute:02}:00Z").parse().unwrap();
        HistoryItem {
            from_timestamp: from,
            to_timestamp: from + SignedDuration::from_secs(60),
            blink_count: 12 + u64::from(minute),
            observed_ms: 55_000,
            blinks_per_minute: Some(13.5),
            coverage: 0.917,
            quality: Quality::Good,
        }
    };
    Behaviour {
        handler: Box::new(move |request| match request {
            Request::RemotePage { cursor: None, .. } => {
                ok(Reply::RemotePage(RemotePage { items: vec![item(0), item(1)], next_cursor: Some("p2".into()) }))
            }
            Request::RemotePage { cursor: Some(cursor), .. } => {
                let next_cursor = broken.then(|| cursor.clone());
                ok(Reply::RemotePage(RemotePage { items: vec![item(2)], next_cursor }))
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    }
}

#[rstest]
#[case("export_remote", &["export", "--remote"])]
#[case("export_remote_csv", &["export", "--remote", "--format", "csv", "--from", "2026-03-01"])]
fn the_accounts_minutes_come_page_by_page(#[case] name: &str, #[case] args: &[&str]) {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), remote(false));
    insta::assert_snapshot!(name, profile.run(args).transcript());
    let from = args.contains(&"--from").then(|| "2026-03-01T00:00:00Z".parse().unwrap());
    let page = |cursor: Option<&str>| Request::RemotePage { from, to: None, cursor: cursor.map(str::to_owned) };
    assert_eq!(daemon.asked(), [page(None), page(Some("p2"))]);
}

#[test]
fn pages_without_an_end_are_not_followed_for_ever() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), remote(true));
    let file = profile.path("out.json");
    let ran = profile.run(&["export", "--remote", "-o", file.to_str().unwrap()]);
    ran.assert_fails(1);
    assert!(!file.exists(), "half an export is none");
}

#[test]
fn a_file_name_that_is_no_text_is_no_obstacle() {
    use std::os::unix::ffi::OsStringExt as _;
    let profile = Profile::new();
    fs::create_dir(profile.path("out")).unwrap();
    let mut file = profile.path("out/bad").into_os_string().into_vec();
    file.push(0xff);
    let file = std::ffi::OsString::from_vec(file);
    for args in [&["export", "--json", "-o"][..], &["report", "--json", "--html"], &["man", "--json", "--dir"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_blinkctl"));
        let ran = command.args(args).arg(&file).env_clear().envs(profile.variables()).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        assert!(String::from_utf8(ran.stdout).unwrap().contains("out/bad\u{fffd}"));
        let written = fs::metadata(&file).unwrap();
        if written.is_dir() { fs::remove_dir_all(&file) } else { fs::remove_file(&file) }.unwrap();
    }
}

#[test]
fn one_that_is_interrupted_leaves_nothing_behind() {
    let profile = Profile::new();
    let (held, wait) = held_back();
    let behaviour = Behaviour {
        handler: Box::new(move |request| match request {
            Request::RemotePage { .. } => {
                wait();
                ok(Reply::RemotePage(RemotePage::default()))
            }
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let daemon = Fake::start(&profile.paths(), behaviour);
    interrupt(&profile, &["--remote"], || !daemon.asked().is_empty());
    drop(held);
}

#[test]
fn a_local_one_that_is_interrupted_leaves_nothing_behind() {
    let profile = Profile::new();
    let lines: String = (0..1_440).map(|n| serde_json::to_string(&minute(29_534_400 + n)).unwrap() + "\n").collect();
    profile.day("2026-02-26", &lines);
    let history = profile.paths().history();
    // Ten years of copies of that day take some seconds to export.
    let mut day: jiff::civil::Date = "2026-02-25".parse().unwrap();
    for _ in 0..3_650 {
        fs::hard_link(history.join("2026-02-26.ndjson"), history.join(format!("{day}.ndjson"))).unwrap();
        day = day.yesterday().unwrap();
    }
    // Bytes are written only when the signal handler is installed.
    let begun =
        || fs::read_dir(profile.path("out")).unwrap().any(|file| file.unwrap().metadata().is_ok_and(|m| m.len() > 0));
    interrupt(&profile, &[], begun);
}

/// Exports to a file, and interrupts the export once `begun` returns true.
fn interrupt(profile: &Profile, more: &[&str], begun: impl Fn() -> bool) {
    fs::create_dir(profile.path("out")).unwrap();
    let file = profile.path("out/x.json");
    let child = profile.spawn(&[&["export", "-o", file.to_str().unwrap()], more].concat());
    while !begun() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr, "The export was stopped before its end. Run the command again.\n");
    assert_eq!(fs::read_dir(profile.path("out")).unwrap().count(), 0);
}

#[rstest]
fn a_reader_that_goes_away_is_no_failure(#[values("json", "ndjson", "csv")] format: &str) {
    let profile = Profile::new();
    let lines: String = (0..1_440).map(|n| serde_json::to_string(&minute(29_534_400 + n)).unwrap() + "\n").collect();
    profile.day("2026-02-26", &lines);
    let mut child = profile.spawn(&["export", "--format", format]);
    let mut stdout = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut stdout, &mut [0; 10]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn months_of_minutes_take_little_memory() {
    let profile = Profile::new();
    // 60 full days; ten years in the long tier.
    let days = if std::env::var_os("WAW_TEST_LONG").is_some() { 3_650 } else { 60 };
    for day in 0..days {
        let lines: String =
            (0..1_440).map(|n| serde_json::to_string(&minute(27_000_000 + day * 1_440 + n)).unwrap() + "\n").collect();
        let date = jiff::Timestamp::from_second((27_000_000 + day * 1_440) * 60).unwrap();
        profile.day(&date.strftime("%Y-%m-%d").to_string(), &lines);
    }
    let file = profile.path("out.ndjson");
    let args = ["export", "--format", "ndjson", "-o", file.to_str().unwrap()];
    let (ran, peak) = profile.run_measured(&args);
    assert_eq!(ran.exit, Some(0), "{}", ran.transcript());
    let minutes = fs::read_to_string(&file).unwrap().lines().count();
    println!("{minutes} minutes exported, peak memory {peak} kB");
    assert_eq!(i64::try_from(minutes).unwrap(), days * 1_440);
    assert!(peak < 40_000, "{peak} kB");
}
