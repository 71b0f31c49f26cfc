//! Runs schemathesis against the real program, through everything in its OpenAPI document. No answer is a 500 or has a
//! status, type or body that is not described; valid requests are accepted and invalid ones refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
};

use rstest::rstest;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    attendance::worker::write_program,
    harness::*,
    mock::Mock,
    peers,
    postgres::Database,
    process::{Running, program},
    provider,
};

const ADMIN: &str = "admin@example.org";

/// Operations that no generated request can make succeed, and the tests that cover them.
const NOT_REACHED: [(&str, &str); 3] = [
    ("GET /api/auth/google/callback", "provider::a_person_of_a_real_provider_signs_in"),
    ("GET /auth/google/callback", "oidc: the same handler"),
    ("POST /api/auth/reset", "people: a link that the operator makes"),
];

fn examples() -> &'static str {
    if std::env::var_os("WAW_TEST_LONG").is_some() { "100" } else { "5" }
}

/// Every operation of the OpenAPI document.
fn described(base: &str) -> BTreeSet<String> {
    let document = Client::new(base).get("/api/openapi.json").expect(200).json;
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// Counts the answers of each operation by status, from the server's log.
fn answered(log: &str) -> BTreeMap<String, BTreeMap<u64, usize>> {
    let mut seen: BTreeMap<String, BTreeMap<u64, usize>> = BTreeMap::new();
    for line in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let (Some(method), Some(route), Some(status)) =
            (line["method"].as_str(), line["route"].as_str(), line["status"].as_u64())
        {
            *seen.entry(format!("{method} {route}")).or_default().entry(status).or_default() += 1;
        }
    }
    seen
}

#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
fn the_program_is_what_it_describes(#[case] backend: Backend) {
    let home = tempfile::tempdir().unwrap();
    let database = (backend == Backend::Postgres).then(Database::create);
    let settled = |mut command: Command| {
        if let Some(database) = &database {
            command.env("DATABASE_URL", database.url());
        }
        command
    };
    let provider = provider::start();
    let model = Mock::start(|_, _| {
        (200, json!({"choices": [{"message": {"role": "assistant", "content": "Fine."}}]}).to_string())
    });
    let mut command = settled(program(home.path()));
    command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off"]);
    command.env("CLOUD_API_OIDC_ISSUER", &provider.said).env("CLOUD_API_OIDC_CLIENT_ID", "waw");
    // A script reads faces, and a picture is enough to be marked.
    let worker = home.path().join("worker.py");
    write_program(&worker, "good");
    command.env("CLOUD_API_FACE_WORKER", &worker).env("CLOUD_API_LIVENESS", "off");
    command.env("CLOUD_API_ASK_URL", &model.address).env("CLOUD_API_ASK_MODEL", "m");
    let server = Running::start(command);
    let mut admin = settled(program(home.path()));
    admin.args(["admin", "create", ADMIN, "--role", "admin", "--password-stdin"]).stdin(Stdio::piped());
    let mut child = admin.stdout(Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());

    let operations = described(&server.address);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schemathesis");
    let mut command = Command::new(peers::file("venv/bin/schemathesis"));
    command.current_dir(home.path()).env("PYTHONPATH", &folder).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("WAW_BASE", &server.address).env("WAW_ADMIN", ADMIN).env("WAW_PASSWORD", PASSWORD);
    command.arg("--config-file").arg(folder.join("schemathesis.toml")).args(["--no-color", "run"]);
    command.arg(format!("{}/api/openapi.json", server.address));
    command.args(["--checks", "all", "--seed", "1", "--max-examples", examples(), "--max-redirects", "0"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let (code, _, log) = server.stop(Signal::TERM);
    assert!(output.status.success(), "{said}\n{wrong}");
    assert_eq!(code, Some(0));
    println!("{backend:?}\n{}", said.split_once(" SUMMARY ").expect("no summary").1);

    let answered = answered(&log);
    let of = |operation: &String| answered.get(operation).cloned().unwrap_or_default();
    let failed: Vec<_> = answered.iter().filter(|(_, statuses)| statuses.keys().any(|s| *s >= 500)).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let unreached: BTreeSet<_> =
        operations.iter().filter(|operation| !of(operation).keys().any(|s| (200..400).contains(s))).cloned().collect();
    let reasoned: BTreeSet<_> = NOT_REACHED.iter().map(|(operation, _)| (*operation).to_owned()).collect();
    assert_eq!(unreached, reasoned, "answered: {answered:#?}");
    // Every operation also refused a request, except those that take no input.
    println!(
        "{} operations, {} answers",
        operations.len(),
        answered.values().flat_map(BTreeMap::values).sum::<usize>()
    );
}
