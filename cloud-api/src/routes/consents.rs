//! `GET /api/consents` shows the texts a person can agree to. The module also records a person's answer to one.

use actix_web::HttpResponse;
use blink_proto::{
    consent::{TRACKING_TEXT, TRACKING_VERSION},
    http::{ConsentKind, ConsentText, ConsentTexts},
};

use crate::{
    db::{
        DbError,
        conn::Conn,
        id::{Id, User},
        teams,
        users::{self, ConsentRow},
    },
    domain::time::{DAY_MS, UtcMs},
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

fn require_rest(rows: &[ConsentRow], now: UtcMs) -> Result<(), ApiError> {
    let mut recent = rows.iter().rev().filter(|row| row.granted && row.at > now.plus(-DAY_MS));
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
    said: &ConsentAnswer<'_>,
) -> Result<(), ApiError> {
    let ConsentAnswer { version, granted, .. } = *said;
    let kind = said.kind.as_str();
    let newest = users::newest_consents(conn, who.user.into())?.into_iter().find(|row| row.kind == kind);
    if let Some(row) = &newest
        && row.granted == granted
        && (row.version == version || !granted)
        && is_in_force(conn, row)?
    {
        return Ok(());
    }
    if granted {
        require_rest(&users::consents_of(conn, who.user.into())?, who.at)?;
    }
    // The newest row counts, so this row is made later than the one before, even if another replica's clock is ahead.
    let at = newest.map_or(who.at, |row| who.at.max(row.at.plus(1)));
    let entry = ConsentRow {
        id: Id::fresh(),
        user_id: who.user.into(),
        kind: kind.to_owned(),
        version: version.to_owned(),
        granted,
        at,
    };
    users::record_consent(conn, &entry)?;
    remember(ledger, &entry)
}

/// Uploads go by the flag, and accepting another team is another consent.
fn is_in_force(conn: &mut Conn, row: &ConsentRow) -> Result<bool, DbError> {
    Ok(match row.kind.as_str() {
        "tracking" => users::by_id(conn, row.user_id)?.is_some_and(|user| user.tracking_consent == row.granted),
        "team" if row.granted => {
            let accepted = teams::of_member(conn, row.user_id)?.into_iter().filter_map(|of| of.accepted_at);
            accepted.max().is_none_or(|accepted_at| accepted_at <= row.at)
        }
        _ => true,
    })
}

/// Withdraws the consent to the team that a person was taken out of. With its line in the ledger no restore puts them
/// back. The caller holds them.
pub(crate) fn team_left(conn: &mut Conn, ledger: &Ledger, user: Id<User>, now: UtcMs) -> Result<(), ApiError> {
    let mut newest = users::newest_consents(conn, user)?.into_iter();
    if let Some(row) = newest.find(|row| row.kind == ConsentKind::Team.as_str() && row.granted) {
        let entry = ConsentRow { id: Id::fresh(), granted: false, at: now.max(row.at.plus(1)), ..row };
        users::record_consent(conn, &entry)?;
        remember(ledger, &entry)?;
    }
    Ok(())
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
