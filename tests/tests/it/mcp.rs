//! `blinkctl mcp` under the protocol's own inspector and conformance suite (tests/tools/README.md).

use std::{path::Path, process::Command, time::Duration};

use blink_proto::{Minute, MinuteStart, consent::ConsentRecord, example};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use waw_tests::{Ended, Profile, Program, binary, until};

use crate::bootstrap::peers;

/// A profile with consent and with three hours of minutes that ended yesterday at this time.
fn profile() -> Profile {
    let profile = Profile::new();
    blink_profile::consent::save(&profile.paths(), &ConsentRecord::granted(Timestamp::UNIX_EPOCH)).unwrap();
    let last = MinuteStart::containing(Timestamp::now() - SignedDuration::from_hours(24)).number();
    for number in last - 180..last {
        profile.add_to_history(&Minute { ..example::minute(number) });
    }
    profile
}

/// A module of the peers, run by their Node.js within `profile`.
fn node(profile: &Profile, module: &Path) -> Command {
    let mut command = profile.plain(peers().join("bin/node").to_str().unwrap());
    command.arg(module);
    command
}

fn inspector(profile: &Profile, args: &[&str]) -> Ended {
    let mut command =
        node(profile, &peers().join("node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"));
    command.arg("--cli");
    // It hands few variables of its own to the server.
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "TZ"] {
        let value = command.get_envs().find(|(known, _)| *known == name).and_then(|(_, value)| value).unwrap();
        let pair = format!("{name}={}", value.to_str().unwrap());
        command.args(["-e", &pair]);
    }
    Ended::of(command.args(args).arg("--").arg(binary("blinkctl")).arg("mcp"), "")
}

#[test]
fn the_inspector_finds_no_fault_in_the_tools_and_calls_each() {
    let profile = profile();
    let listed = inspector(&profile, &["--method", "tools/list", "--strict"]).success();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let tools: Vec<_> = listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(tools.len(), 6, "{tools:?}");
    let yesterday = (Timestamp::now() - SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
    for tool in tools {
        let mut args = vec!["--method".to_owned(), "tools/call".to_owned(), "--tool-name".to_owned(), tool.to_owned()];
        let given = match tool {
            "blinks" => vec![format!("day={yesterday}")],
            "compare" => vec![format!("a={{\"to\":\"{yesterday}\"}}"), "b={}".to_owned()],
            _ => Vec::new(),
        };
        args.extend(given.into_iter().flat_map(|pair| ["--tool-arg".to_owned(), pair]));
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let answer: Value = serde_json::from_str(&inspector(&profile, &args).success()).unwrap();
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(answer["isError"] != true && text.contains("unit"), "{tool}: {answer}");
    }
}

#[test]
fn the_conformance_suite_passes_but_for_what_this_server_does_not_have() {
    let profile = profile();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp");
    let mut command = node(&profile, &here.join("http.mjs"));
    command.arg(peers()).arg(binary("blinkctl")).arg("mcp");
    let http = Program::start(&mut command, profile.path());
    let url = until("the address", Duration::from_secs(60), || {
        http.stdout().lines().next().filter(|line| line.ends_with("/mcp")).map(str::to_owned)
    });
    let mut suite = node(&profile, &peers().join("node_modules/@modelcontextprotocol/conformance/dist/index.js"));
    suite.args(["server", "--url", &url, "--expected-failures"]).arg(here.join("not-here.yml"));
    let ended = Ended::of(&mut suite, "");
    assert_eq!(ended.code, Some(0), "{}\n{}\n{}", ended.stdout, ended.stderr, http.stderr());
    for scenario in ["server-initialize", "ping", "tools-list"] {
        assert!(ended.stdout.contains(&format!("✓ {scenario}: 1 passed, 0 failed")), "{}", ended.stdout);
    }
}
