//! `blinkctl mcp` with the official SDK's client over stdio.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use blink_proto::{Minute, MinuteStart, consent::ConsentRecord};
use jiff::{Timestamp, ToSpan, Zoned, tz::TimeZone};
use rmcp::{
    RoleClient, ServiceExt as _, model::CallToolRequestParams, service::RunningService, transport::TokioChildProcess,
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{fake::minute, report::yesterday, run::Profile};

type Client = RunningService<RoleClient, ()>;

async fn connect(profile: &Profile) -> Client {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blinkctl"));
    command.arg("mcp").env_clear().envs(profile.variables());
    let (process, _) = TokioChildProcess::builder(command).stderr(Stdio::inherit()).spawn().unwrap();
    ().serve(process).await.unwrap()
}

/// Calls a tool; whether it is an error, and its text.
async fn call(client: &Client, tool: &str, arguments: Value) -> (bool, String) {
    let mut call = CallToolRequestParams::new(tool.to_owned());
    call.arguments = arguments.as_object().cloned();
    let result = client.call_tool(call).await.unwrap();
    let text = result.content.iter().filter_map(|block| Some(block.as_text()?.text.clone())).collect();
    (result.is_error == Some(true), text)
}

async fn told(client: &Client, tool: &str, arguments: Value) -> Value {
    let (is_error, text) = call(client, tool, arguments).await;
    assert!(!is_error, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Each tool with arguments that it takes.
fn calls() -> [(&'static str, Value); 6] {
    let today = Zoned::now().with_time_zone(TimeZone::UTC).date();
    let ever = json!({"from": today.saturating_sub(3_650.days()), "to": today});
    let before = json!({"from": today.saturating_sub(60.days()), "to": today.saturating_sub(30.days())});
    [
        ("today", json!({})),
        ("summary", ever.clone()),
        ("compare", json!({"a": {}, "b": before})),
        ("best_and_worst_hours", ever.clone()),
        ("coverage", json!({})),
        ("blinks", json!({"day": today.saturating_sub(1.day())})),
    ]
}

fn consent(profile: &Profile) {
    blink_profile::consent::save(&profile.paths(), &ConsentRecord::granted(Timestamp::UNIX_EPOCH)).unwrap();
}

/// Fails if anything but aggregates is in an answer.
fn assert_aggregates(text: &str, profile: &Profile) {
    for private in
        ["from_timestamp", "to_timestamp", "device_id", "user_id", "\"id\"", profile.path("").to_str().unwrap()]
    {
        assert!(!text.contains(private), "{private} in {text}");
    }
    let device = minute(0).device_id.to_string();
    assert!(!text.contains(&device), "the machine's id is in {text}");
    // No time of day but whole hours.
    let times = text.match_indices(':').filter(|(at, _)| {
        let (before, after) = (&text[..*at], &text[at + 1..]);
        before.ends_with(|c: char| c.is_ascii_digit()) && after.starts_with(|c: char| c.is_ascii_digit())
    });
    assert!(times.into_iter().all(|(at, _)| text[at + 1..].starts_with("00")), "{text}");
}

#[tokio::test]
async fn an_assistant_reads_sums_and_each_reading_is_logged() {
    let profile = Profile::new();
    let day = yesterday(&profile);
    consent(&profile);
    let client = connect(&profile).await;
    let tools: Vec<String> = client.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name.into()).collect();
    assert_eq!(tools.len(), 6, "{tools:?}");
    let summary = told(&client, "summary", json!({"from": day, "to": day})).await;
    assert_eq!((&summary["blinks"], &summary["blinks_per_minute"]), (&json!(1_800), &json!(15.0)));
    assert_eq!((&summary["coverage_percent"], &summary["observed_minutes"]), (&json!(100.0), &json!(120.0)));
    assert_eq!(told(&client, "today", json!({})).await["blinks"], "unknown", "nothing was observed today");
    let ends = told(&client, "best_and_worst_hours", json!({})).await;
    assert_eq!((&ends["best_hour"]["hour"], &ends["worst_hour"]["hour"]), (&json!("09:00"), &json!("10:00")));
    let coverage = told(&client, "coverage", json!({})).await;
    assert_eq!(coverage["days"].as_array().unwrap().len(), 28, "{coverage}");
    let hours = told(&client, "blinks", json!({"day": day})).await;
    assert_eq!(hours["hours"].as_array().unwrap().len(), 2);
    for (tool, arguments) in calls() {
        let (is_error, text) = call(&client, tool, arguments).await;
        assert!(!is_error, "{tool}: {text}");
        assert_aggregates(&text, &profile);
    }
    let (is_error, text) = call(&client, "summary", json!({"from": "soon"})).await;
    assert!(is_error && text.contains("soon is not a date"), "{text}");
    client.cancel().await.unwrap();
    let log: Value = serde_json::from_str(&profile.run(&["mcp", "--log", "--json"]).stdout).unwrap();
    assert_eq!(log.as_array().unwrap().len(), 11, "{log}");
    assert_eq!((&log[0]["tool"], &log[0]["arguments"]["from"]), (&json!("summary"), &json!(day)));
    assert!(log[0]["client"].as_str().unwrap().starts_with("rmcp"), "{log}");
    let shown = profile.run(&["mcp", "--log"]).stdout;
    assert!(shown.lines().count() == 11 && shown.contains("best_and_worst_hours"), "{shown}");
}

#[tokio::test]
async fn without_consent_every_tool_says_so() {
    let profile = Profile::new();
    yesterday(&profile);
    let client = connect(&profile).await;
    for (tool, arguments) in calls() {
        let (is_error, text) = call(&client, tool, arguments).await;
        assert!(is_error && text.contains("There is no consent on this machine"), "{tool}: {text}");
    }
    // A consent, and its withdrawal, count from the next call on.
    consent(&profile);
    told(&client, "today", json!({})).await;
    std::fs::remove_file(profile.paths().consent_file()).unwrap();
    assert!(call(&client, "today", json!({})).await.0);
    assert_eq!(profile.run(&["mcp", "--log"]).stdout.lines().count(), 1);
    client.cancel().await.unwrap();
}

/// Writes eight observed hours on each of the last `days`.
fn eight_hours_each(profile: &Profile, days: i64) {
    let today = Zoned::now().with_time_zone(TimeZone::UTC).date();
    for ago in 0..days {
        let date = today.saturating_sub(ago.days());
        let start = date.at(9, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let first = MinuteStart::containing(start).number();
        let blink_count = 12 + u32::try_from(ago % 7).unwrap();
        let lines = (0..480).map(|n| {
            serde_json::to_string(&Minute { blink_count, observed_ms: 50_000, ..minute(first + n) }).unwrap() + "\n"
        });
        profile.day(&date.to_string(), &lines.collect::<String>());
    }
}

#[tokio::test]
async fn the_history_is_read_before_the_first_question() {
    let profile = Profile::new();
    eight_hours_each(&profile, 30);
    consent(&profile);
    let client = connect(&profile).await;
    let oldest = Zoned::now().with_time_zone(TimeZone::UTC).date().saturating_sub(29.days());
    let file = profile.paths().history().join(format!("{oldest}.ndjson"));
    // As long as before, so it counts as known; read now, it would have no minutes.
    let bytes = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![b'x'; usize::try_from(bytes).unwrap()]).unwrap();
    let day = told(&client, "blinks", json!({"day": oldest})).await;
    assert_eq!(day["hours"].as_array().unwrap().len(), 8, "{day}");
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn a_file_that_never_ends_holds_up_no_start() {
    let profile = Profile::new();
    let day = yesterday(&profile);
    consent(&profile);
    let pipe = profile.paths().history().join("2020-02-26.ndjson");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let client = connect(&profile).await;
    assert_eq!(told(&client, "summary", json!({"from": day, "to": day})).await["blinks"], 1_800);
    client.cancel().await.unwrap();
}

/// `WAW_TEST_LONG=1` has ten years.
#[tokio::test]
async fn years_of_minutes_are_answered_at_once() {
    let long = std::env::var_os("WAW_TEST_LONG").is_some();
    let profile = Profile::new();
    eight_hours_each(&profile, 365 * if long { 10 } else { 1 });
    consent(&profile);
    let begun = Instant::now();
    let client = connect(&profile).await;
    let start = begun.elapsed();
    let mut slowest = Duration::ZERO;
    for (tool, arguments) in calls() {
        let begun = Instant::now();
        let (is_error, text) = call(&client, tool, arguments).await;
        let took = begun.elapsed();
        assert!(!is_error, "{tool}: {text}");
        println!("{tool}: {took:.1?}");
        slowest = slowest.max(took);
    }
    let coverage = told(&client, "coverage", calls()[1].1.clone()).await;
    assert!((120..=121).contains(&coverage["months"].as_array().unwrap().len()), "{coverage}");
    println!("the start, which read all: {start:.1?}; then the slowest: {slowest:.1?}");
    client.cancel().await.unwrap();
}
