//! Closure of the lids: four noisy measurements, each against its own baseline, weighted by their noise.
//!
//! Each eye is measured twice, by its EAR and by the unlikeness of its patch to the open template. Every measurement is
//! taken against a rolling baseline of the person's open eye and scaled to 0 open, 1 closed. The weights are the
//! inverse variances, so that glare on one glass, or a rim that attracts the landmarks, removes one channel only. Where
//! one kind of measurement is quiet and shows no closure, the other alone cannot make a blink: a turned head changes
//! the patch but not the EAR, a slipping landmark the EAR but not the patch.
//! blink: a turned head changes the patch but not the EAR, a slipping landmark the EAR but not the patch.

use std::{collections::VecDeque, time::Duration};

/// Measurements of one frame: the EARs and, where there is an image, the unlikenesses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Eye aspect ratios of the right and left eye.
    pub ear: [f32; 2],
    /// One minus the likeness to the open template, right and left.
    pub unlikeness: Option<[f32; 2]>,
}

/// In 68-point landmarks the EAR of a closed eye is about half of the open one's.
const EAR_SPAN: f32 = 0.5;
/// The unlikeness of a closed eye's patch to the open one's.
const UNLIKENESS_SPAN: f32 = 0.16;
/// The least noise assumed of a channel, on the scale of the closure.
const NOISE_FLOOR: f32 = 0.06;
/// How far one kind may exceed the other: this much, and this many times the other's noise.
const LEEWAY: (f32, f32) = (0.3, 6.0);
/// Time span of the baselines. They recover from glasses put on within 65 % of it.
const BASELINE_SPAN: Duration = Duration::from_secs(12);
/// The baseline is this quantile of the samples.
const OPEN_QUANTILE: f32 = 0.65;
/// Time constant of the noise estimate.
const NOISE_TIME: Duration = Duration::from_secs(1);

/// One measurement of one eye, with its own history.
#[derive(Clone, Debug)]
struct Channel {
    quantile: f32,
    past: VecDeque<(Duration, f32)>,
    scratch: Vec<f32>,
    baseline: f32,
    last: [Option<f32>; 2],
    noise: f32,
}

impl Channel {
    fn new(quantile: f32) -> Self {
        Self {
            quantile,
            past: VecDeque::new(),
            scratch: Vec::new(),
            baseline: 0.0,
            last: [None; 2],
            noise: NOISE_FLOOR,
        }
    }

    fn learn(&mut self, t: Duration, value: f32) {
        while self.past.front().is_some_and(|&(old, _)| t.saturating_sub(old) > BASELINE_SPAN) {
            self.past.pop_front();
        }
        self.past.push_back((t, value));
        self.scratch.clear();
        self.scratch.extend(self.past.iter().map(|&(_, value)| value));
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let at = ((self.scratch.len() - 1) as f32 * self.quantile) as usize;
        self.baseline = *self.scratch.select_nth_unstable_by(at, f32::total_cmp).1;
    }

    /// Estimates the noise from how far each closure is from the line through its two predecessors.
    fn learn_noise(&mut self, closure: f32, share: f32) {
        if let [Some(before), Some(last)] = self.last {
            let bend = (closure - 2.0 * last + before).abs().min(0.6);
            self.noise += (bend / 2.0 - self.noise) * share;
        }
        self.last = [self.last[1], Some(closure)];
    }

    fn weight(&self) -> f32 {
        1.0 / (self.noise * self.noise + NOISE_FLOOR * NOISE_FLOOR)
    }
}

/// A weighted mean, and the lowest noise among its inputs.
struct Mean {
    value: f32,
    weight: f32,
    noise: f32,
}

fn mean(channels: &mut [Channel; 2], closures: [f32; 2], share: f32) -> Mean {
    let (mut sum, mut weight, mut noise) = (0.0, 0.0, f32::INFINITY);
    for (channel, closure) in channels.iter_mut().zip(closures) {
        let closure = closure.clamp(-1.0, 1.5);
        channel.learn_noise(closure, share);
        sum += closure * channel.weight();
        weight += channel.weight();
        noise = noise.min(channel.noise);
    }
    Mean { value: sum / weight, weight, noise }
}

/// The four channels and their fusion into one closure.
#[derive(Clone, Debug)]
pub struct Fusion {
    ear: [Channel; 2],
    unlike: [Channel; 2],
}

impl Default for Fusion {
    fn default() -> Self {
        let channels = |quantile| [Channel::new(quantile), Channel::new(quantile)];
        Self { ear: channels(OPEN_QUANTILE), unlike: channels(1.0 - OPEN_QUANTILE) }
    }
}

impl Fusion {
    /// Adds a frame's measurements to the baselines.
    pub fn learn(&mut self, t: Duration, measured: &Measured) {
        for (channel, &value) in self.ear.iter_mut().zip(&measured.ear) {
            channel.learn(t, value);
        }
        for (channel, &value) in self.unlike.iter_mut().zip(measured.unlikeness.iter().flatten()) {
            channel.learn(t, value);
        }
    }

    /// The open-eye EAR, right and left; 0 before the first measurement.
    #[must_use]
    pub fn open_ear(&self) -> [f32; 2] {
        [self.ear[0].baseline, self.ear[1].baseline]
    }

    /// The closure of this frame, 0 open to about 1 closed, `dt` after the last frame.
    pub fn closure(&mut self, measured: &Measured, dt: Duration) -> f32 {
        let share = (dt.as_secs_f32() / NOISE_TIME.as_secs_f32()).min(0.3);
        let open = self.open_ear().map(|ear| ear.max(0.05));
        let closures = std::array::from_fn(|i| (1.0 - measured.ear[i] / open[i]) / EAR_SPAN);
        let by_ear = mean(&mut self.ear, closures, share);
        let Some(unlikeness) = measured.unlikeness else { return by_ear.value };
        let closures = std::array::from_fn(|i| (unlikeness[i] - self.unlike[i].baseline) / UNLIKENESS_SPAN);
        let by_patch = mean(&mut self.unlike, closures, share);
        let both =
            (by_ear.value * by_ear.weight + by_patch.value * by_patch.weight) / (by_ear.weight + by_patch.weight);
        let most = |other: &Mean| other.value + LEEWAY.0 + LEEWAY.1 * other.noise;
        both.min(most(&by_ear)).min(most(&by_patch))
    }
}
