//! Tests what an erasure of everything removes, and what it leaves.

use std::fs;

use serde_json::{Value, json};
use waw_tests::{Daemon, Profile};

#[test]
fn a_certificate_beside_the_settings_survives_every_erasure() {
    for runs in [true, false] {
        let profile = Profile::new();
        let paths = profile.paths();
        let mut daemon = Daemon::start(&profile, "synthetic:bpm=60");
        profile.ctl(&["consent", "grant"]).success();
        let theirs = [paths.config.join("ca.pem"), paths.data.join("history/notes.txt")];
        for file in &theirs {
            fs::write(file, "mine").unwrap();
        }
        if !runs {
            assert!(daemon.program().stop().success());
        }
        let receipt = profile.ctl(&["delete", "--everything", "--yes", "--json"]).success();
        let receipt: Value = serde_json::from_str(&receipt).unwrap();
        assert_eq!(receipt["left"], json!([]), "{receipt}");
        assert_eq!(receipt["kept"], json!(theirs), "{receipt}");
        assert!(theirs.iter().all(|file| fs::read(file).unwrap() == b"mine"));
        let names = |folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        assert_eq!((names(paths.config), names(paths.data)), (vec!["ca.pem".into()], vec!["history".into()]));
        assert!(!paths.state.exists() && !paths.runtime.exists());
    }
}
