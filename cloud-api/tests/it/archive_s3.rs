//! The archive in S3, against a real moto server: reachable, unreachable, and refusing.

use std::process::Command;

use rstest::rstest;
use serde_json::json;

use crate::{
    archive_kit::*,
    harness::*,
    peers::{self, Peer},
};

fn bucket(s3: &str, name: &str) {
    let made = Client::new(s3).send("PUT", &format!("/{name}"), &[], Some(b""));
    assert_eq!(made.status, 200, "{made:?}");
}

fn with_buckets() -> Peer {
    let s3 = peers::s3();
    bucket(&s3.said, "waw-blink-data");
    bucket(&s3.said, "waw-logs");
    s3
}

/// The names in a bucket, as the S3 server lists them.
fn names(s3: &str) -> Vec<String> {
    let listed = Client::new(s3).get("/waw-blink-data?list-type=2").expect(200).text;
    listed.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap().to_owned()).collect()
}

fn figure(app: &TestApp, name: &str) -> Option<f64> {
    let figures = app.anonymous().get("/metrics").expect(200).text;
    figures.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn a_batch_becomes_an_object_in_the_bucket(#[case] backend: Backend) {
    let server = with_buckets();
    let app = start_with(backend, |_| config(s3(&server.said)));
    let ada = app.user();
    let batch = minutes("2026-03-10T09:00:00Z", 60, 17);
    ada.store(&batch);
    eventually("an object", || written(&app) == 1 && queue(&app).batches == 0);
    let names = names(&server.said);
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(names[0], objects(&app)[0].name);
    let somebody = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";
    let address = format!("{}/waw-blink-data/{}", server.said, names[0]);
    let raw = ureq::get(address).header("authorization", somebody).call().unwrap();
    let raw = raw.into_body().read_to_vec().unwrap();
    let holds = |text: &str| raw.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(
        raw.starts_with(b"WAWA\x01\x01") && !holds(&ada.id) && !holds("blink_count") && !names[0].contains(&ada.id)
    );
    assert_eq!(opened(&app), batch.iter().map(|minute| as_archived(minute, &ada)).collect::<Vec<_>>());
    let receipt = erase(&ada).expect(200);
    assert_eq!(store(&receipt, "archive")["status"], "done");
    assert!(self::names(&server.said).is_empty());
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn while_the_store_is_away_uploads_go_on_and_wait_for_it(#[case] backend: Backend) {
    let server = with_buckets();
    let proxy = SwitchableProxy::to(&server.said);
    let app = start_with(backend, |_| config(s3(&proxy.address)));
    proxy.close();
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 10, 2));
    ada.store(&minutes("2026-03-10T10:00:00Z", 10, 2));
    eventually("it is said", || {
        figure(&app, "archive_failures_total{what=\"store\"}").is_some_and(|count| count >= 1.0)
            && figure(&app, "archive_up") == Some(0.0)
            && figure(&app, "archive_queue_batches") == Some(2.0)
    });
    app.set_time("2026-03-10T12:10:00Z");
    eventually("its age is said", || figure(&app, "archive_queue_oldest_age_seconds") == Some(600.0));
    assert_eq!(written(&app), 0);
    proxy.open();
    eventually("archived", || written(&app) >= 1 && queue(&app).batches == 0);
    assert_eq!(times_archived(&app).len(), 20);
    // Objects begun during the outage are removed once they cannot reach the store any more.
    app.set_time("2026-03-10T12:30:00Z");
    eventually("nothing is left over", || names(&server.said).len() == written(&app) && queue(&app).removals == 0);
    eventually("it is up", || figure(&app, "archive_up") == Some(1.0));
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn erasure_while_the_store_is_away_is_pending_and_then_done(#[case] backend: Backend) {
    let server = with_buckets();
    let proxy = SwitchableProxy::to(&server.said);
    let app = start_with(backend, |_| config(s3(&proxy.address)));
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 10, 2));
    eventually("an object", || written(&app) == 1 && queue(&app).batches == 0);
    proxy.close();
    let receipt = erase(&ada).expect(200);
    let expected = json!({
        "store": "archive", "status": "pending", "objects_pending": 1,
        "removed": {"keys": 1, "batches": 0, "objects": 1},
    });
    assert_eq!(store(&receipt, "archive"), &expected);
    assert_eq!(store(&receipt, "database")["status"], "done");
    assert_eq!(names(&server.said).len(), 1, "the object is still there, and nothing opens it");
    assert!(objects(&app).is_empty());
    let path = format!("/api/erasures/{}", receipt.json["receipt_id"].as_str().unwrap());
    assert_eq!(store(&app.anonymous().get(&path).expect(200), "archive")["status"], "pending");
    proxy.open();
    // A failed removal is tried again after a few seconds at first, and after an hour at most.
    app.set_time("2026-03-10T13:30:00Z");
    eventually("done", || store(&app.anonymous().get(&path).expect(200), "archive")["status"] == "done");
    assert!(names(&server.said).is_empty());
}

#[test]
fn a_store_that_hangs_holds_nobody_up() {
    let server = with_buckets();
    let proxy = SwitchableProxy::to(&server.said);
    let app = start_with(Backend::Sqlite, |_| config(s3(&proxy.address)));
    let ada = app.user();
    proxy.hang();
    let started = std::time::Instant::now();
    for hour in 0..5 {
        ada.store(&minutes(&format!("2026-03-10T0{hour}:00:00Z"), 10, 2));
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(15), "{:?}", started.elapsed());
    assert_eq!(ada.totals().0, 100);
    // An erasure does not wait for the store either, and includes the object that is being written.
    eventually("an object is begun", || !objects(&app).is_empty());
    let receipt = erase(&ada).expect(200);
    assert_eq!(store(&receipt, "archive")["removed"]["keys"], 1);
    assert!(objects(&app).is_empty() && queue(&app).batches == 0);
    let path = format!("/api/erasures/{}", receipt.json["receipt_id"].as_str().unwrap());
    assert_eq!(store(&receipt, "archive")["status"], "pending");
    proxy.open();
    app.set_time("2026-03-10T13:30:00Z");
    eventually("done", || store(&app.anonymous().get(&path).expect(200), "archive")["status"] == "done");
    assert!(names(&server.said).is_empty());
}

#[test]
fn a_bucket_that_is_missing_is_named_and_waited_for() {
    let server = peers::s3();
    let home = tempfile::tempdir().unwrap();
    let mut command = crate::process::program(home.path());
    command.env("CLOUD_API_ARCHIVE", "s3").env("CLOUD_API_S3_ENDPOINT", &server.said);
    command.env("CLOUD_API_S3_ACCESS_KEY_ID", "test").env("CLOUD_API_S3_SECRET_ACCESS_KEY", "not-to-be-printed");
    command.args(["migrate"]);
    assert!(command.output().unwrap().status.success());
    let mut check = crate::process::program(home.path());
    check.env("CLOUD_API_ARCHIVE", "s3").env("CLOUD_API_S3_ENDPOINT", &server.said);
    check.env("CLOUD_API_S3_ACCESS_KEY_ID", "test").env("CLOUD_API_S3_SECRET_ACCESS_KEY", "not-to-be-printed");
    let output = check.args(["archive", "check"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("the bucket waw-blink-data") && said.contains("does not exist"), "{said}");
    assert!(!said.contains("not-to-be-printed"));

    let app = start_with(Backend::Sqlite, |_| config(s3(&server.said)));
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 10, 2));
    eventually("it is said", || figure(&app, "archive_up") == Some(0.0));
    bucket(&server.said, "waw-blink-data");
    bucket(&server.said, "waw-logs");
    eventually("archived", || written(&app) == 1 && queue(&app).batches == 0);
}

/// A moto server that accepts the first five requests unsigned and checks the signature of every later one.
fn guarded() -> Peer {
    let mut command = Command::new(peers::file("venv/bin/moto_server"));
    command.args(["-H", "127.0.0.1", "-p", "0"]).env("INITIAL_NO_AUTH_ACTION_COUNT", "5");
    Peer::start(&mut command, " * Running on ")
}

#[test]
fn wrong_keys_are_said_to_be_wrong_and_right_ones_sign_well() {
    let server = guarded();
    bucket(&server.said, "waw-blink-data");
    bucket(&server.said, "waw-logs");
    // A user of the store with all permissions, made by the requests that need no signature.
    let iam = |query: &str| {
        let scope =
            "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x";
        let headers = [("authorization", scope), ("content-type", "application/x-www-form-urlencoded")];
        let answer = Client::new(&server.said).send("POST", "/", &headers, Some(query.as_bytes()));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text
    };
    iam("Action=CreateUser&Version=2010-05-08&UserName=archive");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"], "Resource": "*",
    }]});
    let policy: String = form_urlencoded::byte_serialize(policy.to_string().as_bytes()).collect();
    iam(&format!("Action=PutUserPolicy&Version=2010-05-08&UserName=archive&PolicyName=p&PolicyDocument={policy}"));
    let keys = iam("Action=CreateAccessKey&Version=2010-05-08&UserName=archive");
    let field = |name: &str| {
        let rest = keys.split(&format!("<{name}>")).nth(1).unwrap_or_else(|| panic!("no {name} in {keys}"));
        rest.split('<').next().unwrap().to_owned()
    };
    let home = tempfile::tempdir().unwrap();
    assert!(crate::process::program(home.path()).arg("migrate").output().unwrap().status.success());
    let check = |id: &str, secret: &str| {
        let mut command = crate::process::program(home.path());
        command.env("CLOUD_API_ARCHIVE", "s3").env("CLOUD_API_S3_ENDPOINT", &server.said);
        command.env("CLOUD_API_S3_ACCESS_KEY_ID", id).env("CLOUD_API_S3_SECRET_ACCESS_KEY", secret);
        let output = command.args(["archive", "check"]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    for (id, secret) in [("nobody", "nothing"), (&field("AccessKeyId"), "another-secret")] {
        let (code, said, _) = check(id, secret);
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("refuses: check CLOUD_API_S3_ACCESS_KEY_ID") && !said.contains(secret), "{said}");
    }
    let (code, said, printed) = check(&field("AccessKeyId"), &field("SecretAccessKey"));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(printed.matches("written, read and removed").count(), 2, "{printed}");
    assert!(printed.contains("0 objects known, 0 missing, 0 unknown"), "{printed}");
}
