//! Attendance as lists, figures and CSV, over HTTP.

use std::sync::Arc;

use cloud_api::{
    attendance::calendar::{Calendar, Workdays},
    open,
};
use diesel::connection::SimpleConnection as _;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::{archive_kit::eventually, harness::*};

mod figures;
mod records;
mod transfer;

const HEAD: &str = "Date,Time,Status,Name,ID,Confidence,Liveness_Verified,Session_ID";

fn manager(app: &TestApp) -> Client {
    let boss = app.user();
    app.set_role(&boss, "manager");
    boss
}

/// Lets a person of the desk be an account.
fn link(app: &TestApp, id: &str, who: &Client) {
    sql(app, &format!("UPDATE attendance_people SET user_id = '{}' WHERE id = '{id}'", who.id));
}

fn sql(app: &TestApp, text: &str) {
    open::connect(&app.target).unwrap().batch_execute(text).unwrap();
}

fn import(who: &Client, file: &[u8]) -> Answer {
    who.send("POST", "/api/attendance/import", &[("content-type", "text/csv")], Some(file))
}

/// Imports lines under the usual head, which must all be taken.
#[track_caller]
fn taken(who: &Client, lines: &[&str]) {
    let answer = import(who, format!("{HEAD}\n{}", lines.join("\n")).as_bytes()).expect(200);
    assert_eq!(answer.json["imported"], lines.len(), "{answer:?}");
}

fn list(who: &Client, query: &str) -> Value {
    who.get(&format!("/api/attendance/get-attendance?{query}")).expect(200).json
}

fn days(list: &Value) -> Vec<String> {
    let day = |item: &Value| {
        format!(
            "{} {} {}",
            item["date"].as_str().unwrap(),
            item["id"].as_str().unwrap(),
            item["status"].as_str().unwrap()
        )
    };
    list["items"].as_array().unwrap().iter().map(day).collect()
}

fn csv(who: &Client, query: &str) -> String {
    let answer = who
        .send("GET", &format!("/api/attendance/get-attendance?{query}"), &[("accept", "text/csv")], None)
        .expect(200);
    assert!(answer.header("content-type").starts_with("text/csv"), "{answer:?}");
    answer.text
}

fn analytics(who: &Client, query: &str) -> Value {
    who.get(&format!("/api/attendance/get-analytics?{query}")).expect(200).json
}

/// Runs a test that restarts its server on both databases.
fn both(test: impl Fn(&mut TestApp)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        test(&mut TestApp::start(backend));
    }
}

fn with_calendar(app: &mut TestApp, calendar: Calendar) {
    app.attendance.calendar = Arc::new(calendar);
    app.restart();
}

const ADA: &[&str] = &[
    "2026-03-02,08:45:00,present,Ada,ada,97,Yes,",
    "2026-03-03,09:30:00,late,Ada,ada,91,Yes,",
    "2026-03-05,08:59:59,present,Ada,ada,,No,67e55044-10b1-426f-9247-bb680e5fe0c8",
    "2026-03-09,,absent,Ada,ada,,No,",
];
