//! How sure an F1 score is, by the percentile bootstrap over whole recordings (Efron and Tibshirani 1993): blinks of
//! one recording resemble each other, so resampling single blinks would promise too much.

use super::Score;
use crate::split_mix::split_mix;

/// The number of resamplings.
pub const DRAWS: u64 = 2_000;
const SEED: u64 = 0;

/// The 95 % interval of the F1 score over recordings; the same recordings always give the same interval. `None`
/// without recordings.
#[must_use]
pub fn f1_interval(recordings: &[Score]) -> Option<[f64; 2]> {
    let n = u64::try_from(recordings.len()).ok().filter(|n| *n > 0)?;
    let mut scores: Vec<f64> = (0..DRAWS).map(|draw| resampled(recordings, draw * n).f1()).collect();
    scores.sort_by(f64::total_cmp);
    let tail = scores.len() / 40;
    Some([scores[tail], scores[scores.len() - 1 - tail]])
}

/// The sum of as many recordings as there are, drawn with replacement by the numbers from `from` on.
fn resampled(recordings: &[Score], from: u64) -> Score {
    let mut sum = Score::default();
    for k in from..from + recordings.len() as u64 {
        let at = (u128::from(split_mix(SEED, k)) * recordings.len() as u128) >> 64;
        if let Some(score) = usize::try_from(at).ok().and_then(|at| recordings.get(at)) {
            sum += *score;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(true_positives: usize, misses: usize) -> Score {
        Score { true_positives, misses, ..Score::default() }
    }

    #[test]
    fn equal_recordings_leave_no_doubt_and_none_leave_all() {
        assert_eq!(f1_interval(&[score(9, 2); 12]), Some([0.9, 0.9]));
        assert_eq!(f1_interval(&[]), None);
    }

    #[test]
    fn a_recording_that_fails_widens_it_and_it_is_always_the_same() {
        let mut recordings = vec![score(10, 0); 19];
        recordings.push(score(0, 10));
        let [low, high] = f1_interval(&recordings).unwrap();
        // How often the failing recording is drawn is Binomial(20, 1/20): over 3 times in fewer than 2.5 % of the draws.
        let expected = 2.0 * 170.0 / (2.0 * 170.0 + 30.0);
        assert!((low - expected).abs() < 1e-9 && (high - 1.0).abs() < 1e-9, "{low} {high}");
        assert_eq!(f1_interval(&recordings), Some([low, high]));
    }
}
