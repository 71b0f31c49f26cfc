//! Observations, split at UTC minute boundaries and summed until each minute is sealed.
//!
//! It is pure: the time is passed in. [`MinuteBuilder`] holds the open minutes; the caller writes a minute to disk
//! first and then calls [`MinuteBuilder::sealed`], so that a failed write loses nothing. Invariants: a sealed minute
//! takes nothing more, no minute observes more than 60 s, and a blink counts in the minute of its end or, if that is
//! sealed, not at all.

mod open;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

use blink_proto::{DeviceId, MinuteStart, ipc::Eye};
use jiff::{SignedDuration, Timestamp};

pub(crate) use blink_profile::Owner;
pub(crate) use open::OpenMinute;

/// A minute is sealed this long after its end at the earliest.
const SEAL_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// Decisions can arrive until the source's frames are this far past the minute's end.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_millis(1_950);
/// A minute is sealed this long after its end at the latest, even if the source lags.
const SEAL_AT_LATEST: SignedDuration = SignedDuration::from_secs(4);
/// Spans that overlap by less than this come from a slewed clock and are cut; a larger overlap is a clock set back.
const SLEW: SignedDuration = SignedDuration::from_secs(1);
/// Frames further apart than this are a gap, not an interval.
const LONGEST_INTERVAL: SignedDuration = SignedDuration::from_secs(2);

/// A decided observation, in wall time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observation {
    Frame {
        at: Timestamp,
        face: bool,
    },
    Observed {
        from: Timestamp,
        to: Timestamp,
        /// For how much of it the eyes were at least 80 % closed (PERCLOS).
        closed: Duration,
    },
    Blink {
        /// When the eyes were open again; the blink belongs to the minute of this instant.
        end: Timestamp,
        /// Width at half depth.
        width: Duration,
        complete: bool,
    },
    /// A wink, which counts in no minute.
    Wink {
        /// When the eye was open again.
        end: Timestamp,
        eye: Eye,
    },
}

/// What an observation added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub blinks: u32,
    /// Observed time in microseconds.
    pub observed_us: u64,
    /// Blinks that came too late for any minute.
    pub refused: u32,
}

#[derive(Debug)]
pub(crate) struct MinuteBuilder {
    device_id: DeviceId,
    open: BTreeMap<MinuteStart, OpenMinute>,
    /// Minutes that the profile left open on other machines: they take nothing more.
    foreign: Vec<OpenMinute>,
    sealed: BTreeSet<MinuteStart>,
    last_frame: Option<Timestamp>,
    observed_until: Option<Timestamp>,
}

impl MinuteBuilder {
    /// Starts with the minutes that this machine left open.
    pub(crate) fn new(device_id: DeviceId, open: impl IntoIterator<Item = OpenMinute>) -> Self {
        Self {
            device_id,
            open: open.into_iter().map(|minute| (minute.from, minute)).collect(),
            foreign: Vec::new(),
            sealed: BTreeSet::new(),
            last_frame: None,
            observed_until: None,
        }
    }

    /// Adds minutes that another process left open. The sums of both for one minute are added up; a sealed minute takes
    /// nothing more.
    pub(crate) fn take_up(&mut self, minutes: impl IntoIterator<Item = OpenMinute>) {
        for mut earlier in minutes {
            if self.sealed.contains(&earlier.from) {
                continue;
            }
            if let Some(here) = self.open.remove(&earlier.from) {
                earlier.add(&here);
            }
            self.open.insert(earlier.from, earlier);
        }
    }

    /// Adds minutes that the profile left open on other machines. They are sealed as they are.
    pub(crate) fn take_up_foreign(&mut self, minutes: impl IntoIterator<Item = OpenMinute>) {
        self.foreign.extend(minutes);
    }

    /// Registers minutes that were sealed before. An open minute with the same start is dropped, since it was sealed
    /// too.
    pub(crate) fn know_sealed(&mut self, minutes: impl IntoIterator<Item = MinuteStart>) {
        for minute in minutes {
            self.open.remove(&minute);
            self.sealed.insert(minute);
        }
    }

    /// Forgets which of `minutes` are sealed, for days that the clock has left. They must be registered again before
    /// the clock is there.
    pub(crate) fn forget_sealed(&mut self, minutes: impl Fn(MinuteStart) -> bool) {
        self.sealed.retain(|minute| !minutes(*minute));
    }

    /// Whether the wall clock is inside a sealed minute, so that nothing can be counted.
    #[must_use]
    pub(crate) fn clock_behind(&self, now: Timestamp) -> bool {
        self.sealed.contains(&MinuteStart::containing(now))
    }

    /// Adds an observation. A minute that begins with it belongs to `owner`.
    pub(crate) fn take(&mut self, seen: Observation, owner: Option<&Owner>) -> Accepted {
        let mut taken = Accepted::default();
        match seen {
            Observation::Frame { at, face } => self.frame(at, face, owner),
            Observation::Observed { from, to, closed } => taken.observed_us = self.observed(from, to, closed, owner),
            Observation::Blink { end, width, complete } => {
                let counted = self.minute(end, owner).is_some_and(|minute| minute.blink(width, complete));
                taken.blinks = u32::from(counted);
                taken.refused = u32::from(!counted);
            }
            Observation::Wink { .. } => {}
        }
        taken
    }

    fn frame(&mut self, at: Timestamp, face: bool, owner: Option<&Owner>) {
        let interval = self.last_frame.replace(at).map(|last| at.duration_since(last));
        // A frame without a face opens no minute, but counts in one that is open.
        let minute = if face { self.minute(at, owner) } else { self.open.get_mut(&MinuteStart::containing(at)) };
        let Some(minute) = minute else { return };
        minute.face |= face;
        if let Some(interval) = interval.filter(|i| i.is_positive() && *i <= LONGEST_INTERVAL) {
            minute.frames = minute.frames.saturating_add(1);
            minute.framed_us = minute.framed_us.saturating_add(open::micros(interval.unsigned_abs()));
        }
    }

    fn observed(&mut self, from: Timestamp, to: Timestamp, closed: Duration, owner: Option<&Owner>) -> u64 {
        let from = match self.observed_until {
            Some(until) if from < until && until.duration_since(from) <= SLEW => until,
            _ => from,
        };
        if to <= from {
            return 0;
        }
        self.observed_until = Some(to);
        let whole_us = us_between(from, to).max(1);
        let closed_us = open::micros(closed).min(whole_us);
        let (mut at, mut taken) = (from, 0);
        while at < to {
            let end = MinuteStart::containing(at).end().min(to);
            let piece_us = us_between(at, end);
            // The position of the closure within the span is unknown, so each piece gets its share.
            let closed_piece = u128::from(closed_us) * u128::from(piece_us) / u128::from(whole_us);
            if let Some(minute) = self.minute(at, owner) {
                let before = minute.observed_us;
                minute.observe(piece_us, u64::try_from(closed_piece).unwrap_or(piece_us));
                taken += minute.observed_us.saturating_sub(before);
            }
            if end <= at {
                break;
            }
            at = end;
        }
        taken
    }

    /// The open minute that holds `at`, opened if need be; `None` when it is sealed.
    fn minute(&mut self, at: Timestamp, owner: Option<&Owner>) -> Option<&mut OpenMinute> {
        let from = MinuteStart::containing(at);
        if self.sealed.contains(&from) {
            return None;
        }
        let device_id = self.device_id;
        Some(self.open.entry(from).or_insert_with(|| OpenMinute::new(from, owner.cloned(), device_id)))
    }

    /// Notes that the source was closed or opened, so that the next frame begins a new interval.
    pub(crate) fn gap(&mut self) {
        self.last_frame = None;
    }

    /// The minutes to seal now. The open source has decided everything before `settled_to`; `None` while
    /// no source is open.
    #[must_use]
    pub(crate) fn due(&self, now: Timestamp, settled_to: Option<Timestamp>) -> Vec<OpenMinute> {
        let past = |t: Timestamp, end: Timestamp, by: SignedDuration| t.duration_since(end) >= by;
        let due = |minute: &&OpenMinute| {
            let end = minute.from.end();
            past(now, end, SEAL_AFTER)
                && (settled_to.is_none_or(|t| past(t, end, SETTLED_AFTER)) || past(now, end, SEAL_AT_LATEST))
        };
        self.open_minutes().filter(due).cloned().collect()
    }

    /// Notes that a minute that was [due](Self::due) is on disk, or had nothing to record.
    pub(crate) fn sealed(&mut self, minute: &OpenMinute, recorded: bool) {
        if let Some(place) = self.foreign.iter().position(|foreign| foreign.id == minute.id) {
            self.foreign.remove(place);
            return;
        }
        self.open.remove(&minute.from);
        if recorded {
            self.sealed.insert(minute.from);
        }
    }

    /// The open minutes: those of other machines, then ours, oldest first.
    pub(crate) fn open_minutes(&self) -> impl Iterator<Item = &OpenMinute> {
        self.foreign.iter().chain(self.open.values())
    }

    #[must_use]
    pub(crate) fn get(&self, from: MinuteStart) -> Option<&OpenMinute> {
        self.open.get(&from)
    }

    /// Gives the open minutes that belong to nobody and began before `before` to the profile's first account.
    pub(crate) fn adopt(&mut self, owner: &Owner, before: Timestamp) {
        let theirs = |minute: &&mut OpenMinute| minute.owner.is_none() && minute.from.start() < before;
        for minute in self.open.values_mut().filter(theirs) {
            minute.owner = Some(owner.clone());
        }
    }

    /// Drops the open minutes of `owner` that began in `span`, because consent was withdrawn then; returns them.
    pub(crate) fn drop_begun(&mut self, owner: &Owner, span: &RangeInclusive<Timestamp>) -> Vec<OpenMinute> {
        let goes = |minute: &OpenMinute| minute.owner.as_ref() == Some(owner) && span.contains(&minute.from.start());
        let foreign = self.foreign.extract_if(.., |minute| goes(minute));
        let ours = self.open.extract_if(.., |_, minute| goes(minute)).map(|(_, minute)| minute);
        foreign.chain(ours).collect()
    }
}

/// Both ends are cut to the microsecond, so that adjoining spans add up to the whole.
fn us_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_microsecond() - from.as_microsecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
