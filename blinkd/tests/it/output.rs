//! Tests that results are on standard output, or that the exit code reports their absence.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{Read as _, pipe},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use rstest::rstest;

use crate::program::{blinkd, said};

/// A clip of the synthetic face with a name that is not UTF-8.
fn clip(root: &Path) -> PathBuf {
    let clip = root.join(OsStr::from_bytes(b"face\xff.avi"));
    assert!(blinkd(root, &["synthesize", "--seconds", "1"]).arg(&clip).output().unwrap().status.success());
    clip
}

/// The command, with the clip as its last argument if it needs one.
fn command(root: &Path, args: &[&str]) -> Command {
    let mut command = blinkd(root, args);
    if matches!(args[0], "analyze" | "bench") {
        command.arg(clip(root));
    }
    command
}

#[rstest]
#[case(&["--help"])]
#[case(&["--version"])]
#[case(&["analyze"])]
#[case(&["analyze", "--json"])]
#[case(&["bench"])]
#[case(&["bench", "--json"])]
#[case(&["cameras"])]
#[case(&["cameras", "--json"])]
#[case(&["models"])]
#[case(&["doctor"])]
#[case(&["doctor", "--json"])]
#[case(&["config", "path"])]
#[case(&["config", "show", "--json"])]
#[case(&["config", "get", "camera.source"])]
#[case(&["config", "set", "camera.source", "camera:1"])]
#[case(&["erase", "--local"])]
fn a_result_that_cannot_be_written_is_a_failure(#[case] args: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command(root.path(), args).stdout(full).output().unwrap();
    let line = said(&output);
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains("could not be written"), "{line}");
}

#[rstest]
#[case(&["--help"])]
#[case(&["analyze", "--json"])]
#[case(&["cameras"])]
#[case(&["config", "show"])]
fn a_reader_that_went_away_has_read_enough(#[case] args: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let output = command(root.path(), args).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}

#[rstest]
#[case("analyze", "input")]
#[case("bench", "clip")]
fn a_file_name_that_is_not_text_is_shown_as_well_as_can_be(#[case] name: &str, #[case] field: &str) {
    let root = tempfile::tempdir().unwrap();
    let output = command(root.path(), &[name, "--json"]).output().unwrap();
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), result["frames"].as_u64()), (Some(0), Some(30)));
    assert!(result[field].as_str().unwrap().ends_with("face\u{fffd}.avi"), "{result}");
}

#[test]
fn folders_whose_names_are_not_text_are_shown_too() {
    let root = tempfile::tempdir().unwrap();
    let home = root.path().join(OsStr::from_bytes(b"home\xff"));
    fs::create_dir(&home).unwrap();
    for args in [&["config", "path", "--json"][..], &["config", "show", "--json"]] {
        let output = blinkd(&home, args).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && shown.contains("home\u{fffd}"), "{shown}");
    }
}

/// A limit on the size of files stands in for a full disk.
#[test]
fn a_clip_that_does_not_fit_on_the_disk_is_a_failure() {
    let root = tempfile::tempdir().unwrap();
    let whole = blinkd(root.path(), &["synthesize", "face.avi", "--seconds", "2"]);
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$@\"", "sh"])
        .arg(whole.get_program())
        .args(whole.get_args())
        .current_dir(&root)
        .output()
        .unwrap();
    let line = said(&output);
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains("face.avi cannot be written"), "{line}");
}

#[test]
fn synthesize_writes_the_file_that_was_named() {
    let root = tempfile::tempdir().unwrap();
    let output =
        blinkd(root.path(), &["synthesize", "pipe:1.avi", "--seconds", "1"]).current_dir(&root).output().unwrap();
    assert!(output.status.success());
    let mut start = [0; 4];
    File::open(root.path().join("pipe:1.avi")).unwrap().read_exact(&mut start).unwrap();
    assert_eq!((&start, output.stdout.starts_with(b"pipe:1.avi: 30 frames")), (b"RIFF", true));
}

#[test]
fn synthesize_writes_mp4_too_and_no_other_kind() {
    let root = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| blinkd(root.path(), args).current_dir(&root).output().unwrap();
    assert!(run(&["synthesize", "face.mp4", "--seconds", "2"]).status.success());
    let mut start = [0; 8];
    File::open(root.path().join("face.mp4")).unwrap().read_exact(&mut start).unwrap();
    assert_eq!(&start[4..], b"ftyp");
    let analysed: serde_json::Value = serde_json::from_slice(&run(&["analyze", "face.mp4", "--json"]).stdout).unwrap();
    assert_eq!((&analysed["frames"], &analysed["truncated"]), (&60.into(), &false.into()));
    let refused = run(&["synthesize", "face.mkv"]);
    assert_eq!((refused.status.code(), said(&refused).contains("End the name in .avi or .mp4")), (Some(2), true));
}
