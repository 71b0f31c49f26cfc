//! Compares found blinks with annotated ones. They are matched one to one where their frames overlap enough, best pairs
//! first (the criterion of Fogelton and Benesova 2016).

use std::{ops::AddAssign, path::PathBuf};

use serde::Deserialize;

use crate::Blink;

/// The least intersection over union of a pair's frame intervals.
const LEAST_OVERLAP: f64 = 0.2;
/// A blink within this many frames of the clip's ends may be cut, and counts neither as found nor as missed.
const EDGE_FRAMES: i64 = 3;

/// The matching criterion, in words.
pub const CRITERION: &str =
    "one to one, intersection over union of frames at least 0.2, blinks cut by the clip's edge left out";

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

/// A file that lists the blinks of a clip, or of several clips by file name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum TruthFile {
    /// The form that `blinkd synthesize --truth` writes.
    One {
        /// The clip's blinks.
        blinks: Vec<Span>,
    },
    /// Annotations of a folder of clips.
    Many {
        /// An entry for each clip.
        clips: Vec<TruthClip>,
    },
}

/// One clip of a [`TruthFile`] of several.
#[derive(Debug, Deserialize)]
pub struct TruthClip {
    /// The clip's file.
    pub file: PathBuf,
    /// The clip's blinks.
    pub blinks: Vec<Span>,
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
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.misses += other.misses;
    }
}

impl Score {
    /// Compares the blinks found in a clip of `frames` frames with the annotated ones.
    #[must_use]
    pub fn from_spans(found: &[Span], truth: &[Span], frames: u64) -> Self {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (i, a) in found.iter().enumerate() {
            for (j, b) in truth.iter().enumerate() {
                let overlap = overlap(a, b);
                if overlap >= LEAST_OVERLAP {
                    pairs.push((overlap, i, j));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut used_found, mut used_truth) = (vec![false; found.len()], vec![false; truth.len()]);
        for (_, i, j) in pairs {
            if !used_found[i] && !used_truth[j] {
                (used_found[i], used_truth[j]) = (true, true);
            }
        }
        let last = i64::try_from(frames).unwrap_or(i64::MAX) - EDGE_FRAMES;
        let whole = |span: &Span| span.start_frame >= EDGE_FRAMES && span.end_frame < last;
        let errors = |spans: &[Span], used: &[bool]| {
            spans.iter().zip(used).filter(|(span, used)| !**used && whole(span)).count()
        };
        let true_positives = used_found.iter().filter(|used| **used).count();
        let (false_positives, misses) = (errors(found, &used_found), errors(truth, &used_truth));
        Self { true_positives, false_positives, misses }
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

    /// The F1 score, the harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> f64 {
        ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.misses)
    }
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
mod tests {
    use super::*;

    fn spans(pairs: &[(i64, i64)]) -> Vec<Span> {
        pairs.iter().map(|&(start_frame, end_frame)| Span { start_frame, end_frame }).collect()
    }

    #[test]
    fn a_pair_counts_once() {
        let score = Score::from_spans(&spans(&[(10, 20), (11, 19), (50, 60)]), &spans(&[(10, 20), (80, 90)]), 100);
        assert_eq!((score.true_positives, score.false_positives, score.misses), (1, 2, 1));
        assert!((score.f1() - 0.4).abs() < 1e-9);
    }

    #[test]
    fn what_the_edge_cuts_is_no_error() {
        let score = Score::from_spans(&spans(&[(0, 5), (95, 98)]), &spans(&[(-3, 2)]), 100);
        assert_eq!((score.false_positives, score.misses), (0, 0));
    }

    #[test]
    fn too_little_overlap_is_no_match() {
        let score = Score::from_spans(&spans(&[(10, 19)]), &spans(&[(18, 27)]), 100);
        assert_eq!((score.true_positives, score.false_positives, score.misses), (0, 1, 1));
    }
}
