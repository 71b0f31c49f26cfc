//! The decision on one try to be marked.

use super::{
    liveness::Reason,
    record::{Record, Status, words},
};

/// Who was seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Nothing can be compared: there is no usable face.
    Nobody(Reason),
    /// A face, near to nobody enrolled.
    Stranger,
    /// Two people are about as near as each other.
    Two,
    /// The person, and how sure that is, 0 to 100.
    Person { id: String, confidence: u8 },
}

words! {
    /// What a try came to.
    Outcome {
        Unknown = "unknown",
        LivenessFailed = "liveness_failed",
        Present = "present",
        Late = "late",
        AlreadyMarked = "already_marked",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub outcome: Outcome,
    pub reason: Option<Reason>,
    /// Whether the person's record of today is to be written: there is none, or one that says that they were not there.
    pub marks: bool,
}

/// Decides. `today` is the person's record of today, and `arrival` what a mark would be now.
#[must_use]
pub fn decide(seen: &Seen, alive: Result<(), Reason>, today: Option<&Record>, arrival: Status) -> Decision {
    let refused = |outcome, reason| Decision { outcome, reason: Some(reason), marks: false };
    match (seen, alive, today) {
        (Seen::Nobody(reason), ..) => refused(Outcome::Unknown, *reason),
        (Seen::Stranger, ..) => refused(Outcome::Unknown, Reason::NotRecognized),
        (Seen::Two, ..) => refused(Outcome::Unknown, Reason::Ambiguous),
        (Seen::Person { .. }, Err(reason), _) => refused(Outcome::LivenessFailed, reason),
        (Seen::Person { .. }, Ok(()), Some(record)) if record.status.is_there() => {
            Decision { outcome: Outcome::AlreadyMarked, reason: None, marks: false }
        }
        (Seen::Person { .. }, Ok(()), _) => {
            let outcome = if arrival == Status::Late { Outcome::Late } else { Outcome::Present };
            Decision { outcome, reason: None, marks: true }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;
    use crate::{
        attendance::record::{Day, Source},
        domain::time::UtcMs,
    };

    fn person() -> Seen {
        Seen::Person { id: "alice".to_owned(), confidence: 97 }
    }

    fn record(status: Status) -> Option<Record> {
        Some(Record {
            id: Uuid::nil(),
            person: "alice".to_owned(),
            day: Day(date(2026, 3, 10)),
            at: UtcMs(0),
            status,
            confidence: Some(90),
            liveness_verified: true,
            session_id: None,
            source: Source::Face,
        })
    }

    const ALIVE: Result<(), Reason> = Ok(());
    const FLAT: Result<(), Reason> = Err(Reason::Flat);

    #[rstest]
    #[case::no_face(Seen::Nobody(Reason::NoFace), ALIVE, None, Status::Present, "unknown", Some(Reason::NoFace), false)]
    #[case::dark(Seen::Nobody(Reason::TooDark), FLAT, None, Status::Present, "unknown", Some(Reason::TooDark), false)]
    #[case::stranger(Seen::Stranger, ALIVE, None, Status::Present, "unknown", Some(Reason::NotRecognized), false)]
    #[case::flat_stranger(Seen::Stranger, FLAT, None, Status::Present, "unknown", Some(Reason::NotRecognized), false)]
    #[case::two(Seen::Two, ALIVE, None, Status::Present, "unknown", Some(Reason::Ambiguous), false)]
    #[case::flat(person(), FLAT, None, Status::Present, "liveness_failed", Some(Reason::Flat), false)]
    #[case::flat_and_marked(
        person(),
        FLAT,
        record(Status::Present),
        Status::Late,
        "liveness_failed",
        Some(Reason::Flat),
        false
    )]
    #[case::first(person(), ALIVE, None, Status::Present, "present", None, true)]
    #[case::first_and_late(person(), ALIVE, None, Status::Late, "late", None, true)]
    #[case::again(person(), ALIVE, record(Status::Present), Status::Late, "already_marked", None, false)]
    #[case::again_late(person(), ALIVE, record(Status::Late), Status::Late, "already_marked", None, false)]
    #[case::said_absent(person(), ALIVE, record(Status::Absent), Status::Late, "late", None, true)]
    #[case::said_unknown(person(), ALIVE, record(Status::Unknown), Status::Present, "present", None, true)]
    fn rows(
        #[case] seen: Seen,
        #[case] alive: Result<(), Reason>,
        #[case] today: Option<Record>,
        #[case] arrival: Status,
        #[case] outcome: &str,
        #[case] reason: Option<Reason>,
        #[case] marks: bool,
    ) {
        let decision = decide(&seen, alive, today.as_ref(), arrival);
        assert_eq!((decision.outcome.as_str(), decision.reason, decision.marks), (outcome, reason, marks));
    }
}
