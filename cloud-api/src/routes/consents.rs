//! `GET /api/consents` shows the texts a person can agree to. The module also records a person's answer to one.

use actix_web::HttpResponse;
use blink_proto::{
    consent::{TRACKING_TEXT, TRACKING_VERSION},
    http::{ConsentKind, ConsentText, ConsentTexts},
};

use crate::{
    db::{
        conn::Conn,
        id::{Id, User},
        users::{self, ConsentRow},
    },
    domain::time::{CLOCKS_DIFFER_MS, DAY_MS, UtcMs},
    error::ApiError,
    ledger::{EntryKind, Ledger},
    limits::{sign_in::seconds_until, too_many},
    principal::Principal,
    state,
};

pub(crate) const TEAM_VERSION: &str = "1";

pub(crate) const TEAM_TEXT: &str = "\
Your weekly average may count in your team's figure.

What is shown: for a closed calendar week, one rounded average over at least five people, each with at least two \
observed hours in it. With fewer people nothing is shown. Nobody in the team, no manager and no administrator sees \
your own minutes, days or weeks.

Your choice: joining is voluntary. You can leave at any time; from then on you count in no further week.
";

pub(crate) const BIOMETRIC_VERSION: &str = "1";

pub(crate) const BIOMETRIC_TEXT: &str = "\
Your face may be used to mark your attendance.

What is kept: one photograph and a list of 128 numbers that describe your face, encrypted on this server. They never \
leave it, and are compared only when somebody stands at the attendance desk.

Your choice: this is voluntary. Attendance can be marked with a PIN or a QR code instead, without any disadvantage. \
You can withdraw at any time: the photograph and the numbers are then removed.
";

/// A person's answer to one version of a consent text.
pub(crate) struct ConsentAnswer<'a> {
    pub kind: ConsentKind,
    pub version: &'a str,
    pub granted: bool,
}

/// The most consents that one person gives in a day: each is kept for good, here and in the ledger.
const MAX_GRANTS: usize = 50;

/// What was given under a clock that was ahead does not count, since it would do so until that date.
fn require_rest(rows: &[ConsentRow], now: UtcMs) -> Result<(), ApiError> {
    let day = now.plus(-DAY_MS + 1)..=now.plus(CLOCKS_DIFFER_MS);
    let mut recent = rows.iter().rev().filter(|row| row.granted && day.contains(&row.at));
    match recent.nth(MAX_GRANTS - 1) {
        Some(row) => Err(too_many(seconds_until(now, row.at.plus(DAY_MS)))),
        None => Ok(()),
    }
}

/// Records the caller's answer inside their write transaction, so that history, flag and ledger agree. Repeating the
/// newest answer writes nothing if it is in force. 429 after [`MAX_GRANTS`]; a withdrawal is always recorded.
pub(crate) fn record(
    conn: &mut Conn,
    ledger: &Ledger,
    who: &Principal,
    answer: &ConsentAnswer<'_>,
) -> Result<(), ApiError> {
    let ConsentAnswer { kind, version, granted } = *answer;
    let rows = users::consents_of(conn, who.user.into())?;
    let is_repeated =
        newest(&rows, kind).is_some_and(|row| row.granted == granted && (row.version == version || !granted));
    // Uploads go by the flag.
    let is_in_force = kind != ConsentKind::Tracking || who.tracking_consent == granted;
    if is_repeated && is_in_force { Ok(()) } else { add(conn, ledger, who, answer, &rows) }
}

/// Records that the caller accepted a team, which is a consent of its own for each team.
pub(crate) fn team_accepted(conn: &mut Conn, ledger: &Ledger, who: &Principal) -> Result<(), ApiError> {
    let rows = users::consents_of(conn, who.user.into())?;
    let answer = ConsentAnswer { kind: ConsentKind::Team, version: TEAM_VERSION, granted: true };
    add(conn, ledger, who, &answer, &rows)
}

/// Withdraws the consent to the team that a person was taken out of. With its line in the ledger no restore puts them
/// back. The caller holds them.
pub(crate) fn team_left(conn: &mut Conn, ledger: &Ledger, user: Id<User>, now: UtcMs) -> Result<(), ApiError> {
    let rows = users::consents_of(conn, user)?;
    if let Some(row) = newest(&rows, ConsentKind::Team).filter(|row| row.granted) {
        let entry = row.clone().withdrawn(now);
        users::record_consent(conn, &entry)?;
        remember(ledger, &entry)?;
    }
    Ok(())
}

/// Withdraws the consent to biometrics of a person whose face was removed at the desk. The caller holds them.
pub(crate) fn face_removed(conn: &mut Conn, ledger: &Ledger, user: Id<User>, now: UtcMs) -> Result<(), ApiError> {
    let rows = users::consents_of(conn, user)?;
    if let Some(row) = newest(&rows, ConsentKind::Biometric).filter(|row| row.granted) {
        let entry = row.clone().withdrawn(now);
        users::add_consent(conn, &entry)?;
        remember(ledger, &entry)?;
    }
    Ok(())
}

fn newest(rows: &[ConsentRow], kind: ConsentKind) -> Option<&ConsentRow> {
    rows.iter().rfind(|row| row.kind == kind.as_str())
}

/// `rows` is the caller's history.
fn add(
    conn: &mut Conn,
    ledger: &Ledger,
    who: &Principal,
    answer: &ConsentAnswer<'_>,
    rows: &[ConsentRow],
) -> Result<(), ApiError> {
    let ConsentAnswer { kind, version, granted } = *answer;
    if granted {
        require_rest(rows, who.at)?;
    }
    let entry = ConsentRow {
        id: Id::fresh(),
        user_id: who.user.into(),
        kind: kind.as_str().to_owned(),
        version: version.to_owned(),
        granted,
        at: newest(rows, kind).map_or(who.at, |row| row.next_at(who.at)),
    };
    users::record_consent(conn, &entry)?;
    remember(ledger, &entry)
}

/// Writes a recorded consent into the ledger.
pub(crate) fn remember(ledger: &Ledger, entry: &ConsentRow) -> Result<(), ApiError> {
    let ConsentRow { kind, version, granted, .. } = entry.clone();
    state::remember(ledger, entry.at, entry.user_id.into(), EntryKind::Consent { kind, version, granted })
}

/// The texts a person can agree to.
#[utoipa::path(
    get,
    path = "/api/consents",
    tag = "consent",
    security(()),
    responses((status = 200, body = blink_proto::http::ConsentTexts)),
)]
pub(crate) async fn texts() -> HttpResponse {
    let text = |version: &str, text: &str| ConsentText { version: version.to_owned(), text: text.to_owned() };
    HttpResponse::Ok().json(ConsentTexts {
        tracking: text(TRACKING_VERSION, TRACKING_TEXT),
        team: text(TEAM_VERSION, TEAM_TEXT),
        biometric: text(BIOMETRIC_VERSION, BIOMETRIC_TEXT),
    })
}
