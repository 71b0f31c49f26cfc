//! Tests of the real program on a disk that is full or read-only. They mount a small file system, which only root may
//! do; other users see that the tests were skipped.

use std::{
    fs,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use blink_profile::Paths;
use blink_proto::{
    doctor::Level,
    ipc::{Reply, Request},
};

use crate::{
    fixture::{Client, say, until_within},
    program::{Program, blinkd, said},
};

/// Whether a file system can be mounted here; prints a message if not.
fn may_mount() -> bool {
    let try_it = "mount -t tmpfs -o size=1m none /mnt";
    let mut command = Command::new("unshare");
    let tried = command.args(["--mount", "sh", "-c", try_it]).stdout(Stdio::null()).stderr(Stdio::null());
    let may = tried.status().is_ok_and(|status| status.success());
    if !may {
        say("skipped: this user may not mount a file system");
    }
    may
}

/// `blinkd run` in a mount namespace of its own, after the shell commands `mounting`.
fn in_namespace(root: &Path, mounting: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &format!("{mounting} && exec \"$0\" \"$@\"")]);
    running(root, command)
}

/// `blinkd run` in the mount namespace `space`.
fn again_in(space: &fs::File, root: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--mount=/proc/{}/fd/{}", std::process::id(), space.as_raw_fd()));
    running(root, command)
}

/// `blinkd run`, started through `command`.
fn running(root: &Path, mut command: Command) -> Command {
    let program = blinkd(root, &["run", "--headless", "--source", "synthetic:bpm=60"]);
    command.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A program whose data folder, which is returned with it, is a file system of 8 MB.
fn on_a_small_disk(root: &Path) -> (PathBuf, Program) {
    let data = Paths::under(root).data;
    fs::create_dir_all(&data).unwrap();
    let mounting = format!("mount -t tmpfs -o size=8m none '{}'", data.display());
    let program = Program::run(root, &mut in_namespace(root, &mounting));
    (data, program)
}

fn connected(root: &Path) -> Client {
    let mut client = Client::connect(&Paths::under(root).socket());
    client.greet();
    client
}

/// A path as the program sees it.
fn inside(program: &Program, path: &Path) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root{}", program.0.id(), path.display()))
}

/// Fills the disk under `data` to the last byte; returns the file that fills it.
fn fill(data: &Path) -> PathBuf {
    let folder = data.join("models");
    fs::create_dir(&folder).unwrap();
    let filler = folder.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    // It writes large pieces first, then small ones.
    for size in [64 << 10, 4 << 10, 1] {
        while std::io::Write::write_all(&mut file, &vec![0; size]).is_ok() {}
    }
    filler
}

fn doctor(client: &mut Client) -> Vec<blink_proto::doctor::Check> {
    match client.call(Request::Doctor) {
        Ok(Reply::Doctor { checks }) => checks,
        other => panic!("no checks: {other:?}"),
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn on_a_full_disk_counting_goes_on_and_all_is_written_when_there_is_room() {
    if !may_mount() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (data, mut program) = on_a_small_disk(root.path());
    let mut client = connected(root.path());
    client.consent();
    until_within(PATIENCE, "blinks", || client.status().blinks_session >= 2);

    let filler = fill(&inside(&program, &data));
    until_within(PATIENCE, "the full disk", || client.status().last_error.is_some_and(|e| e.code == "disk_full"));
    let before = client.status().blinks_session;
    until_within(PATIENCE, "counting on", || client.status().blinks_session >= before + 3);
    let disk = doctor(&mut client).into_iter().find(|check| check.id == "disk").unwrap();
    assert_eq!(disk.level, Level::Problem, "{disk:?}");

    fs::remove_file(&filler).unwrap();
    until_within(PATIENCE, "room again", || client.status().last_error.is_none());
    // The blinks counted meanwhile are there once, in this process and in the next.
    client.call(Request::Pause(blink_proto::ipc::PauseSpan::default())).unwrap();
    until_within(PATIENCE, "closing", || client.status().fps == 0.0);
    let status = client.status();
    assert_eq!(status.today.blink_count, status.blinks_session);
    // The next process runs on the same file system, which the open file keeps mounted.
    let space = fs::File::open(format!("/proc/{}/ns/mnt", program.0.id())).unwrap();
    client.call(Request::Quit).unwrap();
    assert!(program.0.wait().unwrap().success());
    let _next = Program::run(root.path(), &mut again_in(&space, root.path()));
    let mut client = connected(root.path());
    assert_eq!(client.status().today.blink_count, status.blinks_session);
    let meanwhile = status.blinks_session - before;
    say(&format!("blinks counted {}, of them on the full disk {meanwhile}", status.blinks_session));
}

#[test]
fn started_again_on_a_full_disk_it_goes_on_with_the_minute_that_was_saved() {
    if !may_mount() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (data, mut program) = on_a_small_disk(root.path());
    let mut client = connected(root.path());
    client.consent();
    until_within(PATIENCE, "blinks", || client.status().blinks_session >= 3);
    // A blink is counted and saved before subscribers are told.
    let before = client.status().today.blink_count;
    fill(&inside(&program, &data));
    let space = fs::File::open(format!("/proc/{}/ns/mnt", program.0.id())).unwrap();
    program.0.kill().unwrap();
    program.0.wait().unwrap();

    let program = Program::run(root.path(), &mut again_in(&space, root.path()));
    let mut client = connected(root.path());
    until_within(PATIENCE, "counting on", || client.status().blinks_session >= 2);
    let status = client.status();
    assert_eq!(status.last_error.map(|problem| problem.code), Some("disk_full".to_owned()));
    fs::remove_file(inside(&program, &data).join("models/filler")).unwrap();
    until_within(PATIENCE, "room again", || client.status().last_error.is_none());
    let status = client.status();
    assert!(status.today.blink_count >= before + status.blinks_session, "{before} were saved: {status:?}");
    say(&format!("blinks saved before {before}, counted since {}", status.blinks_session));
}

#[test]
fn a_folder_that_cannot_be_written_is_exit_1_and_one_line() {
    if !may_mount() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let data = Paths::under(root.path()).data;
    fs::create_dir_all(&data).unwrap();
    let mounting = format!("mount -t tmpfs -o size=8m none '{0}' && mount -o remount,ro '{0}'", data.display());
    let output = in_namespace(root.path(), &mounting).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = said(&output);
    assert!(line.contains("data folder") && line.contains(data.to_str().unwrap()), "{line}");
}

#[test]
fn a_store_that_cannot_be_made_is_said_and_made_when_it_can_be() {
    let root = tempfile::tempdir().unwrap();
    let store = Paths::under(root.path()).data.join("store");
    fs::create_dir_all(store.parent().unwrap()).unwrap();
    fs::write(&store, "in the way").unwrap();
    let mut command = blinkd(root.path(), &["run", "--headless", "--source", "synthetic:bpm=60"]);
    let _program = Program::run(root.path(), command.stdout(Stdio::null()).stderr(Stdio::null()));
    let mut client = connected(root.path());
    client.consent();
    until_within(PATIENCE, "the failing store", || {
        client.status().last_error.is_some_and(|error| error.code == "store_failed")
    });
    until_within(PATIENCE, "counting on", || client.status().blinks_session >= 2);
    fs::remove_file(&store).unwrap();
    until_within(PATIENCE, "mending", || client.status().last_error.is_none());
    assert!(client.status().today.blink_count >= 2);
    assert!(store.is_dir());
}
