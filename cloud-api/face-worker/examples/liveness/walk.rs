//! A recording played forth and back, so that its blinks begin where a challenge wants them and no picture follows one
//! that is not its neighbour: there is no cut in it, and the open eyes between the blinks are the recording's own.

use rand::{RngExt as _, rngs::StdRng};

use crate::{attendance::challenge::Challenge, source::Source};

/// The fewest pictures with open eyes between two blinks, and how many of them at either end are only passed through: to
/// turn round where an eye is still opening would be a blink of its own.
const LEAST_OPEN: usize = 14;
const PASSED: usize = 4;

/// Open eyes, from the first picture to the last.
type Open = [usize; 2];

/// The stretches of open eyes of a recording's longest run of blinks that stand apart.
fn stretches(source: &Source) -> Vec<Open> {
    let mut runs: Vec<Vec<Open>> = vec![Vec::new()];
    let mut from = 0;
    let ends = source.blinks.iter().copied().chain([[source.frames.len(); 2]]);
    for [start, end] in ends {
        if start >= from + LEAST_OPEN {
            runs.last_mut().unwrap().push([from, start - 1]);
        } else {
            runs.push(Vec::new());
        }
        from = end + 1;
    }
    runs.into_iter().max_by_key(Vec::len).unwrap()
}

/// The numbers of the pictures, one for each 1/fps, for blinks that begin 300 to 900 ms after each cue; `None` where the
/// recording has no blink between two stretches of open eyes. `holds`: between the blinks the picture stands still.
pub(crate) fn walk(source: &Source, challenge: &Challenge, random: &mut StdRng, holds: bool) -> Option<Vec<usize>> {
    let open = stretches(source);
    if open.len() < 2 {
        return None;
    }
    let step_ms = 1_000.0 / source.fps;
    let length = (f64::from(challenge.needed_ms() + 600) / step_ms) as usize;
    let starts = challenge.cues_ms.iter().map(|cue| f64::from(*cue) + random.random_range(300.0..900.0));
    let starts: Vec<usize> = starts.map(|ms| (ms / step_ms) as usize).collect();
    let (mut at, mut here, mut forwards) = (open[0][0], 0, true);
    let mut played = vec![at];
    for start in starts {
        let right = here + 1 < open.len();
        let edge = if right { open[here][1] } else { open[here][0] };
        while played.len() < start {
            let (left, distance) = (start - played.len(), edge.abs_diff(at));
            if left <= distance {
                at = if edge > at { at + 1 } else { at - 1 };
            } else if !holds {
                (at, forwards) = stroll(open[here], at, forwards);
            }
            played.push(at);
        }
        // Through the blink, from the edge of these open eyes to that of the next ones.
        let next = if right { here + 1 } else { here - 1 };
        let until = if right { open[next][0] } else { open[next][1] };
        while at != until {
            at = if until > at { at + 1 } else { at - 1 };
            played.push(at);
        }
        here = next;
        forwards = right;
    }
    while played.len() < length {
        (at, forwards) = stroll(open[here], at, forwards);
        played.push(at);
    }
    Some(played)
}

/// One picture on within open eyes, turning round before their ends.
fn stroll([from, to]: Open, at: usize, forwards: bool) -> (usize, bool) {
    let forwards = if at + PASSED >= to {
        false
    } else if at <= from + PASSED {
        true
    } else {
        forwards
    };
    (if forwards { at + 1 } else { at - 1 }, forwards)
}

/// The same with cuts: from open eyes straight to the blink that the next cue wants, and on from elsewhere.
pub(crate) fn spliced(source: &Source, challenge: &Challenge, random: &mut StdRng) -> Option<Vec<usize>> {
    let open = stretches(source);
    if open.len() < 2 {
        return None;
    }
    let step_ms = 1_000.0 / source.fps;
    let length = (f64::from(challenge.needed_ms() + 600) / step_ms) as usize;
    let mut played: Vec<usize> = Vec::new();
    let stay = |played: &mut Vec<usize>, until: usize, random: &mut StdRng| {
        let [from, to] = open[random.random_range(0..open.len())];
        let (mut at, mut forwards) = (random.random_range(from + PASSED..to - PASSED), true);
        while played.len() < until {
            played.push(at);
            (at, forwards) = stroll([from, to], at, forwards);
        }
    };
    for cue in &challenge.cues_ms {
        let start = ((f64::from(*cue) + random.random_range(300.0..900.0)) / step_ms) as usize;
        stay(&mut played, start, random);
        let blink = random.random_range(0..open.len() - 1);
        played.extend(open[blink][1]..=open[blink + 1][0]);
    }
    stay(&mut played, length, random);
    Some(played)
}
