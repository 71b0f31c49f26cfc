//! Accounts of the made-up people, each with a session that brings their minutes, and their team.

use blink_proto::{
    Secret,
    consent::TRACKING_VERSION,
    http::{ConsentKind, Role},
};

use super::people::{PEOPLE, Person};
use crate::{
    db::{
        DbError,
        conn::Conn,
        id::{Device, Id, Session, User},
        sessions::{self, SessionRow},
        teams::{self, TeamRow},
        users::{self, ConsentRow, UserRow},
    },
    domain::{interval::Grouping, time::UtcMs},
    error::ApiError,
    routes::{accounts::session_of, consents::TEAM_VERSION},
    state::State,
};

/// What everybody's password is: the dashboard's sign-in page uses it by itself.
const PASSWORD: &str = "a demonstration";
/// The team is so old.
const SINCE_MS: i64 = 42 * 24 * 3_600_000;

/// A made-up person with an account.
#[derive(Clone)]
pub(super) struct Account {
    pub person: &'static Person,
    pub user: Id<User>,
    pub session: Id<Session>,
    pub device: Id<Device>,
}

pub(super) async fn make(state: &State, now: UtcMs) -> Result<Vec<Account>, ApiError> {
    let hash = state.passwords.hash(Secret::new(PASSWORD.to_owned())).await?;
    let zone = state.desk.config.calendar.zone.clone();
    let since = Grouping::Week.around(now.plus(-SINCE_MS), &zone).start;
    let timezone = zone.iana_name().unwrap_or("UTC").to_owned();
    let members = PEOPLE.iter().filter_map(|person| Some((person, person.role?)));
    let rows: Vec<(&Person, UserRow)> =
        members.map(|(person, role)| (person, user(person, role, &hash, &timezone, since))).collect();
    let made = state.db.write(move |conn| -> Result<_, DbError> {
        let mut accounts = Vec::new();
        for (person, row) in &rows {
            // Of an account's many sessions the one that was refreshed longest ago goes: this one stays.
            let last = now.plus(SINCE_MS);
            let session = SessionRow { refreshed_at: last, expires_at: last, ..session_of(row.id, None, now) };
            let (user, device) = (row.id, Id::random());
            insert(conn, row, &session, since)?;
            accounts.push(Account { person, user, session: session.id, device });
        }
        team(conn, &rows, &timezone, since)?;
        Ok(accounts)
    });
    Ok(made.await?)
}

fn user(person: &Person, role: Role, hash: &str, timezone: &str, created_at: UtcMs) -> UserRow {
    UserRow {
        id: Id::fresh(),
        email: person.email(),
        email_key: person.email(),
        name: Some(person.name.to_owned()),
        timezone: timezone.to_owned(),
        role: role.as_str().to_owned(),
        password_hash: Some(hash.to_owned()),
        tracking_consent: true,
        awaits_consent: false,
        created_at,
    }
}

fn insert(conn: &mut Conn, row: &UserRow, session: &SessionRow, at: UtcMs) -> Result<(), DbError> {
    let consent = |kind: ConsentKind, version: &str| ConsentRow {
        id: Id::fresh(),
        user_id: row.id,
        kind: kind.as_str().to_owned(),
        version: version.to_owned(),
        granted: true,
        at,
    };
    users::insert(conn, row, &consent(ConsentKind::Tracking, TRACKING_VERSION))?;
    users::add_consent(conn, &consent(ConsentKind::Team, TEAM_VERSION))?;
    sessions::insert(conn, session)
}

/// Everybody with an account, in the manager's team.
fn team(conn: &mut Conn, rows: &[(&Person, UserRow)], timezone: &str, since: UtcMs) -> Result<(), DbError> {
    let manager = rows.iter().find(|(person, _)| person.role == Some(Role::Manager)).map(|(_, row)| row.id);
    let team = TeamRow {
        id: Id::fresh(),
        name: "Demo studio".to_owned(),
        manager_id: manager,
        timezone: timezone.to_owned(),
        created_at: since,
    };
    teams::insert(conn, &team)?;
    for (_, row) in rows {
        teams::invite(conn, team.id, row.id, &row.email, since)?;
        teams::accept(conn, team.id, row.id, since)?;
    }
    Ok(())
}
