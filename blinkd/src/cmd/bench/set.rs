//! Runs the clips of a truth file, and compares what is found with it.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use blink_proto::problem::code;
use blink_vision::{
    predictor::Predictor,
    score::{self, Annotation, Recording, Score, Span, Sum, f1_interval, truth::TruthFile},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::truth;
use crate::{clip, exit::Failure, stderr, stdout};

/// A truth file, and the folder of its clips.
#[derive(Debug)]
pub(super) struct ClipSet {
    pub truth: PathBuf,
    pub folder: PathBuf,
}

/// The output of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct SetOutput {
    pub truth: String,
    pub criterion: &'static str,
    #[serde(flatten)]
    pub total: SumOutput,
    /// The 95 % interval of `f1` from resampling whole recordings.
    pub f1_95: [f64; 2],
    /// Found blinks in frames that the annotation leaves undecided.
    pub undecided: usize,
    pub must_be_unobserved: Vec<UnobservedOutput>,
    /// The groups by each field that divides the clips, worst first.
    pub groups: BTreeMap<&'static str, Vec<GroupOutput>>,
    pub clips: Vec<ClipOutput>,
}

/// The accuracy over several clips.
#[derive(Debug, Serialize)]
pub(super) struct SumOutput {
    pub recordings: usize,
    pub annotated: usize,
    pub found: usize,
    pub true_positives: usize,
    pub false_positives: usize,
    pub misses: usize,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub count_error: f64,
    pub observed_share: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct GroupOutput {
    pub name: String,
    #[serde(flatten)]
    pub sum: SumOutput,
}

#[derive(Debug, Serialize)]
pub(super) struct ClipOutput {
    pub file: String,
    pub annotated: usize,
    pub found: usize,
    pub true_positives: usize,
    pub false_positives: usize,
    pub misses: usize,
    pub observed_share: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct UnobservedOutput {
    pub file: String,
    /// The blinks that were found though none can be seen.
    pub found: usize,
    pub observed_share: f64,
}

/// What was found in a clip.
struct Found {
    spans: Vec<Span>,
    frames: u64,
    observed: Duration,
    length: Duration,
}

impl Found {
    fn against(&self, annotation: &Annotation) -> Recording {
        Recording::new(&self.spans, annotation, self.frames).with_times(self.observed, self.length)
    }
}

pub(super) fn run(set: &ClipSet, json: bool) -> Result<(), Failure> {
    let truth = truth::of_many(&set.truth)?;
    set.check_files(&truth)?;
    let model = clip::model()?;
    let bar = progress_bar(truth.clips.len() + truth.must_be_unobserved.len());
    let found = found_in(set, &truth, &model, &bar);
    bar.finish_and_clear();
    let output = SetOutput::new(&set.truth, &truth, &found?);
    stdout::result(json, &output, || output.for_people())
}

impl ClipSet {
    /// Looks for all files before the first is run, because that can take long.
    fn check_files(&self, truth: &TruthFile) -> Result<(), Failure> {
        let missing = files(truth).find(|file| !self.folder.join(file).is_file());
        missing.map_or(Ok(()), |file| {
            let (file, truth) = (self.folder.join(file), self.truth.display());
            let message = format!("{truth} lists {}, which is no file", file.display());
            Err(Failure::failed(code::BAD_TRUTH, message, "Clips are looked for relative to the truth file."))
        })
    }
}

/// The files of all clips, those that must be unobserved last.
fn files(truth: &TruthFile) -> impl Iterator<Item = &Path> {
    let blind = truth.must_be_unobserved.iter().map(|clip| clip.file.as_path());
    truth.clips.iter().map(|clip| clip.file.as_path()).chain(blind)
}

fn found_in(
    set: &ClipSet,
    truth: &TruthFile,
    model: &Arc<Predictor>,
    bar: &ProgressBar,
) -> Result<Vec<Found>, Failure> {
    let run = |file: &Path| {
        bar.set_message(file.display().to_string());
        let ran = clip::run(Arc::clone(model), &set.folder.join(file), None, |_, _, _| bar.tick());
        bar.inc(1);
        let clip = ran.map_err(|failure| named(file, failure))?;
        let spans = clip.blinks.iter().map(Span::from).collect();
        Ok(Found { spans, frames: clip.frames, observed: clip.observed, length: clip.duration() })
    };
    files(truth).map(run).collect()
}

/// Names the clip in a failure that does not.
fn named(file: &Path, mut failure: Failure) -> Failure {
    let name = file.display().to_string();
    if !failure.problem.message.contains(&name) {
        failure.problem.message = format!("{name}: {}", failure.problem.message);
    }
    failure
}

fn progress_bar(clips: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos}/{len} clips {wide_bar} {msg}");
    let bar = stderr::progress(u64::try_from(clips).unwrap_or(u64::MAX));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl SetOutput {
    /// `found` holds each clip of `truth`, those that must be unobserved last.
    fn new(path: &Path, truth: &TruthFile, found: &[Found]) -> Self {
        let (clear, blind) = found.split_at(truth.clips.len());
        let annotated = truth.clips.iter().zip(clear);
        let recordings: Vec<Recording> = annotated.map(|(clip, found)| found.against(&clip.annotation())).collect();
        let scores: Vec<Score> = recordings.iter().map(|recording| recording.score).collect();
        let total: Sum = recordings.iter().collect();
        let clips = truth.clips.iter().zip(&recordings);
        let unobserved = truth.must_be_unobserved.iter().zip(blind);
        Self {
            truth: path.display().to_string(),
            criterion: score::CRITERION,
            total: total.into(),
            f1_95: f1_interval(&scores).unwrap_or_default(),
            undecided: total.score.undecided,
            must_be_unobserved: unobserved
                .map(|(clip, found)| UnobservedOutput {
                    file: clip.file.display().to_string(),
                    found: found.spans.len(),
                    observed_share: rounded(found.against(&Annotation::default()).observed_share()),
                })
                .collect(),
            groups: groups(truth, &recordings),
            clips: clips.map(|(clip, recording)| ClipOutput::new(&clip.file, recording)).collect(),
        }
    }
}

/// The groups by each field that is given. One that has another value in every clip divides nothing and is left out.
fn groups(truth: &TruthFile, recordings: &[Recording]) -> BTreeMap<&'static str, Vec<GroupOutput>> {
    let mut sums: BTreeMap<&'static str, BTreeMap<String, Sum>> = BTreeMap::new();
    for (clip, recording) in truth.clips.iter().zip(recordings) {
        for (field, name) in clip.groups() {
            sums.entry(field).or_default().entry(name).or_default().add(recording);
        }
    }
    sums.retain(|_, groups| groups.values().any(|sum| sum.recordings > 1));
    let worst_first = |groups: BTreeMap<String, Sum>| {
        let mut groups: Vec<(String, Sum)> = groups.into_iter().collect();
        groups.sort_by(|a, b| by_errors(&a.1.score, &b.1.score));
        groups.into_iter().map(|(name, sum)| GroupOutput { name, sum: sum.into() }).collect()
    };
    sums.into_iter().map(|(field, groups)| (field, worst_first(groups))).collect()
}

/// The lower F1 score first, and the more errors among equal ones. Where there is no blink and none was found, nothing
/// is wrong.
fn by_errors(a: &Score, b: &Score) -> Ordering {
    let errors = |score: &Score| score.false_positives + score.misses;
    let f1 = |score: &Score| if errors(score) == 0 { 1.0 } else { score.f1() };
    f1(a).total_cmp(&f1(b)).then(errors(b).cmp(&errors(a)))
}

/// A share with four decimals.
fn rounded(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}

impl From<Sum> for SumOutput {
    fn from(sum: Sum) -> Self {
        Self {
            recordings: sum.recordings,
            annotated: sum.annotated,
            found: sum.found,
            true_positives: sum.score.true_positives,
            false_positives: sum.score.false_positives,
            misses: sum.score.misses,
            precision: sum.score.precision(),
            recall: sum.score.recall(),
            f1: sum.score.f1(),
            count_error: sum.count_error(),
            observed_share: rounded(sum.observed_share()),
        }
    }
}

impl ClipOutput {
    fn new(file: &Path, recording: &Recording) -> Self {
        Self {
            file: file.display().to_string(),
            annotated: recording.annotated,
            found: recording.found,
            true_positives: recording.score.true_positives,
            false_positives: recording.score.false_positives,
            misses: recording.score.misses,
            observed_share: rounded(recording.observed_share()),
        }
    }
}

#[cfg(test)]
mod tests;
