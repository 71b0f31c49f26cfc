//! Recognises frozen pictures: of a driver that hangs, a virtual camera that is paused, a film that is stopped.
//!
//! A sensor's noise makes every picture differ from the one before. One that is repeated bit for bit for over a second
//! shows nobody, so none of that time is observed, including its first second. Shorter repetitions are how recorders
//! fill gaps between frames, and are accepted.

use std::time::Duration;

use crate::event::Event;

/// How long a picture may be repeated.
pub const MOST: Duration = Duration::from_secs(1);

/// Holds observed time back while a picture is repeated, until it is known for how long.
#[derive(Clone, Debug, Default)]
pub struct Stillness {
    last: Option<Duration>,
    /// The time of the picture that is being repeated.
    since: Option<Duration>,
    held: Vec<Event>,
    settled: Vec<Event>,
}

impl Stillness {
    /// Takes the next frame's time, and whether it `repeats` the previous picture bit for bit. Returns whether the
    /// picture has been repeated for too long to be processed.
    pub fn push(&mut self, t: Duration, repeats: bool) -> bool {
        self.since = if repeats { self.since.or(self.last) } else { None };
        self.last = Some(t);
        let still = self.since.is_some_and(|since| t.saturating_sub(since) > MOST);
        if still {
            self.held.clear();
        } else if self.since.is_none() {
            self.settled.append(&mut self.held);
        }
        still
    }

    /// Takes the events decided with the last frame.
    pub fn take(&mut self, events: impl Iterator<Item = Event>) {
        for event in events {
            let repeated = |from: Duration| self.since.is_some_and(|since| from >= since);
            match event {
                Event::Observed { from, .. } if repeated(from) => self.held.push(event),
                _ => self.settled.push(event),
            }
        }
    }

    /// The events released since the last call.
    pub fn drain(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.settled.drain(..)
    }

    /// Ends the stream: releases what was held back, because the repetition was short enough.
    pub fn finish(&mut self) {
        self.settled.append(&mut self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(40);

    /// Observed milliseconds of frames 40 ms apart, where `repeats` tells which ones repeat the previous picture.
    fn observed_ms(frames: u32, repeats: impl Fn(u32) -> bool) -> (u128, Vec<u32>) {
        let (mut stillness, mut still, mut ms) = (Stillness::default(), Vec::new(), 0);
        let mut count = |stillness: &mut Stillness| {
            for event in stillness.drain() {
                if let Event::Observed { from, to, .. } = event {
                    ms += (to - from).as_millis();
                }
            }
        };
        for frame in 0..frames {
            if stillness.push(frame * FRAME, repeats(frame)) {
                still.push(frame);
            } else if frame > 0 {
                let observed = Event::Observed { from: (frame - 1) * FRAME, to: frame * FRAME, closed: Duration::ZERO };
                stillness.take(std::iter::once(observed));
            }
            count(&mut stillness);
        }
        stillness.finish();
        count(&mut stillness);
        (ms, still)
    }

    #[test]
    fn a_picture_that_is_repeated_for_over_a_second_is_not_observed_at_all() {
        // Frame 50 is shown until frame 99, that is for 49 frames of 40 ms.
        let (ms, still) = observed_ms(150, |frame| (51..100).contains(&frame));
        assert_eq!(ms, 40 * (149 - 49));
        assert_eq!(still, (76..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_second_of_repetition_is_taken_as_it_comes() {
        assert_eq!(observed_ms(100, |frame| (51..=75).contains(&frame)), (40 * 99, Vec::new()));
        // Every second frame is a copy, as in a film whose rate was doubled.
        assert_eq!(observed_ms(100, |frame| frame % 2 == 1), (40 * 99, Vec::new()));
        // The stream ends during a repetition.
        assert_eq!(observed_ms(100, |frame| frame > 80), (40 * 99, Vec::new()));
    }
}
