//! The results of recordings, and their sum.

use std::time::Duration;

use super::{Annotation, Score, Span, ratio};

/// The result of one recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// What is right, false and missed.
    pub score: Score,
    /// The number of annotated blinks.
    pub annotated: usize,
    /// The number of found blinks, without undecided ones.
    pub found: usize,
    /// The time that was observed.
    pub observed: Duration,
    /// The length of the recording.
    pub length: Duration,
}

impl Recording {
    /// Compares the blinks found in a clip with its annotation. `frames` counts where the annotation does not say how
    /// many frames there are.
    #[must_use]
    pub fn new(found: &[Span], annotation: &Annotation, frames: u64) -> Self {
        let score = Score::new(found, annotation, annotation.frames.unwrap_or(frames));
        Self { score, annotated: annotation.blinks.len(), found: found.len() - score.undecided, ..Self::default() }
    }

    /// The same result, with how much of the recording was observed.
    #[must_use]
    pub fn with_times(self, observed: Duration, length: Duration) -> Self {
        Self { observed, length, ..self }
    }

    /// The share of the recording that was observed; 0 of an empty one.
    #[must_use]
    pub fn observed_share(&self) -> f64 {
        share(self.observed, self.length)
    }
}

/// The sum of several recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The number of recordings.
    pub recordings: usize,
    /// What is right, false and missed in all of them.
    pub score: Score,
    /// The number of annotated blinks.
    pub annotated: usize,
    /// The number of found blinks, without undecided ones.
    pub found: usize,
    observed: Duration,
    length: Duration,
    miscounted: usize,
}

impl Sum {
    /// Adds a recording.
    pub fn add(&mut self, recording: &Recording) {
        self.recordings += 1;
        self.score += recording.score;
        self.annotated += recording.annotated;
        self.found += recording.found;
        self.observed += recording.observed;
        self.length += recording.length;
        self.miscounted += recording.found.abs_diff(recording.annotated);
    }

    /// The error of the plain count: how far each recording's count is off, over all annotated blinks.
    #[must_use]
    pub fn count_error(&self) -> f64 {
        ratio(self.miscounted, self.annotated.max(1))
    }

    /// The share of the recordings' time that was observed; 0 of empty ones.
    #[must_use]
    pub fn observed_share(&self) -> f64 {
        share(self.observed, self.length)
    }
}

fn share(part: Duration, of: Duration) -> f64 {
    if of.is_zero() { 0.0 } else { part.as_secs_f64() / of.as_secs_f64() }
}

impl<'a> FromIterator<&'a Recording> for Sum {
    fn from_iter<I: IntoIterator<Item = &'a Recording>>(recordings: I) -> Self {
        let mut sum = Self::default();
        recordings.into_iter().for_each(|recording| sum.add(recording));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_count_do_not_cancel_and_undecided_blinks_are_left_out() {
        let span = |start_frame| Span { start_frame, end_frame: start_frame + 9 };
        let annotation = |blinks: &[i64]| Annotation {
            blinks: blinks.iter().map(|at| span(*at)).collect(),
            ..Annotation::default()
        };
        let found = Recording::new(&[span(10), span(30)], &annotation(&[10]), 100);
        let missed = Recording::new(&[], &annotation(&[50]), 100);
        let open = Annotation { other: vec![span(70)], ..annotation(&[50]) };
        let undecided = Recording::new(&[span(50), span(75)], &open, 100);
        let sum: Sum = [found, missed, undecided].iter().collect();
        assert_eq!((sum.recordings, sum.annotated, sum.found), (3, 3, 3));
        assert!((sum.count_error() - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_observed_share_is_that_of_all_time_together() {
        let recording = |observed, length| {
            Recording::default().with_times(Duration::from_secs(observed), Duration::from_secs(length))
        };
        let recordings = [recording(1, 10), recording(90, 90)];
        assert!((recordings[0].observed_share() - 0.1).abs() < 1e-9);
        assert!((recordings.iter().collect::<Sum>().observed_share() - 0.91).abs() < 1e-9);
        assert!(Sum::default().observed_share().abs() < 1e-9);
    }

    #[test]
    fn the_annotators_number_of_frames_decides_where_the_edge_is() {
        let blink = Span { start_frame: 90, end_frame: 97 };
        let annotation = Annotation { blinks: vec![blink], other: Vec::new(), frames: Some(110) };
        assert_eq!(Recording::new(&[], &annotation, 100).score.misses, 1);
        assert_eq!(Recording::new(&[], &Annotation { frames: None, ..annotation }, 100).score.misses, 0);
    }
}
