//! Where the command `backup` writes, and what is left when it is interrupted.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::FileTypeExt as _,
    process::{Command, Stdio},
};

use diesel::connection::SimpleConnection as _;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    archive_kit::eventually,
    commands::{run, says},
    postgres::Database,
    process::program,
};

#[test]
fn a_backup_goes_to_a_plain_file_or_a_pipe_and_replaces_nothing_unasked() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    assert!(run(home.path(), &["migrate"]).status.success());
    assert!(run(home.path(), &["backup", "b.gz"]).status.success());
    let first = fs::read(at("b.gz")).unwrap();
    says(&run(home.path(), &["backup", "b.gz"]), 1, "--force");
    assert_eq!(fs::read(at("b.gz")).unwrap(), first);
    assert!(run(home.path(), &["backup", "--force", "b.gz"]).status.success());
    // Devices, pipes and folders are not replaced.
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::create_dir(at("folder")).unwrap();
    for path in ["/dev/null", "pipe", "folder"] {
        says(&run(home.path(), &["backup", "--force", path]), 1, "standard output");
    }
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert!(fs::metadata(at("pipe")).unwrap().file_type().is_fifo());
    // A symbolic link is followed to the file.
    fs::create_dir(at("disk")).unwrap();
    fs::write(at("disk/real.gz"), "old").unwrap();
    std::os::unix::fs::symlink("disk/real.gz", at("link.gz")).unwrap();
    assert!(run(home.path(), &["backup", "--force", "link.gz"]).status.success());
    assert!(fs::symlink_metadata(at("link.gz")).unwrap().is_symlink());
    assert!(fs::read(at("disk/real.gz")).unwrap().starts_with(&[0x1f, 0x8b]));
    std::os::unix::fs::symlink("away/real.gz", at("astray.gz")).unwrap();
    says(&run(home.path(), &["backup", "astray.gz"]), 1, "standard output");
    // `-` reads from and writes to a pipe.
    let piped = run(home.path(), &["backup", "-"]);
    assert!(piped.status.success() && piped.stdout.starts_with(&[0x1f, 0x8b]) && !at("-").exists());
    let mut restore = program(home.path());
    restore
        .args(["restore", "-", "--no-ledger", "--database", "sqlite:second.db"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut restore = restore.spawn().unwrap();
    restore.stdin.take().unwrap().write_all(&piped.stdout).unwrap();
    assert!(restore.wait().unwrap().success());
    says(&run(home.path(), &["backup", "/nowhere/b.gz"]), 1, "folder");
}

#[test]
fn a_backup_that_is_interrupted_leaves_nothing() {
    let (home, database) = (tempfile::tempdir().unwrap(), Database::create());
    let command = |args: &[&str]| {
        let mut command = program(home.path());
        command.env("DATABASE_URL", database.url()).args(args).stdout(Stdio::null());
        command
    };
    assert!(command(&["migrate"]).status().unwrap().success());
    let mut other = database.connect();
    other.batch_execute("BEGIN; LOCK TABLE consents IN ACCESS EXCLUSIVE MODE").unwrap();
    let names = || fs::read_dir(home.path()).unwrap().count();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let mut backup = command(&["backup", "b.gz"]).spawn().unwrap();
        eventually("the backup waits", || database.waiting() == 1);
        kill_process(Pid::from_child(&backup), signal).unwrap();
        assert_eq!(backup.wait().unwrap().code(), None);
        assert_eq!(names(), 0, "{signal:?}");
        // PostgreSQL itself notices only after its wait that nobody asks any more.
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        other.batch_execute(end).unwrap();
        eventually("its connection is gone", || database.waiting() == 0);
    }
}

#[test]
fn a_backup_to_nowhere_is_none() {
    let home = tempfile::tempdir().unwrap();
    assert!(run(home.path(), &["migrate"]).status.success());
    for nowhere in ["- >&-", "- >/dev/null"] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {} backup {nowhere}", env!("CARGO_BIN_EXE_cloud-api"))]);
        says(&shell.env_clear().env("HOME", home.path()).output().unwrap(), 1, "nowhere");
    }
}
