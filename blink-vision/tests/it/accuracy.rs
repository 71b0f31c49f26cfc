//! Tests that the accuracy figures of docs/accuracy.md hold on annotated footage.

use std::{collections::BTreeMap, path::Path};

use blink_vision::{
    dip::Limits,
    score::{
        Recording, Score, Sum, f1_interval,
        truth::{TruthClip, TruthFile},
    },
};

use crate::footage;

/// The condition, which the dataset encodes in the end of the name: FBN, FTN, FNN or UNN.
fn condition(clip: &TruthClip) -> &'static str {
    let name = clip.file.to_string_lossy();
    match () {
        () if name.contains("FBN") => "thick-rimmed glasses",
        () if name.contains("FTN") => "thin-rimmed glasses",
        () if name.contains("UNN") => "seen from below",
        () => "frontal, no glasses",
    }
}

fn person(clip: &TruthClip) -> String {
    let label = |wanted: &str| clip.groups().find(|(field, _)| *field == wanted).map(|(_, label)| label);
    label("subject").or_else(|| label("person")).unwrap()
}

/// The annotated sets of the test footage: webcam clips of ten people, and ten other people's hard cases.
const SETS: [&str; 2] = ["blinks", "people"];

fn truth(folder: &Path, set: &str) -> TruthFile {
    serde_json::from_str(&std::fs::read_to_string(folder.join(set).join("truth.json")).unwrap()).unwrap()
}

/// Compares what is found in a clip with its annotation.
fn recording(folder: &Path, set: &str, clip: &TruthClip, limits: Limits) -> Recording {
    let found = footage::found_in_file(&folder.join(set).join(&clip.file), limits);
    Recording::new(&found.blinks, &clip.annotation(), found.frames).with_times(found.observed, found.length)
}

/// A row of the tables in docs/accuracy.md.
fn row(sum: &Sum) -> String {
    let Score { true_positives, false_positives, misses, .. } = sum.score;
    let (precision, recall, f1) = (sum.score.precision(), sum.score.recall(), sum.score.f1());
    let (error, observed) = (100.0 * sum.count_error(), 100.0 * sum.observed_share());
    let (clips, blinks) = (sum.recordings, sum.annotated);
    format!(
        "| {clips} | {blinks} | {true_positives} | {false_positives} | {misses} | {precision:.3} | {recall:.3} | {f1:.3} | {error:.1} % | {observed:.1} % |"
    )
}

#[test]
fn annotated_footage_is_read_as_documented() {
    let Some(folder) = footage::folder("accuracy on annotated footage") else { return };
    let mut all = Vec::new();
    let mut by_condition: BTreeMap<&str, Sum> = BTreeMap::new();
    for clip in &truth(&folder, "blinks").clips {
        let recording = recording(&folder, "blinks", clip, Limits::default());
        all.push(recording);
        by_condition.entry(condition(clip)).or_default().add(&recording);
    }
    println!(
        "| condition | clips | blinks | right | false | missed | precision | recall | F1 | count error | observed |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (condition, sum) in &by_condition {
        println!("| {condition} {}", row(sum));
    }
    let scores: Vec<Score> = all.iter().map(|recording| recording.score).collect();
    let all: Sum = all.iter().collect();
    println!("| all {}", row(&all));
    println!("95 % interval of F1: {:.3?}", f1_interval(&scores).unwrap());
    assert!(all.score.f1() >= 0.98, "{}", all.score.f1());
    assert!(all.count_error() <= 0.06, "{}", all.count_error());
}

/// Close-ups, turned heads, dark rooms, narrow lids.
#[test]
fn hard_cases_of_other_people_are_read_as_documented() {
    let Some(folder) = footage::folder("accuracy on other people") else { return };
    let (truth, mut all) = (truth(&folder, "people"), Vec::new());
    println!("| clip | clips | blinks | right | false | missed | precision | recall | F1 | count error | observed |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for clip in &truth.clips {
        let recording = recording(&folder, "people", clip, Limits::default());
        println!("| {} {}", clip.file.display(), row(&std::iter::once(&recording).collect()));
        all.push(recording);
    }
    let all: Sum = all.iter().collect();
    println!("| all {}", row(&all));
    assert!(all.score.f1() >= 0.95, "{}", all.score.f1());
    assert!(all.count_error() < 0.06, "{}", all.count_error());
    for clip in &truth.must_be_unobserved {
        let found = footage::found_in_file(&folder.join("people").join(&clip.file), Limits::default());
        assert_eq!(found.blinks, [], "{}", clip.file.display());
    }
}

/// For each person the threshold is chosen on all the others, and the person's own clips are scored with it.
#[test]
fn a_threshold_chosen_on_other_people_does_as_well() {
    if std::env::var_os("WAW_TEST_LONG").is_none() {
        println!("skipped: leave-one-person-out takes `make test-long`");
        return;
    }
    let Some(folder) = footage::folder("leave-one-person-out on annotated footage") else { return };
    let thresholds: Vec<f32> = (3..=10).map(|step| 0.05 * step as f32).collect();
    // For each threshold and person, the sum over the person's clips.
    let mut sums: Vec<BTreeMap<String, Sum>> = vec![BTreeMap::new(); thresholds.len()];
    for set in SETS {
        for clip in &truth(&folder, set).clips {
            for (prominence, sums) in thresholds.iter().zip(&mut sums) {
                let limits = Limits { prominence: *prominence, ..Limits::default() };
                sums.entry(person(clip)).or_default().add(&recording(&folder, set, clip, limits));
            }
        }
    }
    for (prominence, sums) in thresholds.iter().zip(&sums) {
        let score = total(sums.values());
        println!("| threshold {prominence:.2} | F1 {:.3} |", score.f1());
    }
    let mut held_out = Score::default();
    for person in sums[0].keys() {
        let others = |sums: &BTreeMap<String, Sum>| {
            total(sums.iter().filter(|(who, _)| *who != person).map(|(_, sum)| sum)).f1()
        };
        let best = (0..sums.len()).max_by(|a, b| others(&sums[*a]).total_cmp(&others(&sums[*b]))).unwrap();
        println!("| person {person} | threshold {:.2} | F1 {:.3} |", thresholds[best], sums[best][person].score.f1());
        held_out += sums[best][person].score;
    }
    println!("| leave one person out | F1 {:.3} |", held_out.f1());
    assert!(held_out.f1() >= 0.95, "{}", held_out.f1());
}

fn total<'a>(sums: impl Iterator<Item = &'a Sum>) -> Score {
    sums.fold(Score::default(), |mut total, sum| {
        total += sum.score;
        total
    })
}
