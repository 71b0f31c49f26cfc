//! Whose attendance a caller may see, and the questions that lists and figures share.

use blink_proto::http::Role;
use jiff::civil::Date;

use crate::{
    attendance::{calendar::Calendar, person},
    db::{
        DbError,
        attendance::lists::{self, Somebody},
        conn::Conn,
        housekeeping,
    },
    domain::time::UtcMs,
    error::ApiError,
    http::query::Asked,
    principal::Principal,
};

/// Whom an answer is about.
pub(super) enum Whom {
    Everybody,
    One(Somebody),
    /// The caller alone, who is nobody at the desk.
    Nobody,
}

impl Whom {
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::One(somebody) => Some(&somebody.person.id),
            Self::Everybody | Self::Nobody => None,
        }
    }
}

/// Whom the caller asks about, with the person they are themselves. A manager may ask about everybody, others about
/// themselves. `user` is a person's id at the desk, the id of an account, or `me`.
pub(super) fn whom(conn: &mut Conn, who: &Principal, user: Option<&str>) -> Result<(Whom, Option<Somebody>), ApiError> {
    let own = lists::of_account(conn, who.user.into())?;
    let manages = who.role >= Role::Manager;
    let Some(user) = user.filter(|user| *user != "me") else {
        let whom = match &own {
            _ if manages && user.is_none() => Whom::Everybody,
            Some(own) => Whom::One(own.clone()),
            None => Whom::Nobody,
        };
        return Ok((whom, own));
    };
    let found = find(conn, user)?;
    match (&found, &own) {
        (Some(found), _) if manages => Ok((Whom::One(found.clone()), own)),
        (Some(found), Some(own_person)) if found.person.id == own_person.person.id => {
            Ok((Whom::One(found.clone()), own))
        }
        (None, _) if manages => {
            let message = "There is nobody of this id at the desk.";
            Err(ApiError::new(actix_web::http::StatusCode::NOT_FOUND, "no_such_person", message))
        }
        // Whether there is such a person is not told.
        _ => Err(ApiError::forbidden("forbidden", "Only a manager sees the attendance of others.")),
    }
}

fn find(conn: &mut Conn, user: &str) -> Result<Option<Somebody>, DbError> {
    if let Ok(account) = user.parse()
        && let Some(somebody) = lists::of_account(conn, account)?
    {
        return Ok(Some(somebody));
    }
    match person::id(user) {
        Ok(id) => lists::of_id(conn, &id),
        Err(_) => Ok(None),
    }
}

/// The day from which on nothing is over. A clock that leapt ahead makes nobody absent.
pub(super) fn today(conn: &mut Conn, calendar: &Calendar, now: UtcMs) -> Result<Date, DbError> {
    Ok(calendar.date_of(housekeeping::believed(conn, now)?))
}

/// `date_from` and `date_to`, both included.
pub(super) fn range(asked: &mut Asked) -> (Option<Date>, Option<Date>) {
    let must = "must be a day, such as 2026-03-10";
    let mut day = |name| asked.take(name, |text| Date::strptime("%Y-%m-%d", text).ok(), must);
    let range = (day("date_from"), day("date_to"));
    if let (Some(from), Some(to)) = range
        && from > to
    {
        asked.refuse("date_to", "must not be before date_from");
    }
    range
}
