//! How deep a dip must be to count as a blink, given how well the eyes could be seen around it; and whose eye it was.
//!
//! A deep dip is a blink under all circumstances. A shallow one is a blink if the picture is steady and clear: noise,
//! a turning head, and eyes that can hardly be read all make shallow dips too, and so does a hand before the eyes.

use std::{collections::VecDeque, time::Duration};

use crate::{
    dip::{Dip, Limits},
    eye_patch::{self, Patch},
    geometry::Eye,
    pose::Pose,
};

/// A dip must be this many times deeper than the noise before it.
const NOISE_TIMES: f32 = 12.0;
/// For each unit of the clearer eye's doubt beyond this, that many times more, up to a limit.
const NOISE_TIMES_OF_DOUBT: (f32, f32) = (0.9, 100.0);
const MOST_NOISE_TIMES: f32 = 19.0;
/// For each degree that the head is turned beyond this, the dip must be this much deeper.
const TURNED: (f32, f32) = (25.0, 0.008);
/// For each degree that the head turns during the dip beyond this, the dip must be this much deeper.
const TURNING: (f32, f32) = (12.0, 0.004);
/// For each second that the dip is wider than this, it must be this much deeper: shallow blinks are short.
const WIDE: (f32, f32) = (0.2, 0.8);
/// For each second that the dip is narrower than this, it must be this much deeper: noise makes narrow dips.
const NARROW: (f32, f32) = (0.11, 2.0);
/// Beyond this doubt of the clearer eye during the dip, the dip must be this many times the excess deeper.
const DOUBTFUL: (f32, f32) = (0.9, 1.2);
/// For each unit by which the lesser eye's share of the greater one's dip is less than this, the dip must be this much
/// deeper.
const UNEQUAL: (f32, f32) = (0.5, 1.2);
/// For each unit by which the eyes' pictures after the dip are less like those before it than this beyond what the dip
/// itself changed, the dip must be this much deeper: a blink leaves the eyes as they were.
const CHANGED_FOR_GOOD: (f32, f32) = (0.12, 1.0);
/// Beyond this standard deviation of the openness, the dip must be this many times the excess deeper.
const UNSURE: (f32, f32) = (0.2, 2.0);
/// Time constants of the noise, and of the usual standard deviation of the openness.
const NOISE_TIME: Duration = Duration::from_millis(670);
const UNSURE_TIME: Duration = Duration::from_millis(1_100);
/// A bend counts as noise up to this many times the noise so far.
const MOST_BEND: f32 = 3.0;
/// The least noise, so that it can grow again.
const LEAST_NOISE: f32 = 0.005;
/// The noise before anything is known.
const FIRST_NOISE: f32 = 0.03;
/// A dip of one eye that is less than this share of the other's, or less than this, is one-sided.
const ONE_SIDED_BELOW: f32 = 0.3;
const LEAST_OF_EACH: f32 = 0.2;
/// A one-sided dip is a wink if both eyes' doubts are below this, and both open at least this far.
const CLEAR_BELOW: f32 = 0.7;
const CLEAR_OPEN: f32 = 0.6;
/// An eye of more doubt than this is not missed in a blink: it is covered or full of glare.
const BLIND_FROM: f32 = 0.85;
/// For how long frames are kept: the longest blink with what comes before and after it.
const KEPT: Duration = Duration::from_secs(3);

/// What was seen in one frame.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The frame's number.
    pub frame: u64,
    /// The frame's time.
    pub t: Duration,
    /// The closure of both eyes together.
    pub both: f32,
    /// The closure of each eye.
    pub each: [f32; 2],
    /// How little can be seen of each eye.
    pub doubt: [f32; 2],
    /// The pictures of the eyes.
    pub patches: [Patch; 2],
    /// The smaller standard deviation of the two opennesses.
    pub openness_sd: f32,
    /// The direction of the head.
    pub pose: Pose,
}

/// What a dip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both eyes closed and opened.
    Blink,
    /// One eye did.
    Wink(Eye),
    /// Noise, or the head's movement.
    Nothing,
}

/// A moment, and what is known of the picture by then.
#[derive(Clone, Debug)]
struct Known {
    moment: Moment,
    /// How far the closure is usually from the line through its neighbours.
    noise: f32,
    /// The usual standard deviation of the openness.
    unsure: f32,
}

/// The last frames.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    known: VecDeque<Known>,
}

impl Evidence {
    /// Takes the next frame.
    pub fn push(&mut self, moment: Moment) {
        while self.known.front().is_some_and(|oldest| moment.t.saturating_sub(oldest.moment.t) > KEPT) {
            self.known.pop_front();
        }
        let (mut noise, mut unsure) = (FIRST_NOISE, moment.openness_sd);
        if let Some(last) = self.known.back() {
            let share = |time| moment.t.saturating_sub(last.moment.t).div_duration_f32(time).min(1.0);
            unsure = last.unsure + (moment.openness_sd - last.unsure) * share(UNSURE_TIME);
            noise = last.noise;
            if let Some(before) = self.known.len().checked_sub(2).and_then(|i| self.known.get(i)) {
                let bend = (moment.both - 2.0 * last.moment.both + before.moment.both).abs() / 2.0;
                // A blink's own bends are no noise.
                noise += (bend.min(MOST_BEND * noise) - noise) * share(NOISE_TIME);
                noise = noise.max(LEAST_NOISE);
            }
        }
        self.known.push_back(Known { moment, noise, unsure });
    }

    /// Forgets all frames.
    pub fn reset(&mut self) {
        self.known.clear();
    }

    /// Judges `dip` by `limits`, whose prominence is the least depth of a blink under the best circumstances. `open` is
    /// the openness of the open eyes, right and left.
    #[must_use]
    pub fn judge(&self, dip: &Dip, limits: &Limits, open: [f32; 2]) -> Verdict {
        let within = |known: &&Known| (dip.start.0.saturating_sub(2)..=dip.end.0).contains(&known.moment.frame);
        let during: Vec<&Moment> = self.known.iter().filter(within).map(|known| &known.moment).collect();
        let Some(before) = self.known.iter().rev().find(|known| known.moment.frame < dip.start.0) else {
            return Verdict::Nothing;
        };
        let (noise, unsure) = (before.noise, before.unsure);
        let doubt = [0, 1].map(|eye| during.iter().map(|m| m.doubt[eye]).fold(0.0, f32::max));
        let clearer = doubt[0].min(doubt[1]);
        let changed = over(changed_for_good(&during), CHANGED_FOR_GOOD);
        let wanted =
            limits.prominence + asked(dip, limits, &during) + over(unsure, UNSURE) + over(clearer, DOUBTFUL) + changed;
        let above_noise = (NOISE_TIMES + over(clearer, NOISE_TIMES_OF_DOUBT)).min(MOST_NOISE_TIMES) * noise;
        let deep_enough = |depth: f32, wanted: f32| depth >= wanted.max(above_noise);
        let depths = [0, 1].map(|eye| depth(&during, dip, eye));
        let (shut, other) = if depths[0] > depths[1] { (0, 1) } else { (1, 0) };
        let share = depths[other] / depths[shut].max(f32::EPSILON);
        let blind = doubt[other] > BLIND_FROM;
        if !blind && (share < ONE_SIDED_BELOW || depths[other] < LEAST_OF_EACH) {
            let clear = doubt[0].max(doubt[1]) < CLEAR_BELOW && open[0].min(open[1]) > CLEAR_OPEN;
            let winks = clear && share < ONE_SIDED_BELOW && deep_enough(depths[shut], wanted);
            return if winks { Verdict::Wink(Eye::BOTH[shut]) } else { Verdict::Nothing };
        }
        let unequal = if blind { 0.0 } else { under(share, UNEQUAL) };
        if deep_enough(dip.prominence, wanted + unequal) { Verdict::Blink } else { Verdict::Nothing }
    }
}

/// How much deeper `dip` must be for its width and the head's movement.
fn asked(dip: &Dip, limits: &Limits, during: &[&Moment]) -> f32 {
    let (yaw, yaw_range) = extent(during.iter().map(|m| m.pose.yaw));
    let (_, pitch_range) = extent(during.iter().map(|m| m.pose.pitch));
    let moved = over(yaw, TURNED) + over(yaw_range, TURNING) + over(pitch_range, TURNING);
    let width = dip.width.as_secs_f32();
    moved + over(width, WIDE).min(limits.most_for_width) + under(width, NARROW)
}

/// How much less the eyes' pictures at the dip's end are like those at its start than its deepest moment's are like the
/// nearer of the two.
fn changed_for_good(during: &[&Moment]) -> f32 {
    let (Some(first), Some(last)) = (during.first(), during.last()) else { return 0.0 };
    let deepest = during.iter().max_by(|a, b| a.both.total_cmp(&b.both)).unwrap_or(last);
    let difference = |eye: usize| {
        let like = |a: &Moment, b: &Moment| eye_patch::likeness(&a.patches[eye], &b.patches[eye]);
        like(deepest, first).max(like(deepest, last)) - like(first, last)
    };
    (difference(0) + difference(1)) / 2.0
}

fn over(value: f32, (from, each): (f32, f32)) -> f32 {
    each * (value - from).max(0.0)
}

fn under(value: f32, (from, each): (f32, f32)) -> f32 {
    each * (from - value).max(0.0)
}

/// How deep the closure of one eye dips.
fn depth(during: &[&Moment], dip: &Dip, eye: usize) -> f32 {
    let outside = during.iter().filter(|m| m.frame < dip.start.0 || m.frame == dip.end.0);
    let most = during.iter().map(|m| m.each[eye]).fold(f32::NEG_INFINITY, f32::max);
    most - outside.map(|m| m.each[eye]).fold(f32::INFINITY, f32::min)
}

/// The greatest absolute value, and the range.
fn extent(values: impl Iterator<Item = f32>) -> (f32, f32) {
    let (least, most) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    (least.abs().max(most.abs()), most - least)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A dip of ten frames at 30 frames per second, after 60 frames.
    struct Scene {
        depth: [f32; 2],
        width_ms: u64,
        noise: f32,
        yaw_to: f32,
        openness_sd: f32,
        doubt: [f32; 2],
        /// Whether what covers the eyes at the dip's deepest stays before them.
        covered_after: bool,
        /// Whether the person was asked to blink.
        deliberate: bool,
    }

    const CLEAR: Scene = Scene {
        depth: [0.3; 2],
        width_ms: 150,
        noise: 0.0,
        yaw_to: 0.0,
        openness_sd: 0.1,
        doubt: [0.5; 2],
        covered_after: false,
        deliberate: false,
    };

    fn patch(covered: bool) -> Patch {
        std::array::from_fn(|i| if covered { i % 5 } else { i % 7 } as f32)
    }

    fn verdict(scene: &Scene) -> Verdict {
        let mut evidence = Evidence::default();
        for frame in 0..72 {
            let (during, share) = if (60..70).contains(&frame) { (1.0, (frame - 60) as f32 / 9.0) } else { (0.0, 0.0) };
            let wobble = if frame % 2 == 0 { scene.noise } else { -scene.noise };
            let each = scene.depth.map(|depth| wobble + depth * during);
            let pose = Pose { yaw: scene.yaw_to * share, ..Pose::default() };
            let both = (each[0] + each[1]) / 2.0;
            let t = Duration::from_millis(frame * 33);
            let covered = (62..70).contains(&frame) || scene.covered_after && frame >= 70;
            let patches = [patch(covered); 2];
            let (doubt, openness_sd) = (scene.doubt, scene.openness_sd);
            evidence.push(Moment { frame, t, both, each, doubt, patches, openness_sd, pose });
        }
        let prominence = (scene.depth[0] + scene.depth[1]) / 2.0;
        let at = |frame: u64| (frame, Duration::from_millis(frame * 33));
        let width = Duration::from_millis(scene.width_ms);
        let dip = Dip { start: at(60), end: at(70), width, peak: prominence, prominence };
        let limits = if scene.deliberate { Limits::deliberate() } else { Limits::default() };
        evidence.judge(&dip, &limits, [0.8; 2])
    }

    #[rstest]
    #[case::shallow_and_short(CLEAR, Verdict::Blink)]
    #[case::shallow_and_wide(Scene { width_ms: 450, ..CLEAR }, Verdict::Nothing)]
    #[case::deep_and_wide(Scene { width_ms: 450, depth: [0.9; 2], ..CLEAR }, Verdict::Blink)]
    #[case::deliberate_and_wide(Scene { width_ms: 1_400, depth: [0.6; 2], deliberate: true, ..CLEAR }, Verdict::Blink)]
    #[case::deliberate_wide_and_shallow(Scene { width_ms: 1_400, deliberate: true, ..CLEAR }, Verdict::Nothing)]
    #[case::shallow_in_noise(Scene { noise: 0.02, ..CLEAR }, Verdict::Nothing)]
    #[case::deep_in_noise(Scene { noise: 0.02, depth: [0.9; 2], ..CLEAR }, Verdict::Blink)]
    #[case::shallow_while_turning(Scene { yaw_to: 40.0, ..CLEAR }, Verdict::Nothing)]
    #[case::deep_while_turning(Scene { yaw_to: 40.0, depth: [0.9; 2], ..CLEAR }, Verdict::Blink)]
    #[case::shallow_of_eyes_hardly_seen(Scene { openness_sd: 0.28, ..CLEAR }, Verdict::Nothing)]
    #[case::shallow_and_covered_afterwards(Scene { covered_after: true, ..CLEAR }, Verdict::Nothing)]
    #[case::one_eye(Scene { depth: [0.9, 0.05], ..CLEAR }, Verdict::Wink(Eye::Right))]
    #[case::the_other_eye(Scene { depth: [0.1, 0.9], ..CLEAR }, Verdict::Wink(Eye::Left))]
    #[case::one_eye_beside_a_covered_one(Scene { depth: [0.9, 0.05], doubt: [0.5, 1.0], ..CLEAR }, Verdict::Blink)]
    #[case::one_eye_beside_a_doubtful_one(Scene { depth: [0.9, 0.05], doubt: [0.5, 0.8], ..CLEAR }, Verdict::Nothing)]
    fn a_dip_is_judged_by_how_well_the_eyes_were_seen(#[case] scene: Scene, #[case] expected: Verdict) {
        assert_eq!(verdict(&scene), expected);
    }
}
