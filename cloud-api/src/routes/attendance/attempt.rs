//! A try to be marked by face. What takes long is done before the transaction that decides it and marks.

use std::sync::Arc;

use blink_proto::{
    faces::{ClipReport, Encoding},
    http::Role,
};
use uuid::Uuid;

use super::{Decided, alternatives, moved, only_own, pin::not_themself};
use crate::{
    attendance::{
        decide::{Seen, decide},
        gallery::Match,
        liveness::{self, Mode, Reason},
        record::{Record, Source, Status},
    },
    clock,
    db::{
        attendance::{
            challenges::{self, Given},
            people::{self, PersonRow},
            records, trail,
        },
        conn::Conn,
        id::{DeskPerson, Id},
    },
    domain::time::{CLOCKS_DIFFER_MS, UtcMs},
    error::ApiError,
    principal::Principal,
    state::State,
};

/// What was read of a picture or recording.
#[derive(Clone)]
pub(super) enum Read {
    Nothing(Reason),
    Picture(Encoding),
    Recording(Encoding, Arc<ClipReport>),
}

impl Read {
    fn face(&self) -> Option<&Encoding> {
        match self {
            Self::Nothing(_) => None,
            Self::Picture(face) | Self::Recording(face, _) => Some(face),
        }
    }
}

/// One try to be marked by face, as it was read.
#[derive(Clone)]
pub(super) struct Attempt {
    read: Read,
    /// The challenge that it answers, if one is needed and this session got it.
    given: Option<Given>,
    /// What it proves if its challenge was not used before.
    alive: Result<(), Reason>,
    /// Whose PIN or code came with it: then the face is compared with theirs alone.
    claimed: Option<Id<DeskPerson>>,
    session_id: Option<Uuid>,
    /// When the request came: the moment that is marked.
    at: UtcMs,
}

/// A face, compared with the gallery.
pub(super) struct Compared {
    /// Whose it is of everybody's; `None` where it is known whose it must be.
    found: Option<Match>,
    /// The gallery's number at that time.
    seen: i64,
}

impl Attempt {
    /// Judges what was read. `challenge` has the reason if one is needed and this session got none; `received` is when all
    /// of the request had come.
    pub(super) fn new(
        mode: Mode,
        read: Read,
        challenge: Result<Option<Given>, Reason>,
        claimed: Option<Id<DeskPerson>>,
        session_id: Option<Uuid>,
        (at, received): (UtcMs, UtcMs),
    ) -> Self {
        let alive = match &read {
            Read::Nothing(reason) => Err(*reason),
            Read::Picture(_) if mode == Mode::Off => Ok(()),
            Read::Picture(_) => Err(Reason::StillPicture),
            Read::Recording(_, clip) => match &challenge {
                Err(reason) => Err(*reason),
                Ok(given) => judge(mode, clip, given.as_ref(), (at, received)),
            },
        };
        Self { read, given: challenge.ok().flatten(), alive, claimed, session_id, at }
    }

    /// Compares the face with everybody's, unless it is known whose it must be.
    pub(super) async fn compare(&self, who: &Principal, state: &State) -> Result<Compared, ApiError> {
        let seen = state.desk.faces.follow(&state.db, &state.desk.keys).await?;
        let anybodys = who.role != Role::Member && self.claimed.is_none();
        let found = match self.read.face().filter(|_| anybodys).cloned() {
            Some(face) => Some(state.desk.faces.search(move |gallery| gallery.find(&face)).await?),
            None => None,
        };
        Ok(Compared { found, seen })
    }

    /// Decides, and writes what follows from it. Fails with [`super::MOVED`], and writes nothing, when the person's face
    /// has changed since it was compared.
    pub(super) fn decide(
        &self,
        conn: &mut Conn,
        who: &Principal,
        state: &State,
        compared: &Compared,
    ) -> Result<Decided, ApiError> {
        let own = only_own(conn, who)?;
        let mode = state.desk.config.liveness;
        // The challenge is used up by every try, so that nobody tries one twice.
        let is_used = match &self.given {
            Some(given) => !challenges::use_up(conn, given.id, who.session)?,
            None => false,
        };
        let alive = match self.read {
            Read::Recording(..) if is_used => Err(Reason::ChallengeUsed),
            _ => self.alive,
        };
        let one = match (self.claimed, &own) {
            (None, own) => own.clone(),
            (Some(uid), None) => Some(people::by_uid(conn, uid)?),
            (Some(uid), Some(Some(own))) if own.uid == uid => Some(Some(own.clone())),
            (Some(_), Some(_)) => return Err(not_themself()),
        };
        let (seen, person, near) = self.recognise(conn, state, one.as_ref(), compared)?;
        let (day, arrival) = (state.desk.day(self.at), state.desk.arrival(self.at));
        let today = match &person {
            Some(person) => records::of_day(conn, &person.id, day)?,
            None => None,
        };
        let confidence = match seen {
            Seen::Person { confidence, .. } => Some(confidence),
            _ => None,
        };
        let mut decision = decide(&seen, alive, today.as_ref(), arrival);
        let mut record = today;
        if let Some(person) = person.as_ref().filter(|_| decision.marks) {
            let new = Record {
                id: clock::fresh_uuid(),
                person: person.id.clone(),
                day,
                at: self.at,
                status: arrival,
                confidence,
                liveness_verified: mode != Mode::Off,
                session_id: self.session_id,
                source: Source::Face,
            };
            let written = write(conn, who, record.as_ref(), new)?;
            // Somebody else marked the same day since it was read.
            decision = decide(&seen, alive, written.before.as_ref(), arrival);
            record = Some(written.record);
        }
        if let Some(reason) = decision.reason {
            // Of a face that is nobody's nothing is kept. The day of whose try it was is unknown; of two who are as near
            // as each other, both are.
            let whose = person.as_ref().or(one.as_ref().and_then(Option::as_ref));
            for id in whose.map(|person| &person.id).into_iter().chain(&near) {
                trail::refused(conn, id, day, reason.as_str(), self.at)?;
            }
        }
        let alternatives = alternatives(who, own.as_ref().and_then(Option::as_ref));
        let alive = alive.is_ok() && mode != Mode::Off;
        Ok(Decided {
            decision,
            person,
            confidence,
            alive,
            record,
            source: Source::Face,
            day,
            at: self.at,
            alternatives,
        })
    }

    /// Who the face is, and of two who are about as near as each other their ids. The person stays until the transaction
    /// ends.
    fn recognise(
        &self,
        conn: &mut Conn,
        state: &State,
        one: Option<&Option<PersonRow>>,
        compared: &Compared,
    ) -> Result<(Seen, Option<PersonRow>, Vec<String>), ApiError> {
        let nobody = |seen| Ok((seen, None, Vec::new()));
        let face = match &self.read {
            Read::Nothing(reason) => return nobody(Seen::Nobody(*reason)),
            Read::Picture(face) | Read::Recording(face, _) => face,
        };
        let faces = &state.desk.faces;
        let found = match (one, &compared.found) {
            (None, Some(found)) => found.clone(),
            // Whoever was a member a moment ago was not compared with others.
            (None, None) => faces.with(|gallery| gallery.find(face)),
            (Some(None), _) => Match::Nobody,
            (Some(Some(one)), _) => match faces.with(|gallery| gallery.verify(&one.id, face)) {
                Some(confidence) => Match::Person { id: one.id.clone(), confidence },
                None => Match::Nobody,
            },
        };
        let (id, confidence) = match found {
            Match::Nobody => return nobody(Seen::Stranger),
            Match::Ambiguous(ids) => {
                let mut near = Vec::new();
                for id in ids {
                    near.extend(people::hold_shared(conn, &id)?.map(|person| person.id));
                }
                return Ok((Seen::Two, None, near));
            }
            Match::Person { id, confidence } => (id, confidence),
        };
        // Somebody may have erased the person a moment ago, or replaced their face.
        match people::hold_shared(conn, &id)?.filter(|person| person.sealed_key.is_some()) {
            Some(person) if person.changed_in > compared.seen => Err(moved()),
            Some(person) => Ok((Seen::Person { id, confidence }, Some(person), Vec::new())),
            None => nobody(Seen::Stranger),
        }
    }
}

fn judge(mode: Mode, clip: &ClipReport, given: Option<&Given>, (at, received): (UtcMs, UtcMs)) -> Result<(), Reason> {
    if let Some(given) = given {
        let over = received > given.expires_at || at.plus(CLOCKS_DIFFER_MS) < given.made_at;
        // A recording that is longer than the time since its challenge began before it.
        let longest = at.0.saturating_sub(given.made_at.0).saturating_add(LATENESS_MS);
        if over || mode == Mode::Challenge && i64::from(clip.duration_ms) > longest {
            return Err(Reason::ChallengeExpired);
        }
    }
    liveness::judge(mode, clip, given.map(|given| &given.challenge))
}

/// A recording's times are a camera's and a client's, which differ from the server's clock by this much in a recording.
const LATENESS_MS: i64 = 1_000;

pub(super) struct Written {
    /// The record that was there, if it stays.
    pub before: Option<Record>,
    /// The record that is there now.
    pub record: Record,
}

/// Writes a mark. Where the day has a record that says that the person was there, it stays; one that says that they were
/// not is replaced, and the trail says so.
pub(super) fn write(
    conn: &mut Conn,
    who: &Principal,
    known: Option<&Record>,
    new: Record,
) -> Result<Written, ApiError> {
    let there = match known {
        None if records::insert(conn, &new)? => return Ok(Written { before: None, record: new }),
        None => records::of_day(conn, &new.person, new.day)?,
        Some(known) => Some(known.clone()),
    };
    let there = there.ok_or_else(|| ApiError::internal("a record was removed while it was read"))?;
    let Some(there) = records::hold(conn, Id::new(there.id))? else {
        return Err(ApiError::internal("a record was removed while it was read"));
    };
    if there.status.is_there() {
        return Ok(Written { before: Some(there.clone()), record: there });
    }
    let new = Record { id: there.id, ..new };
    records::change(conn, &there, &new)?;
    trail::correct(conn, (Some(&there), Some(&new)), who.user.into(), who.at, "marked at the desk")?;
    debug_assert!(new.status == Status::Present || new.status == Status::Late);
    Ok(Written { before: None, record: new })
}
