//! `blinkctl ask` against a model of the test's own: what leaves, and every answer that is none.

use std::{
    io::Write as _,
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use blink_proto::consent::ConsentRecord;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{report::yesterday, run::Profile};

/// A server that gives the same answer each time, and keeps what it was sent.
struct Model {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Model {
    fn answering(status: &'static str, head: &'static str, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&seen);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                kept.lock().unwrap().push(request(&mut stream));
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{head}connection: close\r\n\r\n", body.len());
                // A client that has read enough hangs up.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
            }
        });
        Self { address, seen }
    }

    fn saying(text: &str) -> Self {
        Self::answering("200 OK", "", json!({"choices": [{"message": {"content": text}}]}).to_string())
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// The whole request: the head, and as much after it as it says.
fn request(stream: &mut impl std::io::Read) -> String {
    let (mut bytes, mut some) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut some).unwrap();
        bytes.extend(&some[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

/// A profile with consent and two hours of yesterday.
fn consenting() -> Profile {
    let profile = Profile::new();
    yesterday(&profile);
    blink_profile::consent::save(&profile.paths(), &ConsentRecord::granted(Timestamp::UNIX_EPOCH)).unwrap();
    profile
}

const QUESTION: &str = "When do I blink least?";

#[test]
fn what_leaves_is_what_was_shown_before_byte_for_byte() {
    let profile = consenting();
    let model = Model::saying("You blinked 15 times a minute, and 10 at 10:00.");
    let shown = profile.run(&["ask", QUESTION, "--model", "small", "--dry-run"]);
    assert_eq!((shown.exit, model.seen().len()), (Some(0), 0));
    let ran = profile.run(&["ask", QUESTION, "--model", "small", "--model-url", &model.address]);
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (Some(0), "You blinked 15 times a minute, and 10 at 10:00.\n"),
        "{}",
        ran.stderr
    );
    let seen = model.seen();
    let (head, body) = seen[0].split_once("\r\n\r\n").unwrap();
    assert_eq!((seen.len(), body), (1, shown.stdout.as_str()));
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(!head.to_ascii_lowercase().contains("authorization"));
    // Sums leave, and no minute: none of the minutes' fields, no machine, no path.
    for private in ["from_timestamp", "device_id", "T09:", "user_id", profile.path("").to_str().unwrap()] {
        assert!(!body.contains(private), "{private}");
    }
    let sent: Value = serde_json::from_str(body).unwrap();
    assert_eq!(sent["model"], "small");
    assert!(sent["messages"][1]["content"].as_str().unwrap().ends_with(QUESTION));
}

#[test]
fn numbers_that_the_model_made_up_are_struck_out() {
    let profile = consenting();
    let model = Model::saying("You blinked 15.0 times, but 23.7 is usual, as fifty people do.");
    let args = ["ask", QUESTION, "--model-url", &model.address];
    let ran = profile.run(&args);
    let expected = "You blinked 15.0 times, but ~~23.7~~ is usual, as ~~fifty~~ people do.\n\
                    2 numbers are struck out: they are not in your figures.\n";
    assert_eq!(ran.stdout, expected);
    let ran = profile.run(&[&args[..], &["--json"]].concat());
    let result: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&result["model"], &result["stricken"]), (&json!("default"), &json!(["23.7", "fifty"])));
}

#[rstest]
#[case::refusal("200 OK", "", json!({"choices": [{"message": {"refusal": "I may not."}}]}).to_string(), "The model refuses: I may not.")]
#[case::another_page("200 OK", "", "<html>".to_owned(), "does not answer as OpenAI's address does")]
#[case::empty("200 OK", "", json!({"choices": []}).to_string(), "The model's answer is empty")]
#[case::huge("200 OK", "", " ".repeat(10 << 20), "The model's answer is over 1 MB")]
#[case::no_key("401 Unauthorized", "", "{}".to_owned(), "--key-file")]
#[case::unknown_model("404 Not Found", "", "{}".to_owned(), "--model")]
#[case::redirect(
    "307 Temporary Redirect",
    "location: https://elsewhere.example/v1\r\n",
    String::new(),
    "sends on to https://elsewhere.example/v1, and nothing was sent there"
)]
fn an_answer_that_is_none_is_said(
    #[case] status: &'static str,
    #[case] head: &'static str,
    #[case] body: String,
    #[case] said: &str,
) {
    let profile = consenting();
    let model = Model::answering(status, head, body);
    let ran = profile.run(&["ask", QUESTION, "--model-url", &model.address]);
    ran.assert_fails(1);
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    assert_eq!(model.seen().len(), 1);
}

#[test]
fn a_slow_model_is_waited_for() {
    let profile = consenting();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let answers = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        request(&mut stream);
        let body = json!({"choices": [{"message": {"content": "At last."}}]}).to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        // Byte by byte, as over a slow line.
        for byte in (head + &body).bytes() {
            stream.write_all(&[byte]).unwrap();
            stream.flush().unwrap();
            thread::yield_now();
        }
    });
    let ran = profile.run(&["ask", QUESTION, "--model-url", &address]);
    answers.join().unwrap();
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(0), "At last.\n"), "{}", ran.stderr);
}

#[rstest]
#[case::no_model(&["ask", QUESTION], 2, "No model is named")]
#[case::plain_http(&["ask", QUESTION, "--model-url", "http://model.example/v1"], 2, "would send everything unencrypted")]
#[case::no_address(&["ask", QUESTION, "--model-url", "model"], 2, "is not a server's address")]
#[case::no_key_file(&["ask", QUESTION, "--model-url", "http://127.0.0.1:9/v1", "--key-file", "/none"], 2, "/none cannot be read")]
#[case::no_question(&["ask", "  ", "--dry-run"], 2, "1 to 1000 characters")]
#[case::nobody_there(&["ask", QUESTION, "--model-url", "http://127.0.0.1:9/v1"], 1, "does not answer")]
fn what_cannot_be_asked_is_refused(#[case] args: &[&str], #[case] exit: i32, #[case] said: &str) {
    let ran = consenting().run(args);
    ran.assert_fails(exit);
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn without_consent_nothing_is_told_not_even_to_look_at() {
    let profile = Profile::new();
    yesterday(&profile);
    let ran = profile.run(&["ask", QUESTION, "--dry-run"]);
    ran.assert_fails(1);
    assert!(ran.stderr.contains("There is no consent on this machine"), "{}", ran.stderr);
}
