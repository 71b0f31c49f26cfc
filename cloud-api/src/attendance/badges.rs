//! What a person's course earns. Under [`LEAST_DAYS`] days nothing is said.
//!
//! | id | earned by |
//! | --- | --- |
//! | `gold`, `silver`, `bronze` | at least 98, 95, 90 % of the expected days of which it is known whether they were attended; the best of the three alone |
//! | `streak_5`, `streak_20`, `streak_60` | so many expected days in a row attended, in time or late, at any time in the range |
//! | `early_bird` | at least half of the days attended began 10 minutes or more before the start of work |
//! | `late_comer` | at least a quarter of the days attended began late; nobody else sees it |
//! | `quality_master` | recognised by face on at least 5 days, always proved to be alive, with a mean confidence of at least 95 |

use super::course::{Course, EARLY_MIN};

/// The fewest days of which a share is formed.
const LEAST_DAYS: u32 = 5;

const STREAKS: [(u32, &str, &str, &str); 3] = [
    (5, "streak_5", "5-day streak", "🔥"),
    (20, "streak_20", "20-day streak", "⚡"),
    (60, "streak_60", "60-day streak", "🚀"),
];

const MEDALS: [(f64, &str, &str, &str); 3] =
    [(98.0, "gold", "Gold", "🥇"), (95.0, "silver", "Silver", "🥈"), (90.0, "bronze", "Bronze", "🥉")];

const QUALITY: u32 = 95;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    pub id: &'static str,
    pub label: &'static str,
    pub emoji: &'static str,
    /// The figures that earned it.
    pub reason: String,
}

/// The badges of a course; `own` when the person looks at it.
#[must_use]
pub fn of(course: &Course, own: bool) -> Vec<Badge> {
    let badge = |id, label, emoji, reason| Badge { id, label, emoji, reason };
    let (tally, mut badges) = (&course.tally, Vec::new());
    let decided = tally.decided();
    if let Some(pct) = tally.pct().filter(|_| decided >= LEAST_DAYS) {
        // The share itself decides, not the rounded figure: 97.96 % is not gold.
        let share = f64::from(tally.attended() - tally.extra) * 100.0 / f64::from(decided);
        let medal = MEDALS.iter().find(|(least, ..)| share >= *least);
        badges.extend(medal.map(|(_, id, label, emoji)| badge(id, label, emoji, format!("{pct} % of {decided} days"))));
    }
    for (days, id, label, emoji) in STREAKS {
        if course.streaks.best >= days {
            badges.push(badge(id, label, emoji, format!("{} expected days in a row", course.streaks.best)));
        }
    }
    let attended = tally.attended();
    if attended >= LEAST_DAYS {
        if course.early * 2 >= attended {
            let reason = format!("{EARLY_MIN} minutes early on {} of {attended} days", course.early);
            badges.push(badge("early_bird", "Early bird", "🐦", reason));
        }
        if own && tally.late * 4 >= attended {
            let reason = format!("late on {} of {attended} days; only you see this", tally.late);
            badges.push(badge("late_comer", "Late comer", "⏰", reason));
        }
    }
    let recognised = course.recognised;
    if recognised >= LEAST_DAYS && course.live == recognised && course.confidence >= QUALITY * recognised {
        let mean = course.confidence / recognised;
        badges.push(badge(
            "quality_master",
            "Quality master",
            "💎",
            format!("mean confidence {mean} % over {recognised} days, all alive"),
        ));
    }
    badges
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::attendance::course::{Streaks, Tally};

    fn ids(course: &Course, own: bool) -> Vec<&'static str> {
        of(course, own).iter().map(|badge| badge.id).collect()
    }

    fn shares(present: u32, late: u32, absent: u32) -> Course {
        Course { tally: Tally { present, late, absent, ..Tally::default() }, ..Course::default() }
    }

    #[rstest]
    #[case(50, 0, Some("gold"))]
    #[case(49, 1, Some("gold"))]
    #[case(48, 1, Some("silver"))]
    #[case(19, 1, Some("silver"))]
    #[case(18, 1, Some("bronze"))]
    #[case(9, 1, Some("bronze"))]
    #[case(8, 1, None)]
    #[case(4, 0, None)]
    #[case(0, 9, None)]
    fn medals(#[case] present: u32, #[case] absent: u32, #[case] medal: Option<&str>) {
        assert_eq!(ids(&shares(present, 0, absent), false).first().copied(), medal);
    }

    #[test]
    fn a_rounded_share_earns_nothing() {
        // 2,399 of 2,449 is 97.958 %.
        let course = shares(2_399, 0, 50);
        assert_eq!((course.tally.pct(), ids(&course, false)), (Some(98.0), vec!["silver"]));
    }

    #[rstest]
    #[case(4, &[])]
    #[case(5, &["streak_5"])]
    #[case(20, &["streak_5", "streak_20"])]
    #[case(60, &["streak_5", "streak_20", "streak_60"])]
    fn streaks(#[case] best: u32, #[case] earned: &[&str]) {
        let course = Course { streaks: Streaks { current: 0, best }, ..Course::default() };
        assert_eq!(ids(&course, false), earned);
    }

    #[test]
    fn only_the_late_see_that_they_are() {
        let course = shares(3, 1, 10);
        assert_eq!(ids(&course, true), Vec::<&str>::new(), "under five days");
        let course = shares(6, 2, 10);
        assert_eq!((ids(&course, true), ids(&course, false)), (vec!["late_comer"], vec![]));
        assert_eq!(ids(&shares(7, 2, 10), true), Vec::<&str>::new(), "under a quarter");
    }

    #[test]
    fn half_of_the_days_early() {
        let course = |early| Course { early, ..shares(5, 1, 10) };
        assert_eq!(ids(&course(3), false), ["early_bird"]);
        assert!(ids(&course(2), false).is_empty());
    }

    #[test]
    fn quality_is_sure_and_always_alive() {
        let course = |recognised, live, confidence| Course { recognised, live, confidence, ..Course::default() };
        assert_eq!(ids(&course(5, 5, 475), false), ["quality_master"]);
        assert!(ids(&course(5, 4, 475), false).is_empty());
        assert!(ids(&course(5, 5, 474), false).is_empty());
        assert!(ids(&course(4, 4, 400), false).is_empty());
    }
}
