//! The lockdown, tried from inside.

use crate::worker::{Worker, command};

/// The program locks itself down and then tries what must be refused.
#[test]
fn everything_that_must_be_refused_is() {
    let output = command().arg("check").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}");
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("POSSIBLE") && text.contains("connecting by TCP: refused"), "{text}");
    assert!(text.contains("a signal to another process: refused"), "{text}");
}

/// As on a kernel without Landlock, whose call is not there.
#[test]
fn without_landlock_there_is_no_worker() {
    use std::os::unix::process::CommandExt as _;

    use blink_proto::faces::{FromWorker, frame};
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    let missing = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let rules = [(libc::SYS_landlock_create_ruleset, Vec::new())].into_iter().collect();
    let architecture = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, missing, architecture).unwrap();
    let filter = BpfProgram::try_from(filter).unwrap();
    let mut program = command();
    #[expect(unsafe_code, reason = "the filter must be there before the program starts")]
    // SAFETY: between fork and exec the filter, which is made already, is only handed to the kernel.
    unsafe {
        program.pre_exec(move || apply_filter(&filter).map_err(std::io::Error::other));
    }
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told: Option<FromWorker> = frame::read(&mut &output.stdout[..], &mut Vec::new()).unwrap();
    match told {
        Some(FromWorker::Unable { code, message }) if code == "lockdown_failed" => println!("{message}"),
        Some(FromWorker::Unable { code, message }) if code == "model_missing" => println!("skipped: {message}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_worker_says_what_is_in_force_and_ends_with_its_input() {
    let Some((worker, ready)) = Worker::start() else { return };
    println!("loaded in {} ms, {:?}", ready.load_ms, ready.lockdown);
    assert!(["rlimits", "landlock", "seccomp"].iter().all(|part| ready.lockdown.iter().any(|named| named == part)));
    assert!(worker.end());
}

/// A thread from before the lockdown would be outside of a part of it.
#[test]
fn a_ready_worker_has_one_thread_and_no_file_but_its_pipes() {
    let Some((worker, _)) = Worker::start() else { return };
    let entries = |name: &str| std::fs::read_dir(format!("/proc/{}/{name}", worker.id())).unwrap().flatten();
    assert_eq!(entries("task").count(), 1);
    for entry in entries("fd") {
        let open = std::fs::read_link(entry.path()).unwrap();
        let open = open.to_string_lossy();
        assert!(
            ["pipe:", "/dev/null"].iter().any(|known| open.starts_with(known)) || entry.file_name() == "2",
            "{open}"
        );
    }
}

#[test]
fn missing_models_are_told_on_the_pipe() {
    use blink_proto::faces::{FromWorker, frame};
    let folder = std::env::temp_dir().join("no-models-here");
    let mut child = command()
        .env("BLINKD_MODELS_DIR", &folder)
        .env("XDG_DATA_HOME", &folder)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let told: Option<FromWorker> = frame::read(child.stdout.as_mut().unwrap(), &mut Vec::new()).unwrap();
    assert!(matches!(told, Some(FromWorker::Unable { code, .. }) if code == "model_missing"));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
