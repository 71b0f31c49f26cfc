//! Restoring the counts of the last process after a restart.

use std::time::Duration;

use blink_proto::MinuteStart;
use jiff::{Timestamp, civil::Date};

use super::{Keeper, figures};
use crate::{minutes::OpenMinute, store::Line};

impl Keeper {
    /// Reads from the history which minutes are sealed, and the figures of today and of the last five minutes.
    pub(super) fn restore(&mut self, now: Timestamp, mono: Duration) {
        let days: Vec<Date> = figures::days_around(now).collect();
        for day in days {
            for line in self.learn(day) {
                let observed_us = u64::from(line.minute.observed_ms) * 1000;
                let to = line.minute.to_timestamp;
                self.counting.figures.recall(to, line.minute.blink_count, observed_us, now, mono);
            }
        }
        self.recount(now);
    }

    /// Takes up the minutes that the last process left open, once per process: afterwards the store only holds what is
    /// known here. A store that could not be opened at the start, as on a full disk, is read as soon as it can be, and
    /// what was counted of the same minute meanwhile is added.
    pub(super) fn take_up_open(&mut self) {
        if self.records.begun_in.is_none() {
            return;
        }
        let read = self.records.with_store(|store| Ok((store.open_minutes()?, store.day_note()?)));
        let Some((open, note)) = read else { return };
        self.records.begun_in = None;
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        for minute in &open {
            let to = minute.from.end().min(now);
            self.counting.figures.recall(to, minute.blinks, minute.observed_us, now, mono);
        }
        // A minute begun under an id that a damaged device file lost is still ours to finish. One that another machine
        // left open is sealed as it is once it is over. Where the profile was copied, that machine finishes the minute
        // too, and the server keeps the first record it gets.
        let foreign = |minute: &OpenMinute| self.device.foreign.contains(&minute.device_id);
        let (theirs, ours): (Vec<_>, Vec<_>) = open.into_iter().partition(foreign);
        self.counting.minutes.take_up_foreign(theirs);
        self.counting.minutes.take_up(ours);
        if let Some(first) = self.person.account.first.as_ref().filter(|first| first.adopted) {
            self.counting.minutes.adopt(&first.owner, first.at);
        }
        if let Some(note) = note.filter(|note| note.date == self.counting.figures.date) {
            self.counting.figures.unpaused += Duration::from_millis(note.unpaused_ms);
        }
    }

    /// Reads a day of the history and notes which minutes are sealed.
    pub(super) fn learn(&mut self, day: Date) -> Vec<Line> {
        let lines = self.records.lines_of(day);
        let device_id = self.device.id;
        let ours = lines.iter().filter(|line| line.minute.device_id == device_id);
        self.counting.minutes.know_sealed(ours.map(|line| MinuteStart::containing(line.minute.from_timestamp)));
        self.records.known_days.insert(day);
        lines
    }

    /// Counts the sealed minutes of the local day again. The time tracking was wanted is no sum of minutes: it is kept
    /// while the date stays the same.
    pub(super) fn recount(&mut self, now: Timestamp) {
        let date = self.counting.figures.local_date(now);
        let unpaused = if date == self.counting.figures.date { self.counting.figures.unpaused } else { Duration::ZERO };
        self.counting.figures.begin_day(date);
        self.counting.figures.unpaused = unpaused;
        for day in figures::days_around(now) {
            for line in self.records.lines_of(day) {
                self.counting.figures.sealed(&line.minute);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::{store::History, testing::TempProfile};

    #[test]
    fn what_was_open_is_taken_up_when_the_store_can_be_opened_at_last() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        place.watch(&mut keeper, 20, 10);
        drop(keeper);
        let (store, away) = (place.paths().data.join("store"), place.paths().data.join("away"));
        fs::rename(&store, &away).unwrap();
        fs::write(&store, "in the way").unwrap();
        let mut keeper = place.keeper();
        place.watch(&mut keeper, 20, 10);
        assert_eq!(keeper.status().minute.blink_count, 2, "only what this process counted is known");
        fs::remove_file(&store).unwrap();
        fs::rename(&away, &store).unwrap();
        place.idle(&mut keeper, 10);
        let status = keeper.status();
        assert_eq!((status.minute.blink_count, status.today.blink_count, status.last_error), (4, 4, None));
        assert_eq!(status.coverage, Some(0.8), "the time before counts too");
        place.idle(&mut keeper, 20);
        let history = History::open(&place.paths().history()).unwrap();
        let day = *history.days().unwrap().keys().next().unwrap();
        let lines = history.read(day, 0).unwrap();
        assert_eq!(lines.iter().map(|line| line.minute.blink_count).collect::<Vec<_>>(), [4]);
        assert_eq!(lines[0].minute.observed_ms, 40_000);
    }
}
