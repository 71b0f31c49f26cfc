//! Compares found blinks with annotated ones. They are matched one to one where their frames overlap enough, best pairs
//! first (the criterion of Fogelton and Benesova 2016).
//!
//! - [`Score`]: what is right, false and missed in one recording or in several
//! - [`Recording`], [`Sum`]: a recording's result, and the sum of several
//! - [`f1_interval`]: how sure the F1 score of several recordings is
//! - [`truth`]: annotations as files

mod interval;
mod sum;
pub mod truth;

use std::ops::AddAssign;

use serde::Deserialize;

use crate::Blink;
pub use interval::{DRAWS, f1_interval};
pub use sum::{Recording, Sum};
pub use truth::Annotation;

/// The least intersection over union of a pair's frame intervals.
const LEAST_OVERLAP: f64 = 0.2;
/// A blink within this many frames of the clip's ends may be cut, and counts neither as found nor as missed.
const EDGE_FRAMES: i64 = 3;

/// The matching criterion, in words.
pub const CRITERION: &str =
    "one to one, intersection over union of frames at least 0.2, blinks cut by the edge or undecided left out";

/// A blink's frames, 0-based and inclusive. An annotation may begin before the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Span {
    /// The first frame.
    pub start_frame: i64,
    /// The last frame.
    pub end_frame: i64,
}

impl From<&Blink> for Span {
    fn from(blink: &Blink) -> Self {
        let frame = |frame: u64| i64::try_from(frame).unwrap_or(i64::MAX);
        Self { start_frame: frame(blink.start_frame), end_frame: frame(blink.end_frame) }
    }
}

/// The accuracy of a run, or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Found blinks that are annotated.
    pub true_positives: usize,
    /// Found blinks that are not annotated.
    pub false_positives: usize,
    /// Annotated blinks that were not found.
    pub misses: usize,
    /// Found blinks that are not annotated, in frames that the annotation leaves undecided. They are no errors.
    pub undecided: usize,
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.misses += other.misses;
        self.undecided += other.undecided;
    }
}

impl Score {
    /// Compares the blinks found in a clip of `frames` frames with its annotation.
    #[must_use]
    pub fn new(found: &[Span], annotation: &Annotation, frames: u64) -> Self {
        let Annotation { blinks, other, .. } = annotation;
        let (is_found_used, is_blink_used) = matched(found, blinks);
        let last = i64::try_from(frames).unwrap_or(i64::MAX) - EDGE_FRAMES;
        let whole = |span: &Span| span.start_frame >= EDGE_FRAMES && span.end_frame < last;
        let undecided = |span: &Span| {
            other.iter().any(|window| span.start_frame <= window.end_frame && span.end_frame >= window.start_frame)
        };
        let false_ones: Vec<&Span> = unmatched(found, &is_found_used).collect();
        Self {
            true_positives: is_found_used.iter().filter(|used| **used).count(),
            false_positives: false_ones.iter().filter(|span| whole(span) && !undecided(span)).count(),
            misses: unmatched(blinks, &is_blink_used).filter(|span| whole(span)).count(),
            undecided: false_ones.iter().filter(|span| undecided(span)).count(),
        }
    }

    /// The share of found blinks that are annotated; 0 where none was found.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of annotated blinks that were found; 0 where there are none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.misses)
    }

    /// The F1 score, the harmonic mean of precision and recall; 0 where nothing is right.
    #[must_use]
    pub fn f1(&self) -> f64 {
        ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.misses)
    }
}

/// Matches one to one, best pairs first; returns which spans of each list have a partner. Of equally good pairs the
/// later ones come first, so that the result does not depend on the order of equal elements in a sort.
fn matched(found: &[Span], blinks: &[Span]) -> (Vec<bool>, Vec<bool>) {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, a) in found.iter().enumerate() {
        for (j, b) in blinks.iter().enumerate() {
            let overlap = overlap(a, b);
            if overlap >= LEAST_OVERLAP {
                pairs.push((overlap, i, j));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)).then(b.2.cmp(&a.2)));
    let (mut is_found_used, mut is_blink_used) = (vec![false; found.len()], vec![false; blinks.len()]);
    for (_, i, j) in pairs {
        if !is_found_used[i] && !is_blink_used[j] {
            (is_found_used[i], is_blink_used[j]) = (true, true);
        }
    }
    (is_found_used, is_blink_used)
}

fn unmatched<'a>(spans: &'a [Span], is_used: &'a [bool]) -> impl Iterator<Item = &'a Span> {
    spans.iter().zip(is_used).filter(|(_, used)| !**used).map(|(span, _)| span)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn ratio(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "frame numbers")]
fn overlap(a: &Span, b: &Span) -> f64 {
    let both = a.end_frame.min(b.end_frame) - a.start_frame.max(b.start_frame) + 1;
    let either = a.end_frame.max(b.end_frame) - a.start_frame.min(b.start_frame) + 1;
    if both > 0 && either > 0 { both as f64 / either as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests;
