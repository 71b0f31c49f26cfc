//! Who was there when, as lists.

use cloud_api::{
    attendance::record::{Day, Status},
    db::attendance::lists,
};

use super::*;

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

    fn records_of_some_days_are_those_of_the_status_alone(app) {
        taken(&manager(app), &[
            "2026-03-02,09:00:00,present,Ada,ada,,No,", "2026-03-03,,absent,Ada,ada,,No,",
            "2026-03-02,,absent,Ben,ben,,No,", "2026-03-03,09:30:00,late,Ben,ben,,No,",
        ]);
        let days = ["2026-03-02", "2026-03-03"].map(|day| day.parse::<Day>().unwrap());
        let mut conn = open::connect(&app.target).unwrap();
        let found = lists::of_days(&mut conn, &["ada", "ben"].map(str::to_owned).into(), &days.into(), Status::Absent).unwrap();
        let mut found: Vec<_> = found.into_keys().collect();
        found.sort();
        assert_eq!(found, [("ada".to_owned(), days[1]), ("ben".to_owned(), days[0])]);
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
}
