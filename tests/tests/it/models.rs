//! Missing, damaged or other models are recognised by their hash, before dlib reads any byte of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use blink_proto::status::State;
use waw_tests::{Ended, Profile, Program, binary, clip, skipped, until};

const LANDMARKS: &str = "shape_predictor_68_face_landmarks.dat";

/// A profile whose first model folder has `bytes` as the landmark model, and a clip to analyse.
fn with_model(bytes: &[u8]) -> (Profile, PathBuf, PathBuf) {
    let profile = Profile::new();
    let clip = clip::synthesize(&profile, 2, 20, 1);
    let models = profile.path().join("models");
    fs::create_dir(&models).unwrap();
    fs::write(models.join(LANDMARKS), bytes).unwrap();
    (profile, clip.path, models)
}

#[track_caller]
fn refuses_model(bytes: &[u8]) {
    let (profile, clip, models) = with_model(bytes);
    let analyze = Ended::of(profile.command("blinkd").arg("analyze").arg(&clip).env("BLINKD_MODELS_DIR", &models), "");
    let line = analyze.failure(1);
    assert!(line.contains(LANDMARKS) && line.contains("blinkd models --fetch"), "{line}");

    let mut command = profile.command("blinkd");
    command.args(["run", "--headless", "--source", "synthetic"]).env("BLINKD_MODELS_DIR", &models);
    let mut daemon = Program::start(&mut command, profile.path());
    until("the daemon", Duration::from_secs(30), || (profile.ctl(&["status"]).code == Some(0)).then_some(()));
    let _ = profile.ctl(&["consent", "grant"]).success();
    let status = profile.status_when("the reason", Duration::from_secs(20), |status| status.last_error.is_some());
    assert_eq!((status.state, status.last_error.unwrap().code.as_str()), (State::Error, "model_damaged"));
    assert!(daemon.stop().success());
}

#[test]
fn a_damaged_model_is_refused() {
    // The beginning of a real model: its counts promise more than there is.
    let whole = fs::read(PathBuf::from("/usr/share/dlib").join(LANDMARKS)).unwrap();
    refuses_model(&whole[..100_000]);
}

#[test]
fn the_five_point_model_is_not_taken_for_the_other() {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap();
    let data = std::env::var_os("XDG_DATA_HOME").map_or(home.join(".local/share"), PathBuf::from);
    let five = data.join("blinkd/models/shape_predictor_5_face_landmarks.dat");
    let Ok(bytes) = fs::read(&five) else {
        skipped(&format!("{} is not there; `blinkd models --fetch` gets it", five.display()));
        return;
    };
    refuses_model(&bytes);
}

/// Runs blinkd with the models of `folder` alone: the system's folder is hidden in a mount namespace.
fn with_models_of(folder: &Path, profile: &Profile, args: &[&str]) -> Option<Command> {
    let hide = "mount -t tmpfs none /usr/share/dlib && exec \"$@\"";
    let mut probe = Command::new("unshare");
    probe.args(["-rm", "sh", "-c", hide, "sh", "true"]);
    if Ended::of(&mut probe, "").code != Some(0) {
        skipped("this system gives no mount namespace to hide /usr/share/dlib in");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", hide, "sh"]).arg(binary("blinkd")).args(args);
    profile.confine(&mut command);
    command.env("BLINKD_MODELS_DIR", folder);
    Some(command)
}

fn without_models(profile: &Profile, args: &[&str]) -> Option<Command> {
    with_models_of(&profile.path().join("no-models"), profile, args)
}

#[test]
fn a_missing_model_is_named_with_the_command_that_gets_it() {
    let profile = Profile::new();
    let clip = clip::synthesize(&profile, 2, 20, 1);
    let Some(mut analyze) = without_models(&profile, &["analyze", clip.path.to_str().unwrap()]) else { return };
    let line = Ended::of(&mut analyze, "").failure(1);
    assert!(line.contains(LANDMARKS) && line.contains("blinkd models --fetch"), "{line}");

    let mut run = without_models(&profile, &["run", "--headless", "--source", "synthetic"]).unwrap();
    let mut daemon = Program::start(&mut run, profile.path());
    until("the daemon", Duration::from_secs(30), || (profile.ctl(&["status"]).code == Some(0)).then_some(()));
    let _ = profile.ctl(&["consent", "grant"]).success();
    let status = profile.status_when("the reason", Duration::from_secs(20), |status| status.last_error.is_some());
    assert_eq!((status.state, status.last_error.unwrap().code.as_str()), (State::Error, "model_missing"));
    assert!(daemon.stop().success());
}

#[test]
fn another_machine_gets_copies_of_all_whatever_folders_they_are_in() {
    let profile = Profile::new();
    if Ended::of(profile.command("blinkd").arg("models"), "").code != Some(0) {
        skipped("not all models are here; `blinkd models --fetch` gets them");
        return;
    }
    let folder = profile.path().join("for/others");
    let fetch =
        || Ended::of(profile.command("blinkd").args(["models", "--fetch", "--into"]).arg(&folder), "").success();
    fetch();
    if let Some(mut there) = with_models_of(&folder, &profile, &["models"]) {
        let _ = Ended::of(&mut there, "").success();
    }
    let landmarks = folder.join(LANDMARKS);
    let before = fs::metadata(&landmarks).unwrap().modified().unwrap();
    fetch();
    assert_eq!(fs::metadata(&landmarks).unwrap().modified().unwrap(), before, "what is there stays");
    fs::write(&landmarks, "damaged").unwrap();
    fetch();
    assert!(fs::metadata(&landmarks).unwrap().len() > 1_000_000);
}

#[test]
fn the_list_says_what_may_be_done_with_them() {
    // Whether all models are here depends on the machine, and so does the exit code.
    let text = Profile::new().blinkd(&["models"]).stdout;
    for word in
        [LANDMARKS, "/usr/share/dlib", "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f", "commercial"]
    {
        assert!(text.contains(word), "{word} is missing from:\n{text}");
    }
}
