//! `make liveness`: the tables of docs/liveness.md and of the faces in docs/fairness.md, on the test footage.
//!
//! - [`recognise`]: people told apart, by group, and strangers
//! - [`genuine`], [`walk`]: real recordings, played so that their blinks fall on the cues of a challenge
//! - [`attacks`]: photographs in movement, replays, loops, frozen and spliced recordings
//! - [`table`]: shares with their exact 95 % intervals
//!
//! The recordings are judged by the server's own rules, compiled from its sources: to depend on the server's crate would
//! let cargo give it OpenCV and dlib.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for measuring says what is wrong by panicking"
)]
#![expect(dead_code, unreachable_pub, reason = "the server's rules hold more than is used here")]

mod attacks;
mod attendance;
mod genuine;
mod recognise;
mod source;
mod table;
mod walk;

use std::path::{Path, PathBuf};

use face_worker::{environment, models::Models};

fn main() {
    if let Some(failed) = environment::settle() {
        println!("it could not start itself anew: {failed}");
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let folder = std::env::var_os("WAW_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if wanted.is_empty() || !folder.is_dir() {
        println!(
            "skipped: name parts (recognise, genuine, attacks, photographs); the footage is looked for in {}",
            folder.display()
        );
        return;
    }
    let mut models = Models::load(&environment::model_folders()).unwrap();
    let asked = |part: &str| wanted.iter().any(|word| word == part);
    if asked("recognise") {
        recognise::run(&mut models, &folder.join("identities"));
    }
    let mut parts = Vec::new();
    let mut tries = Vec::new();
    if asked("genuine") {
        tries = genuine::run(&mut models, &folder);
        parts.push(attacks::Part::Tries);
    }
    if asked("attacks") {
        parts.push(attacks::Part::Recordings);
    }
    if asked("photographs") {
        parts.push(attacks::Part::Photographs);
    }
    attacks::run(&mut models, &folder, &tries, &parts);
}
