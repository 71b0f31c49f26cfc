//! Genuine tries.

use std::{collections::BTreeMap, path::Path};

use blink_proto::faces::{ClipBlink, ClipFace, ClipReport};
use face_worker::{Refusal, clip, clip::Clip, models::Models};
use opencv::core::{Mat, MatTraitConst as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    attacks::every,
    attendance::{
        challenge::{BLINKS, Challenge},
        liveness::{LONGEST_REPEAT_MS, MOST_RETURNED_PERCENT, Mode, judge},
    },
    source,
    table::share,
};

/// A try that was made of a recording.
pub(crate) struct Try {
    pub(crate) name: String,
    pub(crate) challenge: Challenge,
    pub(crate) report: ClipReport,
}

pub(crate) fn seed(of: &str, number: u64) -> StdRng {
    let sum = of.bytes().fold(number + 1, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
    StdRng::seed_from_u64(sum)
}

/// Reads pictures as a recording at `fps`.
pub(crate) fn report<'a>(
    models: &mut Models,
    fps: f64,
    pictures: impl Iterator<Item = &'a Mat>,
) -> Result<ClipReport, Refusal> {
    models.forget();
    let mut clip = Clip::new(models);
    for (i, picture) in (0u32..).zip(pictures) {
        clip.push((f64::from(i) * 1_000.0 / fps) as u32, picture.try_clone()?)?;
    }
    clip.finish()
}

/// The verdict in a word: `accepted`, a fault's code, or a reason.
pub(crate) fn verdict(report: &Result<ClipReport, Refusal>, challenge: &Challenge) -> String {
    match report {
        Err(refusal) => format!("{refusal}"),
        Ok(report) => match judge(Mode::Challenge, report, Some(challenge)) {
            Ok(()) => "accepted".to_owned(),
            Err(reason) => reason.as_str().to_owned(),
        },
    }
}

/// How the tries of a group ended.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) n: usize,
    pub(crate) accepted: usize,
    pub(crate) reasons: BTreeMap<String, usize>,
}

impl Group {
    pub(crate) fn count(&mut self, verdict: &str) {
        self.n += 1;
        self.accepted += usize::from(verdict == "accepted");
        if verdict != "accepted" {
            *self.reasons.entry(verdict.to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn reasons(&self) -> String {
        self.reasons.iter().map(|(reason, n)| format!("{reason} {n}")).collect::<Vec<_>>().join(", ")
    }
}

pub(crate) fn print(title: &str, of: &str, groups: &BTreeMap<String, Group>) {
    println!("\n| {title} | {of} | share | 95 % interval | otherwise |\n| --- | --- | --- | --- | --- |");
    let mut all = Group::default();
    for (name, group) in groups {
        println!("| {name} | {} | {} |", share(group.accepted, group.n), group.reasons());
        all.n += group.n;
        all.accepted += group.accepted;
        for (reason, n) in &group.reasons {
            *all.reasons.entry(reason.clone()).or_default() += n;
        }
    }
    println!("| all | {} | {} |", share(all.accepted, all.n), all.reasons());
}

/// Answers are at least this far apart, as the cues of a challenge are.
const APART_MS: u32 = 1_710;
/// A found blink that overlaps an annotated one within this time is that one: the annotation is out by five frames.
const SAME_WITHIN_MS: u32 = 170;

/// A recording of a living person: what was found, and where it blinks.
struct Recording {
    name: String,
    person: String,
    group: String,
    blinks_ms: Vec<[u32; 2]>,
    report: ClipReport,
}

/// Reads every recording, and makes tries of them: recordings of one person, with glasses or without, follow each other
/// until five or six annotated blinks are asked for by a cue 400 to 700 ms before them. Blinks that stand too close to one
/// that is asked for are left out, from the annotation and from what was found. Prints how many are accepted, and every one
/// that is not.
pub(crate) fn run(models: &mut Models, data: &Path) -> Vec<Try> {
    let (mut recordings, mut all) = (BTreeMap::<(String, String), Vec<Recording>>::new(), Vec::new());
    for entry in source::entries(data).into_iter().step_by(every()) {
        models.forget();
        let report = clip::of_video(models, &std::fs::read(&entry.path).unwrap());
        if let Ok(report) = &report {
            let ms = |frame: i64| (frame.max(0) as f64 * 1_000.0 / entry.fps) as u32;
            // The annotation's doubt is in the entry already: two frames at either end.
            let blinks_ms = entry.blinks.iter().map(|[from, to]| [ms(*from + 2), ms(*to - 2)]).collect();
            let (name, person, group) = (entry.name.clone(), entry.person.clone(), entry.group.clone());
            let worn = if group.starts_with("ZJU, glasses") { "with" } else { "without" };
            let recording = Recording { name, person: person.clone(), group, blinks_ms, report: report.clone() };
            recordings.entry((person, worn.to_owned())).or_default().push(recording);
        }
        all.push((entry.name.clone(), report));
    }
    let (mut groups, mut tries) = (BTreeMap::<String, Group>::new(), Vec::new());
    for ((person, worn), recordings) in &recordings {
        let blinks: usize = recordings.iter().map(|recording| recording.blinks_ms.len()).sum();
        for first in 0..recordings.len() {
            for number in 0..2 {
                if blinks == 0 {
                    continue;
                }
                let made = chained(recordings, first, &mut seed(&format!("{person} {worn} {first}"), number));
                let verdict = verdict(&Ok(made.report.clone()), &made.challenge);
                if verdict != "accepted" {
                    let found: Vec<u32> = made.report.blinks.iter().map(|blink| blink.start_ms).collect();
                    println!("refused: {}: {verdict}; cues {:?}, blinks {found:?}", made.name, made.challenge.cues_ms);
                }
                groups.entry(recordings[first].group.clone()).or_default().count(&verdict);
                tries.push(made);
            }
        }
    }
    print("genuine tries, by the first recording", "accepted", &groups);
    whole(&all);
    tries
}

/// A try of recordings one after the other, from the `first` on.
fn chained(recordings: &[Recording], first: usize, random: &mut StdRng) -> Try {
    let wanted = random.random_range(BLINKS[0]..=BLINKS[1]);
    let (mut cues_ms, mut names) = (Vec::new(), Vec::new());
    let mut whole = ClipReport { duration_ms: 0, observed_ms: 0, frames: 0, ..recordings[first].report.clone() };
    (whole.blinks, whole.faces, whole.cuts_ms) = (Vec::new(), Vec::new(), Vec::new());
    let mut last_ms = None;
    for recording in recordings.iter().cycle().skip(first) {
        let (report, offset) = (&recording.report, whole.duration_ms);
        let (mut left_out, mut asked) = (Vec::new(), Vec::new());
        for [from, to] in &recording.blinks_ms {
            // Nobody answers a cue in the first instants of a recording.
            let too_soon = *from < 710 || last_ms.is_some_and(|last| offset + from < last + APART_MS);
            if too_soon || cues_ms.len() == wanted {
                left_out.push([*from, *to]);
            } else {
                last_ms = Some(offset + from);
                let before = random.random_range(400..700);
                cues_ms.push(offset + from - before);
                asked.push([*from, *to]);
            }
        }
        let meets = |blink: &ClipBlink, spans: &[[u32; 2]]| {
            let near =
                |[from, to]: &[u32; 2]| blink.start_ms <= to + SAME_WITHIN_MS && blink.end_ms + SAME_WITHIN_MS >= *from;
            spans.iter().any(near)
        };
        let is_left_out = |blink: &ClipBlink| meets(blink, &left_out) && !meets(blink, &asked);
        let later = |blink: &ClipBlink| ClipBlink {
            start_ms: blink.start_ms + offset,
            end_ms: blink.end_ms + offset,
            ..*blink
        };
        whole.blinks.extend(report.blinks.iter().filter(|blink| !is_left_out(blink)).map(later));
        // A minute of encodings would make it no more like a try.
        whole.faces.extend(report.faces.iter().cloned().map(|face| ClipFace { at_ms: face.at_ms + offset, ..face }));
        whole.cuts_ms.extend(report.cuts_ms.iter().map(|at| at + offset));
        whole.duration_ms += report.duration_ms;
        whole.observed_ms += report.observed_ms;
        whole.frames += report.frames;
        whole.returned_frames = whole.returned_frames.max(report.returned_frames);
        whole.longest_gap_ms = whole.longest_gap_ms.max(report.longest_gap_ms);
        whole.longest_repeat_ms = whole.longest_repeat_ms.max(report.longest_repeat_ms);
        let flatter = report.solidity.filter(|now| whole.solidity.is_none_or(|so_far| now.residual < so_far.residual));
        whole.solidity = flatter.or(whole.solidity);
        names.push(recording.name.as_str());
        if cues_ms.len() == wanted {
            break;
        }
    }
    // The recordings end soon after their last blink; a try waits for the last cue to pass.
    let challenge = Challenge { cues_ms };
    whole.duration_ms = whole.duration_ms.max(challenge.needed_ms());
    Try { name: names.join(" + "), challenge, report: whole }
}

/// What is said of whole recordings of living people, as they were made.
fn whole(recordings: &[(String, Result<ClipReport, Refusal>)]) {
    type Question = fn(&ClipReport) -> bool;
    let read: Vec<(&str, &ClipReport)> =
        recordings.iter().filter_map(|(name, report)| Some((name.as_str(), report.as_ref().ok()?))).collect();
    let rows: [(&str, Question); 4] = [
        ("said to be cut", |report| !report.cuts_ms.is_empty()),
        ("too many pictures said to return", |report| {
            u64::from(report.returned_frames) * 100 > u64::from(report.frames) * MOST_RETURNED_PERCENT
        }),
        ("still for too long", |report| report.longest_repeat_ms > LONGEST_REPEAT_MS),
        ("said to be flat", |report| report.solidity.is_some_and(|solidity| solidity.is_flat())),
    ];
    println!(
        "\n| whole recordings of living people | n | share | 95 % interval | which |\n| --- | --- | --- | --- | --- |"
    );
    for (what, is_so) in rows {
        let which: Vec<&str> = read.iter().filter(|(_, report)| is_so(report)).map(|(name, _)| *name).collect();
        println!("| {what} | {} | {} |", share(which.len(), read.len()), which.join(", "));
    }
    let mut residuals: Vec<f32> = read.iter().filter_map(|(_, report)| Some(report.solidity?.residual)).collect();
    residuals.sort_by(f32::total_cmp);
    println!("\nresidual motion of the {} that moved enough: {residuals:.3?}", residuals.len());
    for (name, report) in &read {
        println!(
            "{name}: cuts {:?}, returned {} of {}, still {} ms, solidity {:?}",
            report.cuts_ms, report.returned_frames, report.frames, report.longest_repeat_ms, report.solidity
        );
    }
    for (name, report) in recordings {
        if let Err(refusal) = report {
            println!("not read: {name}: {refusal}");
        }
    }
}
