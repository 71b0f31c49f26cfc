//! Of a picture nothing reaches a disk: what the server and its workers write is followed with strace, and what they wrote
//! is searched for the pictures.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::process::Signal;
use waw_tests::{Profile, clip, server::command, skipped, until};

use super::{Desk, FPS, pictures, times};

/// Everything that writes to a file, makes one, or gives one another name.
const CALLS: &str = "trace=open,openat,openat2,creat,memfd_create,mknod,mknodat,link,linkat,symlink,symlinkat,rename,renameat,\
    renameat2,write,pwrite64,writev,pwritev,pwritev2,sendfile,splice,tee,vmsplice,copy_file_range,truncate,ftruncate,fallocate,\
    mmap";

/// The command that serves while its calls, and those of the processes that it starts, are written to `trace`. The server
/// is our own child, and strace is another one of its.
fn traced(profile: &Profile, trace: &Path) -> Command {
    let serve = command(profile, "127.0.0.1:0");
    let mut strace = profile.plain("strace");
    strace
        .args(["-D", "-f", "-y", "-s", "0", "-e", CALLS, "-o"])
        .arg(trace)
        .arg(serve.get_program())
        .args(serve.get_args());
    strace.env("CLOUD_API_LIVENESS", "blink").env("CLOUD_API_FACE_WORKERS", "1");
    strace
}

/// What a call did to a file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    Wrote(PathBuf),
    Made(String),
}

/// What a line of the trace says that was done to a file; pipes and sockets are none.
fn done(line: &str) -> Option<Done> {
    let call = line.split_once(' ')?.1.trim_start();
    // What a call that another interrupted was given stands in the line of its beginning.
    let (name, arguments) = call.split_once('(').filter(|_| !call.starts_with("<... "))?;
    let shared = || arguments.contains("MAP_SHARED") && arguments.contains("PROT_WRITE");
    match name {
        "open" | "openat" | "openat2" if !arguments.contains("O_CREAT") && !arguments.contains("O_TMPFILE") => None,
        "mmap" if !shared() => None,
        "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2" | "ftruncate" | "fallocate" | "mmap" => {
            let path = arguments.split_once("</")?.1.split_once('>')?.0;
            (!path.starts_with("dev/")).then(|| Done::Wrote(Path::new("/").join(path)))
        }
        _ => Some(Done::Made(arguments.to_owned())),
    }
}

/// All files of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (folders, mut all): (Vec<PathBuf>, Vec<PathBuf>) =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).partition(|path| path.is_dir());
    all.extend(folders.iter().flat_map(|folder| files(folder)));
    all
}

/// Whether there are 32 bytes in a row of the picture in these bytes, at any place. A JPEG's tables, which are the same in
/// all of them, come before its data.
fn holds(bytes: &[u8], pieces: &HashSet<&[u8]>) -> bool {
    bytes.windows(32).any(|window| pieces.contains(window))
}

#[test]
fn of_twenty_marks_no_picture_reaches_a_disk() {
    let profile = Profile::new();
    let works = profile.plain("strace").args(["-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        return skipped("what is written to disk: strace is missing, or may follow nothing here");
    }
    let clip = clip::alive(&profile, 8, 15, 3);
    let pictures = pictures(&clip);
    let video = fs::read(&clip.path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let Some(mut desk) = Desk::start(&profile, &mut traced(&profile, &trace)) else { return };
    let before = fs::read_to_string(&trace).unwrap().len();
    desk.enrol(&pictures[3]);
    let mut decided = Vec::new();
    for n in 0..20 {
        let mut form = Vec::new();
        match n % 4 {
            0 | 1 => form.push(("image", pictures[n].clone())),
            2 => {
                let shown = &pictures[n..n + 2 * usize::try_from(3 * FPS).unwrap()];
                form.extend(shown.iter().step_by(2).map(|picture| ("frames[]", picture.clone())));
                form.push(("timestamps_ms", times(form.len())));
            }
            _ => form.push(("video", video.clone())),
        }
        let (status, answer) = desk.send("POST", "/api/attendance/mark-attendance", &form);
        assert_eq!((status, &answer["id"]), (200, &"ada".into()), "{answer}");
        decided.push(answer["status"].as_str().unwrap().to_owned());
    }
    assert!(decided.iter().any(|status| status == "already_marked"), "{decided:?}");

    // What was written is looked at while it is there: the log of the database goes when the server ends.
    let pieces: HashSet<&[u8]> = pictures.iter().flat_map(|picture| picture[1_000..].chunks_exact(32)).collect();
    assert!(holds(&[b"before", &pictures[3][1_000..]].concat(), &pieces));
    let files = files(profile.path());
    for file in files.iter().filter(|file| **file != clip.path) {
        assert!(!holds(&fs::read(file).unwrap(), &pieces), "{} holds a part of a picture", file.display());
    }
    desk.server.program().signal(Signal::KILL);
    let lines = until("strace to have written everything", Duration::from_secs(20), || {
        let text = fs::read_to_string(&trace).unwrap();
        text.lines().last().is_some_and(|line| line.contains("+++")).then(|| text[before..].to_owned())
    });
    let done: BTreeSet<Done> = lines.lines().filter_map(done).collect();
    let exports = profile.path().join("data/cloud-api/exports");
    let is_known = |done: &Done| match done {
        // A day's file is written beside its place and then renamed.
        Done::Wrote(path) => files.contains(path) || path.starts_with(&exports) || path == Path::new("/memfd:video"),
        Done::Made(arguments) => arguments.contains("data/cloud-api/") || arguments.contains("MFD_CLOEXEC"),
    };
    println!("20 marks: {decided:?}; files written or made: {done:?}");
    let unknown: Vec<&Done> = done.iter().filter(|done| !is_known(done)).collect();
    assert_eq!(unknown, Vec::<&Done>::new());
    assert!(done.iter().any(|done| matches!(done, Done::Wrote(path) if path.ends_with("server.db-wal"))));
}
