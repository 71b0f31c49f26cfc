//! Attendance as CSV, in and out.

use super::*;

contract! {
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

    fn the_first_thousand_faults_are_listed_and_the_others_counted(app) {
        let boss = manager(app);
        let noted = (0..1_100).map(|n| format!("2026-03-09,09:00:00,present,P{n},p{n},,No,none\n"));
        // The last of these is a duplicate but for its time, which only the database knows.
        let other = "2026-03-09,09:01:00,present,P0,p0,,No,\n".to_owned();
        let file: String = std::iter::once(format!("{HEAD}\n")).chain(noted).chain(vec!["short\n".to_owned(); 1_100]).chain([other]).collect();
        let answer = import(&boss, file.as_bytes()).expect(200).json;
        assert_eq!((&answer["imported"], &answer["rejected_more"], &answer["notes_more"]), (&json!(1_100), &json!(101), &json!(100)));
        for (what, first) in [("rejected", 1_102), ("notes", 2)] {
            let lines: Vec<u64> = answer[what].as_array().unwrap().iter().map(|line| line["line"].as_u64().unwrap()).collect();
            assert!(lines.iter().copied().eq(first..first + 1_000), "{what}: {:?}", lines.first());
        }
    }

    fn a_new_person_is_enrolled_from_their_first_day_in_the_file_on(app) {
        let boss = manager(app);
        let others = (0..600).map(|n| format!("2026-03-09,09:00:00,present,P{n},p{n},,No,"));
        let own = |day: &str| format!("2026-03-{day},09:00:00,present,Ada,ada,,No,");
        let lines: Vec<String> = std::iter::once(own("06")).chain(others).chain([own("03")]).collect();
        // Days that are not taken count for nothing.
        let file = format!("{HEAD}\n{}\n2020-01-01,09:00:00,present,Ada,ada,,No,", lines.join("\n"));
        assert_eq!(import(&boss, file.as_bytes()).expect(200).json["imported"], 602);
        let ada = boss.get("/api/attendance/people?limit=1").expect(200).json["items"][0].clone();
        assert_eq!((&ada["id"], &ada["enrolled_on"]), (&json!("ada"), &json!("2026-03-03")));
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

    fn the_dated_files_follow_what_stands(app) {
        let boss = manager(app);
        taken(&boss, ADA);
        taken(&boss, &["2026-01-05,09:00:00,present,Old,old,,No,", "2026-03-06,09:00:00,present,Ben,ben,,No,"]);
        let folder = app.folder.path().join("exports");
        let file = |day: &str| std::fs::read_to_string(folder.join(format!("attendance_{day}.csv")));
        eventually("the file is written", || file("20260302").is_ok());
        eventually("all are", || file("20260309").is_ok());
        assert_eq!(file("20260302").unwrap(), format!("{HEAD}\r\n{}\r\n", ADA[0]));
        assert!(file("20260105").is_err(), "its day is past");
        assert!(file("20260304").is_err(), "nothing was recorded");
        // A correction by seconds changes no month of days.
        let record = list(&boss, "user=ben")["items"][0]["record_id"].as_str().unwrap().to_owned();
        let change = json!({"time": "09:00:30", "reason": "the clock on the wall"}).to_string();
        boss.send("PATCH", &format!("/api/attendance/records/{record}"), &[("content-type", "application/json")], Some(change.as_bytes())).expect(200);
        sql(app, "DELETE FROM attendance_people WHERE id = 'ada'");
        eventually("somebody erased is in none", || file("20260302").is_err());
        eventually("the correction is written", || file("20260306").unwrap().contains("2026-03-06,09:00:30,"));
    }
}

#[test]
fn whoever_was_erased_while_no_server_ran_is_in_no_file() {
    both(|app| {
        let boss = manager(app);
        taken(&boss, ADA);
        let folder = app.folder.path().join("exports");
        let files = || std::fs::read_dir(&folder).map_or(0, Iterator::count);
        eventually("the files are written", || files() == 4);
        app.stop();
        sql(app, "DELETE FROM attendance_people WHERE id = 'ada'");
        // A clock that was ahead wrote this one.
        std::fs::write(folder.join("attendance_20260401.csv"), "Ada").unwrap();
        app.restart();
        eventually("they are gone", || files() == 0);
    });
}
