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

contract! {
    fn a_list_shows_the_newest_first_with_everything_of_a_record(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        let list = list(&boss, "");
        assert_eq!(days(&list), ["2026-03-09 ada absent", "2026-03-05 ada present", "2026-03-03 ada late", "2026-03-02 ada present"]);
        assert_eq!(list["next_cursor"], Value::Null);
        let mut item = list["items"][1].clone();
        assert!(item["record_id"].as_str().is_some());
        item["record_id"] = json!("x");
        assert_eq!(item, json!({
            "record_id": "x", "id": "ada", "name": "Ada", "date": "2026-03-05", "time": "08:59:59", "status": "present",
            "confidence": null, "liveness_verified": false, "session_id": "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "source": "import", "corrections": [],
        }));
        assert_eq!(list["items"][0]["time"], Value::Null, "nobody was there");
    }

    fn the_person_sees_what_a_manager_changed_and_why(app) {
        let (boss, ada) = (manager(app), app.user());
        taken(&boss, ADA);
        link(app, "ada", &ada);
        let id = list(&boss, "date_from=2026-03-03&date_to=2026-03-03")["items"][0]["record_id"].as_str().unwrap().to_owned();
        let change = json!({"status": "present", "time": "09:05:00", "reason": "the lift stood still"}).to_string();
        boss.send("PATCH", &format!("/api/attendance/records/{id}"), &[("content-type", "application/json")], Some(change.as_bytes())).expect(200);
        let item = list(&ada, "date_from=2026-03-03&date_to=2026-03-03")["items"][0].clone();
        assert_eq!((&item["status"], &item["time"]), (&json!("present"), &json!("09:05:00")));
        assert_eq!(item["corrections"], json!([{
            "at": NOW, "made_by": boss.id, "status_before": "late", "time_before": "09:30:00",
            "status_after": "present", "time_after": "09:05:00", "reason": "the lift stood still",
        }]));
        assert_eq!(analytics(&ada, "")["late_distribution"], json!([]));
    }

    fn filters_and_pages_hold_everything_once(app) {
        let boss = manager(app);
        let lines: Vec<String> = (1..=9).flat_map(|day| ["ada", "ben", "cid"].map(|id| {
            let status = if day == 3 { "late" } else { "present" };
            format!("2026-03-0{day},09:0{day}:00,{status},{},{id},,No,", id.to_uppercase())
        })).collect();
        taken(&boss, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let whole = list(&boss, "limit=1000");
        assert_eq!(whole["items"].as_array().unwrap().len(), 27);
        for (query, limit) in [("", 1), ("", 4), ("", 27), ("user=ben", 2), ("status=late", 2), ("date_from=2026-03-03&date_to=2026-03-06", 5)] {
            let (all, mut seen, mut cursor) = (list(&boss, &format!("{query}&limit=1000")), Vec::new(), String::new());
            loop {
                let page = list(&boss, &format!("{query}&limit={limit}{cursor}"));
                seen.extend(page["items"].as_array().unwrap().clone());
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(&seen, all["items"].as_array().unwrap(), "{query} by {limit}");
        }
        let mut late = days(&list(&boss, "status=late"));
        late.sort();
        assert_eq!(late, ["2026-03-03 ada late", "2026-03-03 ben late", "2026-03-03 cid late"]);
        assert_eq!(days(&list(&boss, "date_from=2026-03-09&user=ben")), ["2026-03-09 ben present"]);
    }

    fn absences_follow_from_the_calendar(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        assert_eq!(days(&list(&boss, "status=absent")), ["2026-03-09 ada absent", "2026-03-06 ada absent", "2026-03-04 ada absent"]);
        // Only the one that was recorded has a record.
        let absent = list(&boss, "status=absent");
        let recorded: Vec<_> = absent["items"].as_array().unwrap().iter().map(|item| item["record_id"].is_string()).collect();
        assert_eq!(recorded, [true, false, false]);
        let (first, second) = (list(&boss, "status=absent&limit=2"), |cursor: &str| list(&boss, &format!("status=absent&limit=2&cursor={cursor}")));
        assert_eq!(days(&first).len(), 2);
        assert_eq!(days(&second(first["next_cursor"].as_str().unwrap())), ["2026-03-04 ada absent"]);
        assert_eq!(days(&list(&boss, "status=absent&date_from=2026-03-05&date_to=2026-03-06")), ["2026-03-06 ada absent"]);
        assert!(csv(&boss, "status=absent").contains("2026-03-06,,absent,Ada,ada,,No,\r\n"));
    }

    fn a_refused_try_or_a_broken_desk_makes_a_day_unknown_until_a_manager_decides(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        let time = if matches!(app.target, cloud_api::config::Target::Sqlite(_)) { "0" } else { "'epoch'" };
        sql(app, &format!("INSERT INTO attendance_refusals (person, day, tries, last_reason, last_at) VALUES ('ada', '2026-03-06', 1, 'no_blink', {time}), ('ada', '2026-03-02', 1, 'no_blink', {time})"));
        sql(app, &format!("INSERT INTO attendance_outages (day, since, seen_at) VALUES ('2026-03-04', {time}, {time})"));
        assert_eq!(days(&list(&boss, "status=unknown")), ["2026-03-06 ada unknown", "2026-03-04 ada unknown"]);
        assert_eq!(days(&list(&boss, "status=absent")), ["2026-03-09 ada absent"]);
        let week = analytics(&boss, "date_to=2026-03-08")["weekly"][0].clone();
        assert_eq!((&week["absent"], &week["unknown"], &week["pct"]), (&json!(0), &json!(2), &json!(100.0)));
        taken(&boss, &["2026-03-06,,absent,Ada,ada,,,"]);
        assert_eq!(days(&list(&boss, "status=unknown")), ["2026-03-04 ada unknown"]);
        assert_eq!(days(&list(&boss, "status=absent")), ["2026-03-09 ada absent", "2026-03-06 ada absent"]);
    }

    fn members_see_their_own_and_kiosks_nothing(app) {
        let (boss, ada, eve, kiosk) = (manager(app), app.user(), app.user(), app.user());
        app.set_role(&kiosk, "kiosk");
        taken(&boss, ADA);
        taken(&boss, &["2026-03-09,09:00:00,present,Ben,ben,,No,"]);
        link(app, "ada", &ada);
        for query in ["", "user=me", "user=ada", &format!("user={}", ada.id)] {
            let list = list(&ada, query);
            assert!(days(&list).len() == 4 && days(&list).iter().all(|day| day.contains(" ada ")), "{query}");
            assert_eq!(csv(&ada, query).lines().count(), 5);
        }
        assert_eq!(list(&eve, "")["items"], json!([]));
        for path in ["get-attendance", "get-analytics"] {
            for user in ["ben", "nobody", "a/b"] {
                assert_eq!(ada.get(&format!("/api/attendance/{path}?user={user}")).expect(403).code(), "forbidden");
            }
            assert_eq!(boss.get(&format!("/api/attendance/{path}?user=nobody")).expect(404).code(), "no_such_person");
            kiosk.get(&format!("/api/attendance/{path}")).expect(403);
            app.anonymous().get(&format!("/api/attendance/{path}")).expect(401);
            // The original plan's address.
            boss.get(&format!("/{path}?user=ada")).expect(200);
        }
        assert_eq!(import(&ada, b"").expect(403).code(), "forbidden");
        assert_eq!(analytics(&ada, "")["people"], 1);
        assert_eq!(analytics(&eve, "")["daily"], json!([]));
        assert_eq!(analytics(&eve, "")["subject"], Value::Null);
    }

    fn wrong_parameters_are_named(app) {
        let boss = manager(app);
        let ask = |query: &str| boss.get(&format!("/api/attendance/get-attendance?{query}")).expect(422);
        for (query, field) in [
            ("date_from=yesterday", "date_from"), ("date_to=2026-02-30", "date_to"), ("date_from=2026-03-02&date_to=2026-03-01", "date_to"),
            ("status=here", "status"), ("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=x", "cursor"), ("status=late&status=late", "status"),
        ] {
            assert_ne!(ask(query).field(field), "", "{query}");
        }
        taken(&boss, ADA);
        let cursor = list(&boss, "limit=1")["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(ask(&format!("status=absent&cursor={cursor}")).field("cursor"), "was made for another status");
        boss.get("/api/attendance/get-analytics?date_from=x").expect(422);
    }

    fn figures_of_a_week(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        taken(&boss, &["2026-03-06,09:20:00,late,Ben,ben,80,Yes,", "2026-03-07,12:00:00,present,Ben,ben,80,Yes,", "2026-03-09,09:10:00,present,Ben,ben,80,Yes,"]);
        let all = analytics(&boss, "");
        assert_eq!((&all["date_from"], &all["date_to"], &all["people"]), (&json!("2026-03-02"), &json!("2026-03-10"), &json!(2)));
        let period = |from: &str, n: [u32; 4], pct: Value| json!({"from": from, "present": n[0], "late": n[1], "absent": n[2], "unknown": n[3], "pct": pct});
        assert_eq!(all["daily"], json!([
            period("2026-03-02", [1, 0, 0, 0], json!(100.0)),
            period("2026-03-03", [0, 1, 0, 0], json!(100.0)),
            period("2026-03-04", [0, 0, 1, 0], json!(0.0)),
            period("2026-03-05", [1, 0, 0, 0], json!(100.0)),
            period("2026-03-06", [0, 1, 1, 0], json!(50.0)),
            period("2026-03-07", [1, 0, 0, 0], Value::Null),
            period("2026-03-09", [1, 0, 1, 0], json!(50.0)),
        ]));
        assert_eq!(all["weekly"], json!([period("2026-03-02", [3, 2, 2, 0], json!(66.7)), period("2026-03-09", [1, 0, 1, 0], json!(50.0))]));
        assert_eq!(all["monthly"], json!([period("2026-03-01", [4, 2, 3, 0], json!(62.5))]));
        let bars = json!([0, 5, 10, 15, 20, 25, 30].map(|from| json!({"minutes_from": from, "count": u32::from(from == 20 || from == 30)})));
        assert_eq!(all["late_distribution"], bars);
        assert_eq!(all["trends"][0], json!({"id": "ada", "name": "Ada", "points": [
            period("2026-03-02", [2, 1, 2, 0], json!(60.0)), period("2026-03-09", [0, 0, 1, 0], json!(0.0)),
        ]}));
        assert_eq!(all["leaderboard"], json!([
            {"id": "ben", "name": "Ben", "pct": 100.0, "streak": 2}, {"id": "ada", "name": "Ada", "pct": 50.0, "streak": 0},
        ]));
        assert_eq!(all["timeline"][0], json!({"id": "ada", "name": "Ada", "date": "2026-03-02", "arrival_time": "08:45:00", "minutes_since_9am": -15}));
        assert_eq!((&all["badges"], &all["subject"]), (&json!([]), &Value::Null));
        let ada = analytics(&boss, "user=ada&date_from=2026-03-02&date_to=2026-03-06");
        assert_eq!(ada["streaks"], json!({"current": 0, "best": 2}));
        assert_eq!(ada["daily"].as_array().unwrap().len(), 5);
    }

    fn only_the_late_see_their_badge_and_only_who_opted_in_is_seen(app) {
        let (boss, ada, eve) = (manager(app), app.user(), app.user());
        let late: Vec<String> = [2, 3, 4, 5, 6, 9].iter().map(|day| format!("2026-03-0{day},09:30:00,late,Ada,ada,99,Yes,")).collect();
        taken(&boss, &late.iter().map(String::as_str).collect::<Vec<_>>());
        taken(&boss, &["2026-03-09,09:00:00,present,Eve,eve,,No,"]);
        link(app, "ada", &ada);
        link(app, "eve", &eve);
        let badges = |who: &Client, query: &str| -> Vec<String> {
            analytics(who, query)["badges"].as_array().unwrap().iter().map(|badge| badge["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(badges(&ada, ""), ["gold", "streak_5", "late_comer", "quality_master"]);
        assert_eq!(badges(&boss, "user=ada"), ["gold", "streak_5", "quality_master"]);
        let places = |who: &Client| -> Vec<String> {
            analytics(who, "")["leaderboard"].as_array().unwrap().iter().map(|place| place["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!((places(&boss), places(&eve)), (vec!["ada".to_owned(), "eve".to_owned()], vec![]));
        let choose = |who: &Client, seen: bool| who.send("PUT", "/api/attendance/leaderboard", &[("content-type", "application/json")], Some(json!({"leaderboard": seen}).to_string().as_bytes()));
        assert_eq!(choose(&ada, true).expect(200).json, json!({"leaderboard": true}));
        assert_eq!((places(&eve), places(&ada)), (vec!["ada".to_owned()], vec!["ada".to_owned()]));
        assert_eq!(analytics(&ada, "")["subject"]["leaderboard"], true);
        choose(&ada, false).expect(200);
        assert!(places(&eve).is_empty());
        assert_eq!(choose(&boss, true).expect(404).code(), "not_enrolled");
    }

    fn each_kind_of_damage_takes_what_is_sound_and_lists_the_rest(app) {
        let boss = manager(app);
        let lines = |answer: &Answer, what: &str| -> Vec<(u64, String)> {
            answer.json[what].as_array().unwrap().iter().map(|line| (line["line"].as_u64().unwrap(), line["code"].as_str().unwrap().to_owned())).collect()
        };
        let row = |n: u32| format!("2026-03-09,09:00:00,present,P{n},p{n},97,Yes,");
        for (n, file, rejected, notes) in [
            (1, format!("\u{feff}{HEAD}\r\n{}\r\n", row(1)), vec![], vec![]),
            (2, format!("{HEAD}\n{}", row(2)).replace(',', ";"), vec![], vec![]),
            (3, format!("Date,Time,Status,Name,ID\n{}\n", &row(3)[..33]), vec![], vec![(1, "missing_column"); 3]),
            (4, format!("{HEAD}\n{}\n2026-02-30,09:00,present,X,x,,,\n{},too,many\nshort\n\"open,09:00,present,X,x,,,\n", row(4), row(9)), vec![(3, "bad_date"), (4, "bad_row"), (5, "bad_row"), (6, "bad_row")], vec![]),
            (5, format!("{HEAD}\n{}\n2026-03-09,09:01:00,present,P5,p5,,No,\n2027-03-09,09:00,present,X,x,,,\n2020-03-09,09:00,present,X,x,,,\n2026-03-09,09:00,present,X,a/b,,,\n", row(5)), vec![(3, "conflict"), (4, "in_future"), (5, "too_old"), (6, "bad_id")], vec![]),
        ] {
            let answer = import(&boss, file.as_bytes()).expect(200);
            assert_eq!((answer.json["imported"].as_u64(), answer.json["people_added"].as_u64()), (Some(1), Some(1)), "{n} {answer:?}");
            let expected = |lines: Vec<(u64, &str)>| lines.into_iter().map(|(line, code)| (line, code.to_owned())).collect::<Vec<_>>();
            assert_eq!((lines(&answer, "rejected"), lines(&answer, "notes")), (expected(rejected), expected(notes)), "{n}");
            assert_eq!(days(&list(&boss, &format!("user=p{n}"))), [format!("2026-03-09 p{n} present")]);
        }
        for (file, code) in [("", "empty"), ("Date,Name\n", "missing_column"), ("PK\0\u{3}", "not_text")] {
            let answer = import(&boss, file.as_bytes()).expect(200);
            assert_eq!((answer.json["imported"].as_u64(), lines(&answer, "rejected")), (Some(0), vec![(1, code.to_owned())]));
        }
        assert_eq!(boss.send("POST", "/api/attendance/import", &[("content-type", "application/json")], Some(b"{}")).expect(415).code(), "unsupported_media_type");
        let large = format!("{HEAD}\n{}", "x".repeat(9 << 20));
        assert_eq!(import(&boss, large.as_bytes()).expect(413).code(), "too_large");
    }

    fn a_form_with_the_file_is_as_good_as_the_file(app) {
        let boss = manager(app);
        let form = |name: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n{HEAD}\n{}\n\r\n--x--\r\n", ADA[0]);
        let send = |name: &str| boss.send("POST", "/api/attendance/import", &[("content-type", "multipart/form-data; boundary=x")], Some(form(name).as_bytes()));
        assert_eq!(send("file").expect(200).json["imported"], 1);
        assert_eq!(send("other").expect(422).field("file"), "is required");
    }

    fn what_was_exported_is_taken_back_equal(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        taken(&boss, &["2026-03-09,09:00:00,present,'=1+1,ben,97,Yes,", "2026-03-09,23:59:59,present,\"O'Hara, \"\"Zoe\"\"\",e-1,,No,", "2026-03-06,,unknown,Zo\u{eb},zoe,,No,"]);
        let before = csv(&boss, "");
        assert!(before.starts_with(&format!("{HEAD}\r\n")) && before.lines().count() == 8, "{before}");
        assert!(before.contains(",'=1+1,ben,"), "no spreadsheet runs it: {before}");
        let again = import(&boss, before.as_bytes()).expect(200).json;
        assert_eq!((&again["imported"], &again["duplicates"], &again["rejected"]), (&json!(0), &json!(7), &json!([])));
        let other = TestApp::start(if matches!(app.target, cloud_api::config::Target::Sqlite(_)) { Backend::Sqlite } else { Backend::Postgres });
        let boss = manager(&other);
        assert_eq!(import(&boss, before.as_bytes()).expect(200).json["imported"], 7);
        let sorted = |text: &str| { let mut lines: Vec<_> = text.lines().map(str::to_owned).collect(); lines.sort(); lines };
        assert_eq!(sorted(&csv(&boss, "")), sorted(&before));
        assert_eq!(list(&boss, "user=ben")["items"][0]["name"], "=1+1");
    }

    fn a_clock_set_back_loses_nothing(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        app.set_time("2026-03-04T12:00:00Z");
        let boss = app.again(&boss);
        assert_eq!(days(&list(&boss, "")).len(), 4);
        // Only days that are over are absences, but for what somebody decided.
        assert_eq!(days(&list(&boss, "status=absent")), ["2026-03-09 ada absent"]);
        let month = |query: &str| analytics(&boss, query)["monthly"][0].clone();
        assert_eq!((&month("")["present"], &month("")["absent"]), (&json!(2), &json!(1)));
        assert_eq!(month("date_to=2026-03-04")["present"], 1);
    }

    fn a_clock_that_leapt_makes_nobody_absent(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        app.pass_time(NOW);
        app.set_time("2026-09-10T12:00:00Z");
        let boss = app.again(&boss);
        assert_eq!(days(&list(&boss, "status=absent")).len(), 3);
        app.pass_time("2026-03-11T12:00:00Z");
        assert_eq!(days(&list(&app.again(&boss), "status=absent")).len(), 4);
    }

    fn the_dated_files_follow_what_stands(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        taken(&boss, &["2026-01-05,09:00:00,present,Old,old,,No,"]);
        let folder = app.folder.path().join("exports");
        let file = |day: &str| std::fs::read_to_string(folder.join(format!("attendance_{day}.csv")));
        eventually("the file is written", || file("20260302").is_ok());
        eventually("all are", || file("20260309").is_ok());
        assert_eq!(file("20260302").unwrap(), format!("{HEAD}\r\n{}\r\n", ADA[0]));
        assert!(file("20260105").is_err(), "its day is past");
        assert!(file("20260304").is_err(), "nothing was recorded");
        sql(app, "DELETE FROM attendance_people WHERE id = 'ada'");
        eventually("somebody erased is in none", || file("20260302").is_err());
    }
}

fn both(test: impl Fn(&mut TestApp)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        test(&mut TestApp::start(backend));
    }
}

#[test]
fn without_workdays_nobody_is_ever_absent() {
    both(|app| {
        with_calendar(app, Calendar { workdays: Workdays::parse("none").unwrap(), ..Calendar::default() });
        let boss = manager(app);
        taken(&boss, &ADA[..3]);
        assert_eq!(days(&list(&boss, "status=absent")), Vec::<String>::new());
        let month = analytics(&boss, "")["monthly"][0].clone();
        assert_eq!((&month["present"], &month["absent"], &month["pct"]), (&json!(2), &json!(0), &Value::Null));
    });
}

#[test]
fn days_are_those_of_the_organisation_over_midnight_and_daylight_saving() {
    both(|app| {
        with_calendar(app, Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() });
        app.pass_time("2026-03-30T21:59:59Z");
        let boss = manager(app);
        taken(
            &boss,
            &[
                "2026-03-27,23:59:59,present,Ada,ada,,No,",
                "2026-03-28,00:00:00,present,Ada,ada,,No,",
                // The clocks skip from two to three.
                "2026-03-29,02:30:00,present,Ada,ada,,No,",
                "2026-03-30,09:16:00,late,Ada,ada,,No,",
            ],
        );
        let items = list(&boss, "")["items"].as_array().unwrap().clone();
        let times: Vec<_> = items
            .iter()
            .map(|item| format!("{} {}", item["date"].as_str().unwrap(), item["time"].as_str().unwrap()))
            .collect();
        assert_eq!(times, ["2026-03-30 09:16:00", "2026-03-29 03:30:00", "2026-03-28 00:00:00", "2026-03-27 23:59:59"]);
        let arrivals: Vec<_> = analytics(&boss, "")["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mark| mark["arrival_time"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(arrivals, ["23:59:00", "00:00:00", "03:30:00", "09:16:00"]);
        // Monday is not over until Berlin's midnight, two seconds later.
        taken(&boss, &["2026-03-27,09:00:00,present,Ben,ben,,No,"]);
        assert_eq!(days(&list(&boss, "status=absent&user=ben")), Vec::<String>::new());
        app.pass_time("2026-03-30T22:00:00Z");
        assert_eq!(days(&list(&boss, "status=absent&user=ben")), ["2026-03-30 ben absent"]);
    });
}
