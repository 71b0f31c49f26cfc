//! Reading one's own minutes, grouped in one's own time zone.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use cloud_api::{
    domain::{cursor::Cursor, interval::Grouping},
    open,
};
use diesel::connection::SimpleConnection as _;
use serde_json::{Value, json};

use crate::harness::*;

fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().unwrap()
}

contract! {
    fn an_item_has_its_figures(app) {
        let ada = app.user();
        let mut batch = minutes("2026-03-09T09:00:00Z", 10, 15);
        batch[0]["observed_ms"] = json!(30_000);
        ada.store(&batch);
        let answer = ada.blinks("").expect(200);
        assert_eq!(answer.json, json!({
            "items": [{
                "from_timestamp": "2026-03-09T00:00:00Z", "to_timestamp": "2026-03-10T00:00:00Z", "blink_count": 150,
                "observed_ms": 570_000, "blinks_per_minute": 60_000.0 * 150.0 / 570_000.0,
                "coverage": 570_000.0 / 86_400_000.0, "quality": "good",
            }],
            "next_cursor": null,
        }));
        let minutes = ada.blinks("group=minute&from=2026-03-09T09:01:00Z&to=2026-03-09T09:03:00Z").expect(200);
        assert_eq!(items(&minutes).len(), 2);
        assert_eq!(minutes.json["items"][0]["from_timestamp"], "2026-03-09T09:01:00Z");
        assert_eq!(minutes.json["items"][0]["coverage"], 1.0);
    }

    fn the_edges_of_a_range_are_whole_however_small_the_page(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-09T09:00:00Z", 60, 1));
        for limit in [1, 2, 100] {
            let total = |range: &str| {
                let answer = ada.blinks(&format!("group=hour&limit={limit}&{range}")).expect(200);
                items(&answer)[0]["blink_count"].clone()
            };
            assert_eq!(total("from=2026-03-09T09:01:00Z"), 59, "limit {limit}");
            assert_eq!(total("from=2026-03-09T09:00:00Z&to=2026-03-09T09:14:00Z"), 14, "limit {limit}");
            assert_eq!(total("from=2026-03-09T09:01:00Z&to=2026-03-09T09:44:00Z"), 43, "limit {limit}");
        }
    }

    fn times_of_another_age_are_answered(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-09T09:00:00Z", 1, 1));
        let (from, to) = ("-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z");
        for group in ["minute", "hour", "day", "week"] {
            let answer = ada.blinks(&format!("group={group}&from={from}&to={to}")).expect(200);
            assert_eq!(items(&answer).len(), 1, "{group}");
            // A cursor may point to any valid start.
            let cursor = Cursor { grouping: Grouping::parse(group).unwrap(), start: at(from) }.encode();
            assert_eq!(items(&ada.blinks(&format!("group={group}&cursor={cursor}&from={from}")).expect(200)).len(), 1);
        }
        assert!(items(&ada.blinks(&format!("from={from}&to={from}")).expect(200)).is_empty());
    }

    fn under_ten_observed_seconds_there_is_no_rate(app) {
        let ada = app.user();
        let base = minutes("2026-03-09T09:00:00Z", 2, 1);
        ada.store(&[changed(base[0].clone(), &json!({"observed_ms": 9_999, "quality": "insufficient"}))]);
        let item = |query: &str| ada.blinks(query).expect(200).json["items"][0].clone();
        for group in ["minute", "hour", "day", "week"] {
            let item = item(&format!("group={group}"));
            assert_eq!((&item["blinks_per_minute"], &item["quality"]), (&Value::Null, &json!("insufficient")), "{group}");
        }
        ada.store(&[changed(base[1].clone(), &json!({"observed_ms": 1, "quality": "insufficient"}))]);
        assert_eq!(item("group=hour")["blinks_per_minute"], 12.0);
    }

    fn no_data_is_no_item(app) {
        let ada = app.user();
        assert_eq!(ada.blinks("").expect(200).json, json!({"items": [], "next_cursor": null}));
        ada.store(&minutes("2026-03-02T09:00:00Z", 1, 1));
        ada.store(&minutes("2026-03-06T09:00:00Z", 1, 1));
        let days: Vec<_> = items(&ada.blinks("group=day").expect(200)).iter().map(|i| i["from_timestamp"].clone()).collect();
        assert_eq!(days, ["2026-03-02T00:00:00Z", "2026-03-06T00:00:00Z"]);
    }

    fn the_spring_day_has_23_hours_and_the_autumn_day_25(app) {
        app.set_time("2026-11-10T12:00:00Z");
        let ada = app.user_in("Europe/Berlin");
        ada.store(&minutes("2026-03-28T22:00:00Z", 180, 1));
        ada.store(&minutes("2026-03-29T21:00:00Z", 120, 1));
        ada.store(&minutes("2026-10-24T21:00:00Z", 120, 1));
        ada.store(&minutes("2026-10-25T22:00:00Z", 120, 1));
        let answer = ada.blinks("group=day").expect(200);
        let days: Vec<_> = items(&answer).iter()
            .map(|i| (i["from_timestamp"].as_str().unwrap(), i["to_timestamp"].as_str().unwrap(), i["blink_count"].as_u64().unwrap())).collect();
        assert_eq!(days, [
            ("2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", 60),
            ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 120 + 60),
            ("2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z", 60),
            ("2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", 60),
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 60 + 60),
            ("2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z", 60),
        ]);
        let weeks = ada.blinks("group=week").expect(200);
        assert_eq!(weeks.json["items"][0]["from_timestamp"], "2026-03-22T23:00:00Z");
        assert_eq!(weeks.json["items"][0]["to_timestamp"], "2026-03-29T22:00:00Z");
        assert_eq!(weeks.json["items"][0]["blink_count"], 240);
    }

    fn half_and_quarter_hour_zones_have_their_own_hours_and_days(app) {
        let ada = app.user_in("Asia/Kathmandu");
        ada.store(&minutes("2026-03-08T17:45:00Z", 60, 1));
        let hours = ada.blinks("group=hour").expect(200);
        assert_eq!(items(&hours).iter().map(|i| i["from_timestamp"].as_str().unwrap()).collect::<Vec<_>>(), ["2026-03-08T17:15:00Z", "2026-03-08T18:15:00Z"]);
        let days = ada.blinks("group=day").expect(200);
        assert_eq!(items(&days).iter().map(|i| (i["from_timestamp"].as_str().unwrap(), i["blink_count"].as_u64().unwrap())).collect::<Vec<_>>(),
            [("2026-03-07T18:15:00Z", 30), ("2026-03-08T18:15:00Z", 30)]);
    }

    fn bounds_cut_exactly_in_every_grouping(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-09T08:00:00Z", 240, 1));
        for (from, to) in [("08:07:00", "08:09:00"), ("08:07:00", "11:52:00"), ("08:15:00", "08:30:00"), ("08:14:00", "08:31:00"), ("07:00:00", "13:00:00"), ("08:07:30", "08:09:30"), ("09:00:00", "09:00:00")] {
            let range = format!("from=2026-03-09T{from}Z&to=2026-03-09T{to}Z&limit=1000");
            let total = |group: &str| -> u64 { items(&ada.blinks(&format!("{range}&group={group}")).expect(200)).iter().map(|i| i["blink_count"].as_u64().unwrap()).sum() };
            let expected = total("minute");
            for group in ["hour", "day", "week"] {
                assert_eq!(total(group), expected, "{group} {range}");
            }
        }
    }

    fn pages_hold_everything_once(app) {
        let ada = app.user_in("America/New_York");
        for day in 1..=9 {
            for hour in [3, 4, 5, 13, 20] {
                ada.store(&minutes(&format!("2026-03-0{day}T{hour:02}:20:00Z"), 3, day));
            }
        }
        for group in ["minute", "hour", "day", "week"] {
            let whole = ada.blinks(&format!("group={group}&limit=1000")).expect(200);
            assert_eq!(whole.json["next_cursor"], Value::Null);
            assert_eq!(items(&whole).iter().map(|i| i["blink_count"].as_u64().unwrap()).sum::<u64>(), 45 * 15);
            for limit in [1, 2, 7] {
                let (mut seen, mut cursor) = (Vec::new(), String::new());
                loop {
                    let page = ada.blinks(&format!("group={group}&limit={limit}{cursor}")).expect(200);
                    assert!(items(&page).len() <= limit);
                    seen.extend(items(&page).clone());
                    match page.json["next_cursor"].as_str() {
                        Some(next) => cursor = format!("&cursor={next}"),
                        None => break,
                    }
                }
                assert_eq!(&seen, items(&whole), "{group} by {limit}");
            }
        }
    }

    fn any_other_id_is_403_whether_it_exists_or_not(app) {
        let (ada, eve) = (app.user(), app.user());
        eve.store(&minutes("2026-03-09T08:00:00Z", 1, 1));
        for id in [eve.id.as_str(), "00000000-0000-0000-0000-000000000000", "x", "..%2f..", "1%20OR%201=1", "%27"] {
            let answer = ada.get(&format!("/api/user/{id}/blinks")).expect(403);
            assert_eq!(answer.code(), "forbidden", "{id}");
        }
        app.anonymous().get(&format!("/api/user/{}/blinks", eve.id)).expect(401);
        assert_eq!(eve.get(&format!("/api/user/{}/blinks", eve.id.to_uppercase())).expect(200).json["items"].as_array().unwrap().len(), 1);
    }

    fn wrong_parameters_are_named(app) {
        let ada = app.user();
        for (query, field) in [
            ("group=eon", "group"), ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("from=yesterday", "from"),
            ("to=2026-13-01T00:00:00Z", "to"), ("cursor=x", "cursor"), ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"), ("group=day&group=hour", "group"),
        ] {
            let answer = ada.blinks(query).expect(422);
            assert_ne!(answer.field(field), "", "{query}: {answer:?}");
        }
    }
}

/// The harness gives the server four connections to the database.
#[test]
fn one_persons_reads_leave_the_others_their_connections() {
    let app = TestApp::start(Backend::Postgres);
    let (ada, eve) = (app.user(), app.user());
    let mut other = open::connect(&app.target).unwrap();
    other.batch_execute("BEGIN; LOCK TABLE blink_data, blink_rollups IN ACCESS EXCLUSIVE MODE").unwrap();
    let (told, statuses) = mpsc::channel();
    for n in 0..40 {
        let (ada, told) = (ada.clone(), told.clone());
        let path = if n % 2 == 0 { "/api/user/me/blinks?group=week&limit=1000" } else { "/api/user/me/insights" };
        thread::spawn(move || told.send(ada.get(path).status));
    }
    // Two read and 32 wait.
    let next = || statuses.recv_timeout(Duration::from_secs(30)).unwrap();
    (0..6).for_each(|_| assert_eq!(next(), 429));
    let started = Instant::now();
    eve.get("/api/user/me").expect(200);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    other.batch_execute("ROLLBACK").unwrap();
    (0..34).for_each(|_| assert_eq!(next(), 200));
}
