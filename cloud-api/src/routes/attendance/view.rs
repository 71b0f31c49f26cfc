//! Whose attendance a caller may see, and the questions that lists and figures share.

use std::collections::BTreeMap;

use actix_web::web::Query;
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

/// The query of a request, of which each part is read once and every fault named.
pub(super) struct Asked {
    given: BTreeMap<String, String>,
    wrong: BTreeMap<String, String>,
}

impl Asked {
    pub(super) fn read(query: &str) -> Result<Self, ApiError> {
        let pairs = Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|_| ApiError::invalid_field("query", "cannot be read"))?;
        let (mut given, mut wrong) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in pairs.into_inner() {
            if given.insert(name.clone(), value).is_some() {
                wrong.insert(name, "is given twice".to_owned());
            }
        }
        Ok(Self { given, wrong })
    }

    pub(super) fn take<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Option<T>, must: &str) -> Option<T> {
        let value = read(self.given.get(name)?);
        if value.is_none() {
            self.wrong.insert(name.to_owned(), must.to_owned());
        }
        value
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.given.get(name).cloned()
    }

    /// `date_from` and `date_to`, both included.
    pub(super) fn range(&mut self) -> (Option<Date>, Option<Date>) {
        let must = "must be a day, such as 2026-03-10";
        let mut day = |name| self.take(name, |text| Date::strptime("%Y-%m-%d", text).ok(), must);
        let range = (day("date_from"), day("date_to"));
        if let (Some(from), Some(to)) = range
            && from > to
        {
            self.wrong.insert("date_to".to_owned(), "must not be before date_from".to_owned());
        }
        range
    }

    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.wrong.is_empty() { Ok(()) } else { Err(ApiError::invalid(self.wrong)) }
    }
}
