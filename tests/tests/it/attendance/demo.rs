//! A demonstration with the real programs: its recording is recognised and found alive, and each try is the first.

use std::{fs, time::Duration};

use serde_json::{Value, json};
use waw_tests::{Profile, Server, server::command, skipped, until};

use super::Desk;

fn sign_in(server: &Server, role: &str) -> String {
    let body = json!({"email": format!("{role}@demo.example"), "password": "a demonstration"}).to_string();
    let request = ureq::post(format!("{}/api/auth/login", server.url())).header("content-type", "application/json");
    let answer: Value = request.send(body).unwrap().body_mut().read_json().unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn its_recording_is_recognised_and_not_kept() {
    let profile = Profile::new();
    if profile.blinkd(&["models"]).code != Some(0) {
        skipped("the demonstration's desk: a model is missing, `blinkd models --fetch` gets it");
        return;
    }
    let video = profile.path().join("demo.mp4");
    profile.blinkd(&["synthesize", video.to_str().unwrap(), "--seconds", "5", "--bpm", "40", "--sway", "8"]).success();
    let mut command = command(&profile, "127.0.0.1:0");
    let server = Server::run(command.env("DEMO_MODE", "true").env("CLOUD_API_DEMO_VIDEO", &video), &profile);
    let desk = Desk { token: sign_in(&server, "member"), server };
    let enrolled = || (desk.get("/api/attendance/me")["has_biometrics"] == true).then_some(());
    until("the recording's face to be enrolled", Duration::from_secs(90), enrolled);
    let sent =
        ureq::get(format!("{}/demos/demo.mp4", desk.server.url())).call().unwrap().body_mut().read_to_vec().unwrap();
    assert_eq!(sent, fs::read(&video).unwrap());
    for _ in 0..2 {
        let (status, decision) = desk.send("POST", "/api/attendance/mark-attendance", &[("video", sent.clone())]);
        assert_eq!((status, &decision["name"]), (200, &json!("Mara Lindqvist")), "{decision}");
        assert!(["present", "late"].contains(&decision["status"].as_str().unwrap()), "{decision}");
        assert_eq!(decision["liveness_verified"], true, "{decision}");
    }
}
