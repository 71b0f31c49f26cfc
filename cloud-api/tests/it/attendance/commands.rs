//! `cloud-api attendance`: records and faces in and out at the machine.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use diesel::connection::SimpleConnection as _;
use serde_json::json;

use super::{kit::jpeg, worker::write_program};
use crate::{commands::says, process::program};

const HEAD: &str = "Date,Time,Status,Name,ID,Confidence,Liveness_Verified,Session_ID";

/// A home with a database.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    assert!(program(home.path()).arg("migrate").output().unwrap().status.success());
    home
}

fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = program(home);
    command.arg("attendance").args(args);
    command
}

fn run(home: &Path, args: &[&str]) -> Output {
    command(home, args).output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A day of last month, so that it is neither past retention nor to come.
fn day() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month().yesterday().unwrap()
}

#[test]
fn what_is_imported_is_exported_and_counted() {
    let (home, day) = (home(), day());
    let home = home.path();
    let (ada, ben) = (format!("{day},09:00:00,present,Ada,ada,97,Yes,"), format!("{day},10:00:00,late,Ben,ben,,No,"));
    fs::write(home.join("in.csv"), format!("{HEAD}\n{ada}\n{day},25:00,late,Eve,eve,,No,\n{ben}\n")).unwrap();
    let imported = run(home, &["import", "in.csv"]);
    says(&imported, 1, "1 lines of in.csv were not taken");
    let said = String::from_utf8(imported.stdout).unwrap();
    assert!(said.contains("line 3: not taken, bad_time: Time is \"25:00\""), "{said}");
    assert!(said.ends_with("2 records taken, 0 were there already, 2 people added, 1 lines not taken\n"), "{said}");

    let exported = done(&run(home, &["export"]));
    assert_eq!(exported, format!("{HEAD}\r\n{ben}\r\n{ada}\r\n"));
    assert_eq!(done(&run(home, &["export", "-o", "out.csv", "--user", "ada"])), "1 records in out.csv\n");
    assert_eq!(fs::read_to_string(home.join("out.csv")).unwrap(), format!("{HEAD}\r\n{ada}\r\n"));
    assert!(done(&run(home, &["import", "out.csv"])).starts_with("0 records taken, 1 were there already"));
    let range = ["export", "--from", "2020-01-01", "--to", "2020-12-31"];
    assert_eq!(done(&run(home, &range)), format!("{HEAD}\r\n"));

    assert_eq!(done(&run(home, &["recount"])), "2 people counted, 0 months mended\n");
    let target = cloud_api::config::Target::Sqlite(home.join(".local/share/cloud-api/server.db"));
    cloud_api::open::connect(&target).unwrap().batch_execute("DELETE FROM attendance_months").unwrap();
    assert_eq!(done(&run(home, &["recount"])), "2 people counted, 2 months mended\n");
}

#[test]
fn what_cannot_be_read_is_one_line() {
    let home = home();
    let home = home.path();
    says(&run(home, &["import", "none.csv"]), 1, "none.csv cannot be read");
    says(&run(home, &["import", "/dev/zero"]), 1, "no plain file");
    says(&run(home, &["export", "-o", "no/such/folder.csv"]), 1, "cannot be written");
    says(&run(home, &["enroll", "none"]), 2, "none cannot be read");
    fs::create_dir(home.join("empty")).unwrap();
    says(&run(home, &["enroll", "empty"]), 2, "holds no picture");
    says(&run(home, &["export", "--workdays", "someday"]), 2, "is no day of the week");
    let nowhere = tempfile::tempdir().unwrap();
    says(&run(nowhere.path(), &["export"]), 1, "There is no database");
}

#[test]
fn the_faces_of_a_folder_are_enrolled_as_the_desk_does() {
    let home = home();
    let home = home.path();
    let folder = home.join("pictures");
    fs::create_dir_all(folder.join("Eve Adams")).unwrap();
    let picture = |name: &str, script: serde_json::Value| fs::write(folder.join(name), jpeg(&script)).unwrap();
    picture("ada-1.jpg", json!({"face": 1.0}));
    picture("ada-2.jpg", json!({"face": 1.0}));
    picture("Eve Adams/front.jpg", json!({"face": 5.0}));
    picture("twin.jpg", json!({"face": 1.0}));
    fs::write(folder.join("svg.png"), "<svg/>").unwrap();
    fs::write(folder.join("notes.txt"), "x").unwrap();
    write_program(&home.join("worker"), "good");
    let enroll = |more: &[&str]| {
        let mut command = command(home, &[&["enroll", "pictures", "--face-worker", "./worker"], more].concat());
        command.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap()
    };
    let output = enroll(&[]);
    says(&output, 1, "2 of 4 people were not enrolled");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("Enrolling 4 people"), "{said}");
    assert_eq!(lines[1], "[1/4] Eve Adams: enrolled as eve-adams with 1 picture");
    assert_eq!(lines[2], "[2/4] ada: enrolled as ada with 2 pictures");
    assert!(lines[3].starts_with("[3/4] svg: not enrolled, "), "{said}");
    assert!(lines[4].starts_with("[4/4] twin: not enrolled, face_taken"), "{said}");
    assert!(lines[5].starts_with("passed over: ") && lines[5].ends_with("notes.txt"), "{said}");
    assert_eq!(lines[6], "2 enrolled, 0 were there already, 2 not enrolled, 1 files passed over");

    fs::remove_file(folder.join("svg.png")).unwrap();
    fs::remove_file(folder.join("twin.jpg")).unwrap();
    assert!(done(&enroll(&[])).ends_with("0 enrolled, 2 were there already, 0 not enrolled, 1 files passed over\n"));
    assert!(
        done(&enroll(&["--force"]))
            .ends_with("2 enrolled, 0 were there already, 0 not enrolled, 1 files passed over\n")
    );
    let without = command(home, &["enroll", "pictures", "--face-worker", "./no-such-program"]).output().unwrap();
    says(&without, 1, "Faces cannot be read");
}
