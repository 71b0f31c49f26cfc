//! Third-party programs started for tests: a sign-in provider, an S3 server, schemathesis. tests/tools lists them.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// The folder where `packaging/bootstrap.sh test` puts them: beside cargo's output, or `WAW_TEST_PEERS`.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("WAW_TEST_PEERS") {
        return folder.into();
    }
    let ourselves = std::env::current_exe().unwrap();
    let beside = ourselves.ancestors().map(|folder| folder.join("test-peers")).find(|folder| folder.is_dir());
    beside.expect("no test-peers beside the test: run packaging/bootstrap.sh test")
}

/// The path of one of their files, which must exist.
pub(crate) fn file(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(path.exists(), "{} is missing: run packaging/bootstrap.sh test", path.display());
    path
}

/// A program that runs until it is dropped.
pub(crate) struct Peer {
    child: Child,
    /// The text after the mark in the line that said it was ready.
    pub(crate) said: String,
}

impl Peer {
    /// Starts it and waits for a line on standard output or error that contains `mark`.
    pub(crate) fn start(command: &mut Command, mark: &str) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (told, heard) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let told = told.clone();
            // The pipe must be read to its end; otherwise it fills and the peer stops.
            thread::spawn(move || {
                BufReader::new(stream).lines().map_while(Result::ok).for_each(|l| drop(told.send(l)));
            });
        }
        drop(told);
        let mut peer = Self { child, said: String::new() };
        let mut before = Vec::new();
        loop {
            match heard.recv_timeout(Duration::from_secs(120)) {
                Ok(line) => match line.split_once(mark) {
                    Some((_, rest)) => {
                        peer.said = rest.trim().to_owned();
                        // Later lines do not matter, but the threads above must go on reading.
                        thread::spawn(move || heard.iter().for_each(drop));
                        return peer;
                    }
                    None => before.push(line),
                },
                Err(e) => panic!("{command:?} never said {mark:?} ({e}): {before:#?}"),
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// moto's S3 server. It accepts any key; buckets must be made first.
pub(crate) fn s3() -> Peer {
    let mut command = Command::new(file("venv/bin/moto_server"));
    Peer::start(command.args(["-H", "127.0.0.1", "-p", "0"]), " * Running on ")
}

#[test]
fn the_s3_server_answers() {
    let s3 = s3();
    let nobody = crate::harness::Client::new(&s3.said);
    assert_eq!(nobody.send("PUT", "/a-bucket", &[], Some(b"")).status, 200);
    assert!(nobody.get("/").text.contains("<Name>a-bucket</Name>"));
}
