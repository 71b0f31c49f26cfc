//! The challenge: a random number of blinks, each asked for at a random instant.
//!
//! What a chance answer is worth decides its shape. A person blinks by themselves some 15 to 20 times a minute (Bentivoglio
//! et al. 1997 measured 17 at rest and 26 in conversation), and a recording of a face does the same. A cue is answered by
//! a blink that begins in the [`WINDOW_MS`] after its first [`EARLIEST_MS`], and one blink besides is forgiven. Two in quick
//! succession are one answer. The test
//! below computes how often blinking that knows nothing of the cues answers all of them, at any rate of blinking: at most
//! once in 1,000 challenges. Fewer blinks would not do: see the figures of [`BLINKS`].

use rand::{CryptoRng, RngExt as _};

/// A cue is answered by a blink that begins this long after it at the earliest: nobody reacts faster.
pub const EARLIEST_MS: u32 = 100;

/// A cue is answered by a blink that begins this long after it at the latest.
pub const LATEST_MS: u32 = 1_500;

/// How long a blink may begin to answer a cue.
pub const WINDOW_MS: u32 = LATEST_MS - EARLIEST_MS;

/// The fewest and the most blinks that are asked for. Whoever shows a recording does not know the number beforehand.
///
/// Over the same length 4 blinks would let chance in 1.7 times in 1,000. What keeps it out is both: the instants that it
/// must meet, and the rest of the recording, in which at most one other blink may fall.
pub const BLINKS: [usize; 2] = [5, 6];

/// Who blinks twice at a cue, the second time at most this long after the first, answered it: half of the people in the
/// recordings of docs/liveness.md who were refused for too many blinks did.
pub const DOUBLE_MS: u32 = 600;

/// Blinks beside the answers that are no fault: people blink by themselves, and one at a time.
pub const FORGIVEN: usize = 1;

/// The length of every recording. Shorter ones do not keep what is promised above.
const LENGTH_MS: u32 = 21_000;

/// The first cue comes this long after the start of the recording, at the earliest: the open eyes are measured first.
const FIRST_MS: u32 = 1_000;

/// From one cue to the next at least: no blink answers two.
const GAP_MS: u32 = 1_600;

/// The recording goes on for this long after the last cue at least: its answer may come late, and the eyes open again.
const TAIL_MS: u32 = 1_900;

/// A challenge may be answered for this long after its recording could have ended.
pub const SLACK_MS: i64 = 60_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// When each blink is asked for, from the start of the recording, in order.
    pub cues_ms: Vec<u32>,
}

impl Challenge {
    /// Draws a challenge.
    pub fn draw(random: &mut impl CryptoRng) -> Self {
        let blinks = random.random_range(BLINKS[0]..=BLINKS[1]);
        let gaps = GAP_MS * (blinks as u32 - 1);
        // All arrangements that fit are equally likely: what is left between the gaps is cut at random places.
        let free = LENGTH_MS - FIRST_MS - gaps - TAIL_MS;
        let mut places: Vec<u32> = (0..blinks).map(|_| random.random_range(0..=free)).collect();
        places.sort_unstable();
        let cues_ms = (0..).zip(places).map(|(n, place)| FIRST_MS + n * GAP_MS + place).collect();
        Self { cues_ms }
    }

    /// How long to record, in whole seconds.
    #[must_use]
    pub fn seconds() -> u32 {
        LENGTH_MS / 1_000
    }

    /// Until when the recording must go on at least, so that an answer to the last cue could be seen.
    #[must_use]
    pub fn needed_ms(&self) -> u32 {
        self.cues_ms.last().copied().unwrap_or(0) + LATEST_MS
    }

    /// Judges blinks that began at these instants, in order.
    #[must_use]
    pub fn judge(&self, starts_ms: &[u32]) -> Answer {
        // No blink can answer two cues, because they are further apart than the window is wide: see the test.
        let answers = |cue: &u32| {
            let after = |start: &&u32| (EARLIEST_MS..=LATEST_MS).contains(&start.saturating_sub(*cue));
            let first = starts_ms.iter().find(after)?;
            Some(starts_ms.iter().filter(after).filter(|start| **start - first <= DOUBLE_MS).count())
        };
        let answers: Vec<usize> = self.cues_ms.iter().filter_map(answers).collect();
        let (answered, beside) = (answers.len(), starts_ms.len() - answers.iter().sum::<usize>());
        let number = answered + beside;
        if starts_ms.is_empty() {
            Answer::NoBlink
        } else if answered == self.cues_ms.len() && beside <= FORGIVEN {
            Answer::Right
        } else if number < self.cues_ms.len() || number > self.cues_ms.len() + FORGIVEN {
            Answer::WrongNumber
        } else {
            Answer::OffCue
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Right,
    NoBlink,
    /// Too few blinks, or too many.
    WrongNumber,
    /// As many as were asked for, and not when.
    OffCue,
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};
    use rstest::rstest;

    use super::*;

    fn challenge(cues: &[u32]) -> Challenge {
        Challenge { cues_ms: cues.to_vec() }
    }

    #[rstest]
    #[case(&[2_100, 5_100], Answer::Right)]
    #[case(&[3_500, 6_500], Answer::Right)]
    #[case(&[2_099, 5_100], Answer::OffCue)]
    #[case(&[3_501, 5_100], Answer::OffCue)]
    #[case(&[500, 2_300, 5_300], Answer::Right)]
    #[case(&[2_300, 5_300, 5_900], Answer::Right)]
    #[case(&[500, 900, 2_300, 5_300], Answer::WrongNumber)]
    #[case(&[500, 2_300, 2_900, 5_300, 5_700], Answer::Right)]
    #[case(&[2_300, 2_901, 5_300, 5_901], Answer::WrongNumber)]
    #[case(&[3_400, 3_600, 5_300], Answer::Right)]
    #[case(&[3_400, 3_600, 5_300, 6_600], Answer::WrongNumber)]
    #[case(&[2_300], Answer::WrongNumber)]
    #[case(&[], Answer::NoBlink)]
    fn a_blink_answers_the_cue_that_it_follows(#[case] starts: &[u32], #[case] answer: Answer) {
        assert_eq!(challenge(&[2_000, 5_000]).judge(starts), answer);
    }

    #[test]
    fn cues_are_apart_and_no_two_challenges_are_alike() {
        let mut random = StdRng::seed_from_u64(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let Challenge { cues_ms } = Challenge::draw(&mut random);
            assert!((BLINKS[0]..=BLINKS[1]).contains(&cues_ms.len()) && cues_ms[0] >= FIRST_MS);
            // The next cue comes after the last moment at which this one is answered, so no blink answers two.
            assert!(cues_ms.windows(2).all(|pair| pair[1] - pair[0] >= GAP_MS && GAP_MS > LATEST_MS - EARLIEST_MS));
            assert!(challenge(&cues_ms).needed_ms() < 1_000 * Challenge::seconds(), "{cues_ms:?}");
            seen.insert(cues_ms);
        }
        assert!(seen.len() > 1_990, "{}", seen.len());
    }

    /// A person's own blinking: pauses that are drawn anew each time. With `shape` 1 they are as irregular as chance, with
    /// 2 their standard deviation is 0.7 of their mean. People's is 0.7 to 1 of it and more (Ponder and Kennedy 1927).
    fn blinking(random: &mut StdRng, per_minute: f64, shape: u32, length_ms: u32) -> Vec<u32> {
        const PAUSE_MS: f64 = 400.0;
        let mean = 60_000.0 / per_minute;
        let pause = |random: &mut StdRng| {
            let part =
                |random: &mut StdRng| -(1.0 - random.random::<f64>()).ln() * (mean - PAUSE_MS) / f64::from(shape);
            PAUSE_MS + (0..shape).map(|_| part(random)).sum::<f64>()
        };
        // It began long before the recording.
        let mut at = -3.0 * mean * random.random::<f64>();
        let mut starts = Vec::new();
        while at < f64::from(length_ms) {
            if at >= 0.0 {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the recording")]
                starts.push(at as u32);
            }
            at += pause(random);
        }
        starts
    }

    /// How many of 1,000 challenges are passed.
    fn passed(tries: u32, mut blinks: impl FnMut(&mut StdRng) -> Vec<u32>) -> f64 {
        let mut random = StdRng::seed_from_u64(20_260_310);
        let right = (0..tries)
            .filter(|_| {
                let challenge = Challenge::draw(&mut random);
                challenge.judge(&blinks(&mut random)) == Answer::Right
            })
            .count();
        1_000.0 * right as f64 / f64::from(tries)
    }

    #[test]
    fn blinking_that_knows_nothing_of_the_cues_passes_less_than_once_in_a_thousand() {
        let mut worst = (0.0, String::new());
        for shape in [1, 2] {
            for per_minute in [4_u32, 8, 10, 13, 15, 17, 20, 23, 26, 30, 40, 60] {
                let share = passed(60_000, |random| blinking(random, per_minute.into(), shape, LENGTH_MS));
                worst = if share > worst.0 { (share, format!("{per_minute} a minute, shape {shape}")) } else { worst };
            }
        }
        println!("chance: {:.2} in 1,000 at {}", worst.0, worst.1);
        assert!(worst.0 <= 1.0, "{worst:?}");
    }

    /// A recording of a right answer to another challenge has about as many blinks as are asked for, and knows no instant.
    #[test]
    fn a_recording_of_another_answer_passes_seldom() {
        let share = passed(200_000, |random| {
            let earlier = Challenge::draw(random);
            earlier.cues_ms.iter().map(|cue| cue + random.random_range(250..700)).collect()
        });
        println!("a recording of another answer: {share:.2} in 1,000");
        assert!(share <= 4.0, "{share}");
    }
}
