//! The query of a request, of which each part is read once and every fault is named.

use std::collections::BTreeMap;

use actix_web::web::Query;
use jiff::Timestamp;

use crate::{domain::time::UtcMs, error::ApiError};

const TIME_RULE: &str = "must be an RFC 3339 time, such as 2026-03-01T00:00:00Z";

pub(crate) struct Asked {
    given: BTreeMap<String, String>,
    wrong: BTreeMap<String, String>,
}

impl Asked {
    pub(crate) fn read(query: &str) -> Result<Self, ApiError> {
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

    pub(crate) fn take<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Option<T>, must: &str) -> Option<T> {
        let value = read(self.given.get(name)?);
        if value.is_none() {
            self.refuse(name, must);
        }
        value
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.given.get(name).cloned()
    }

    /// A time, rounded up to a millisecond: minutes start on whole ones, so the same are selected.
    pub(crate) fn time(&mut self, name: &str) -> Option<UtcMs> {
        self.take(name, |text| text.parse::<Timestamp>().ok().map(ceil_ms), TIME_RULE)
    }

    pub(crate) fn refuse(&mut self, name: &str, why: &str) {
        self.wrong.insert(name.to_owned(), why.to_owned());
    }

    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.wrong.is_empty() { Ok(()) } else { Err(ApiError::invalid(self.wrong)) }
    }
}

fn ceil_ms(t: Timestamp) -> UtcMs {
    UtcMs(t.as_millisecond() + i64::from(t.subsec_nanosecond() % 1_000_000 > 0))
}
