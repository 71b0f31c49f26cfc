//! Figures of attendance: weeks, badges, the leaderboard, days of the organisation.

use super::*;

contract! {
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

/// Tuesday's server died at noon and came back on Wednesday, before anybody was there.
#[test]
fn a_day_on_which_no_server_ran_is_nobodys_absence() {
    both(|app| {
        let boss = manager(app);
        taken(&boss, &ADA[..1]);
        eventually("the desk is known to work", || app.count("housekeeping WHERE what = 'desk'") == 1);
        app.stop();
        app.pass_time("2026-03-11T05:00:00Z");
        app.restart();
        eventually("the gap is noted", || app.count("attendance_outages") == 1);
        app.pass_time("2026-03-12T00:00:00Z");
        let boss = app.again(&boss);
        assert_eq!(days(&list(&boss, "status=unknown")), ["2026-03-10 ada unknown"]);
        assert_eq!(days(&list(&boss, "status=absent&date_from=2026-03-10")), ["2026-03-11 ada absent"]);
    });
}

/// The server was off for so long that the clock is doubted, and nobody's minutes confirm it. After a day it is believed.
#[test]
fn the_desk_believes_a_clock_that_leapt_after_a_day() {
    both(|app| {
        let boss = manager(app);
        taken(&boss, &ADA[..1]);
        eventually("the desk is known to work", || app.count("housekeeping WHERE what = 'desk'") == 1);
        eventually("retention ran", || app.count("housekeeping WHERE what = 'retention'") == 1);
        app.stop();
        app.set_time("2026-03-16T05:00:00Z");
        app.restart();
        eventually("the leap is noticed", || app.count("housekeeping WHERE what = 'doubt'") == 1);
        let listed = |app: &TestApp, status: &str| {
            days(&list(&app.again(&boss), &format!("status={status}&date_from=2026-03-10")))
        };
        assert_eq!((listed(app, "unknown"), listed(app, "absent")), (vec![], vec![]));
        app.set_time("2026-03-17T05:00:00Z");
        app.restart();
        eventually("the gap is noted", || app.count("attendance_outages") == 5);
        let away = ["16", "13", "12", "11", "10"].map(|day| format!("2026-03-{day} ada unknown"));
        assert_eq!((listed(app, "unknown"), listed(app, "absent")), (away.to_vec(), vec![]));
        app.set_time("2026-03-18T00:00:00Z");
        assert_eq!(listed(app, "absent"), ["2026-03-17 ada absent"]);
    });
}

#[test]
fn days_are_those_of_the_organisation_over_midnight_and_daylight_saving() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let calendar = Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() };
        let app = &TestApp::start_with(backend, |app| app.attendance.calendar = Arc::new(calendar));
        // Otherwise it would first look at the later time, and note the days between as days without a desk.
        eventually("the desk is known to work", || app.count("housekeeping WHERE what = 'desk'") == 1);
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
    }
}
