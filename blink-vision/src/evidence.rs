//! How deep a dip must be to count as a blink, given how well the eyes could be seen around it; and whose eye it was.
//!
//! A deep dip is a blink under all circumstances. A shallow one is a blink if the picture is steady and clear: noise,
//! a turning head, and eyes that can hardly be read all make shallow dips too.

use std::collections::VecDeque;

use crate::{dip::Dip, geometry::Eye, pose::Pose};

/// A dip must be this many times deeper than the noise before it.
const NOISE_TIMES: f32 = 6.0;
/// For each degree that the head is turned beyond this, the dip must be this much deeper.
const TURNED: (f32, f32) = (25.0, 0.008);
/// For each degree that the head turns during the dip beyond this, the dip must be this much deeper.
const TURNING: (f32, f32) = (12.0, 0.004);
/// Beyond this standard deviation of the openness, the dip must be this many times the excess deeper.
const UNSURE: (f32, f32) = (0.2, 1.0);
/// Share of a new bend of the closure in the noise.
const NOISE_SHARE: f32 = 0.05;
/// Share of a new frame in the usual standard deviation.
const UNSURE_SHARE: f32 = 0.03;
/// The noise before anything is known.
const FIRST_NOISE: f32 = 0.03;
/// A wink's other eye dips by less than this, and by less than this share of the winking one's.
const OPEN_EYE: (f32, f32) = (0.3, 0.4);
/// An eye can tell a wink from a blink if its aperture is surer than this, and it opens at least this far.
const CLEAR_EYE: (f32, f32) = (0.09, 0.6);
/// Number of frames that are kept: 1.7 s at 60 frames per second.
const KEPT: usize = 100;

/// What was seen in one frame.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The frame's number.
    pub frame: u64,
    /// The closure of both eyes together.
    pub both: f32,
    /// The closure of each eye.
    pub each: [f32; 2],
    /// The standard deviation of each aperture.
    pub aperture_sd: [f32; 2],
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

/// The last frames.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    moments: VecDeque<(Moment, f32, f32)>,
}

impl Evidence {
    /// Takes the next frame.
    pub fn push(&mut self, moment: Moment) {
        let latest = |back: usize| self.moments.len().checked_sub(back).map(|i| &self.moments[i]);
        let (noise, unsure) = match (latest(2), latest(1)) {
            (Some(before), Some(last)) => {
                let bend = (moment.both - 2.0 * last.0.both + before.0.both).abs().min(0.5) / 2.0;
                let unsure = last.2 + (moment.openness_sd - last.2) * UNSURE_SHARE;
                (last.1 + (bend - last.1) * NOISE_SHARE, unsure)
            }
            (_, Some(last)) => (last.1, last.2),
            _ => (FIRST_NOISE, moment.openness_sd),
        };
        if self.moments.len() == KEPT {
            self.moments.pop_front();
        }
        self.moments.push_back((moment, noise, unsure));
    }

    /// Forgets all frames.
    pub fn reset(&mut self) {
        self.moments.clear();
    }

    /// Judges `dip`; `open` is the openness of the open eyes, right and left.
    #[must_use]
    pub fn judge(&self, dip: &Dip, open: [f32; 2]) -> Verdict {
        let within = |frame: u64| (dip.start.0.saturating_sub(2)..=dip.end.0).contains(&frame);
        let during: Vec<&Moment> = self.moments.iter().map(|(moment, ..)| moment).filter(|m| within(m.frame)).collect();
        let Some(first) = during.first() else { return Verdict::Nothing };
        let before = self.moments.iter().rev().find(|(moment, ..)| moment.frame < dip.start.0);
        let (noise, unsure) = before.map_or((FIRST_NOISE, first.openness_sd), |&(_, noise, unsure)| (noise, unsure));
        let yaws = during.iter().map(|m| m.pose.yaw);
        let (least, most) = yaws.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), yaw| (a.min(yaw), b.max(yaw)));
        let over = |value: f32, (from, each): (f32, f32)| each * (value - from).max(0.0);
        let turned = over(least.abs().max(most.abs()), TURNED) + over(most - least, TURNING);
        let wanted = dip.least + turned + over(unsure, UNSURE);
        if dip.prominence < wanted || dip.prominence < NOISE_TIMES * noise {
            return Verdict::Nothing;
        }
        self.winking(&during, dip, open).map_or(Verdict::Blink, Verdict::Wink)
    }

    /// The only eye that closed, where both can be seen clearly.
    #[expect(clippy::unused_self, reason = "belongs to the judgement")]
    fn winking(&self, during: &[&Moment], dip: &Dip, open: [f32; 2]) -> Option<Eye> {
        #[expect(clippy::cast_precision_loss, reason = "a handful of frames")]
        let count = during.len() as f32;
        let depth = [0, 1].map(|eye| {
            let most = during.iter().map(|m| m.each[eye]).fold(f32::NEG_INFINITY, f32::max);
            let outside = during.iter().filter(|m| m.frame <= dip.start.0 || m.frame == dip.end.0);
            most - outside.map(|m| m.each[eye]).fold(f32::INFINITY, f32::min)
        });
        let clear = [0, 1].iter().all(|&eye| {
            let sd = during.iter().map(|m| m.aperture_sd[eye]).sum::<f32>() / count;
            sd < CLEAR_EYE.0 && open[eye] > CLEAR_EYE.1
        });
        let (shut, other) = if depth[0] > depth[1] { (0, 1) } else { (1, 0) };
        let winks = clear && depth[other] < OPEN_EYE.0 && depth[other] < OPEN_EYE.1 * depth[shut];
        winks.then_some(Eye::BOTH[shut])
    }
}
