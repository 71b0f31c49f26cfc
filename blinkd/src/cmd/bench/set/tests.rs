//! Tests of the figures over many clips, without video.

use super::*;

fn truth() -> TruthFile {
    let text = r#"{"clips": [
        {"file": "a.mp4", "frames": 100, "view": "front", "person": "Ada, by a window",
         "blinks": [{"start_frame": 10, "end_frame": 19}, {"start_frame": 50, "end_frame": 59}]},
        {"file": "b.mp4", "frames": 100, "view": "front", "person": "Bob", "blinks": []},
        {"file": "c.mp4", "view": "below", "person": "Cy", "blinks": [{"start_frame": 40, "end_frame": 49}],
         "other": [{"start_frame": 70, "end_frame": 79}]}],
        "must_be_unobserved": [{"file": "dark.mp4"}]}"#;
    serde_json::from_str(text).unwrap()
}

fn found(starts: &[i64]) -> Found {
    let spans = starts.iter().map(|&start_frame| Span { start_frame, end_frame: start_frame + 9 }).collect();
    Found { spans, frames: 100, observed: Duration::from_millis(3_600), length: Duration::from_secs(4) }
}

fn output() -> SetOutput {
    let found = [found(&[10, 51]), found(&[]), found(&[20, 75]), found(&[30])];
    SetOutput::new(Path::new("truth.json"), &truth(), &found)
}

#[test]
fn the_figures_for_people() {
    insta::assert_snapshot!(output().for_people());
}

#[test]
fn the_figures_as_json() {
    insta::assert_json_snapshot!(output());
}

#[test]
fn groups_are_worst_first_and_a_field_that_divides_nothing_is_left_out() {
    let output = output();
    let views: Vec<_> = output.groups["view"].iter().map(|group| group.name.as_str()).collect();
    assert_eq!(views, ["below", "front"]);
    assert_eq!(output.groups.len(), 1);
    assert_eq!((output.must_be_unobserved[0].found, output.undecided), (1, 1));
}

#[test]
fn a_missing_clip_is_named_before_any_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let set = ClipSet { truth: folder.path().join("truth.json"), folder: folder.path().to_owned() };
    std::fs::write(folder.path().join("a.mp4"), "").unwrap();
    let failure = set.check_files(&truth()).unwrap_err();
    assert!(failure.problem.message.contains("b.mp4, which is no file"), "{failure}");
}
