//! A person's own history, by minute, hour, day or week of their time zone.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use blink_proto::{
    Quality, UserId,
    http::{History, HistoryItem},
    rate_per_minute,
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    db::{
        DbError,
        history::{self, Sum},
        users,
    },
    domain::time::UtcMs,
    domain::{
        cursor::Cursor,
        interval::{Grouping, Interval},
        zone,
    },
    error::{ApiError, ApiResult},
    http::{page, query::Asked},
    principal::Principal,
    state::State,
};

/// The checked query parameters.
#[derive(Debug)]
struct Ask {
    grouping: Grouping,
    from: UtcMs,
    to: UtcMs,
    limit: usize,
    cursor: Option<Cursor>,
}

/// My history by minute, hour, day or week; any other id is 403.
#[utoipa::path(
    get,
    path = "/api/user/{id}/blinks",
    tag = "minutes",
    params(("id" = String, Path), ("from" = Option<jiff::Timestamp>, Query, description = "inclusive"), ("to" = Option<jiff::Timestamp>, Query, description = "exclusive"), ("group" = inline(Option<crate::domain::interval::Grouping>), Query, description = "minute, hour, day or week; days and weeks of my time zone; day if absent"), ("limit" = Option<u32>, Query, minimum = 1, maximum = 1_000, description = "items in a page; 100 if absent"), ("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses((status = 200, body = History), (status = 403), (status = 422), (status = 429)),
)]
pub(crate) async fn blinks(who: Principal, id: Path<String>, req: HttpRequest, state: Data<State>) -> ApiResult {
    if id.as_str() != "me" && id.parse::<UserId>().ok() != Some(who.user) {
        return Err(ApiError::forbidden("forbidden", "People can read their own minutes only."));
    }
    let ask = Ask::read(req.query_string())?;
    let now = state.clock.now();
    let page = state
        .read_for(who.user, move |conn| -> Result<History, DbError> {
            let user = who.user.into();
            let zone = users::by_id(conn, user)?.map_or(TimeZone::UTC, |u| zone::stored(&u.timezone));
            let from = ask.cursor.map_or(ask.from, |cursor| cursor.start.max(ask.from));
            // One interval more than a page is read, to know whether another page follows.
            let max_sums = i64::try_from(ask.limit + 1).unwrap_or(i64::MAX) * ask.grouping.max_sums();
            let sums = match ask.grouping {
                _ if from >= ask.to => Vec::new(),
                Grouping::Minute => history::minutes(conn, user, from, ask.to, max_sums)?,
                _ => history::slots(conn, user, from, ask.to, max_sums)?,
            };
            Ok(page(&sums, &ask, &zone, now))
        })
        .await?;
    Ok(HttpResponse::Ok().json(page))
}

impl Ask {
    fn read(query: &str) -> Result<Self, ApiError> {
        let mut asked = Asked::read(query)?;
        let to = asked.time("to").unwrap_or_else(|| Timestamp::MAX.into());
        let ask = Self {
            grouping: asked
                .take("group", Grouping::parse, "must be minute, hour, day or week")
                .unwrap_or(Grouping::Day),
            from: asked.time("from").unwrap_or(UtcMs(0).min(to)),
            to,
            limit: asked.take("limit", page::limit, page::LIMIT_RULE).unwrap_or(page::DEFAULT_LIMIT),
            cursor: asked.take("cursor", Cursor::decode, page::CURSOR_RULE),
        };
        if ask.from > ask.to {
            asked.refuse("to", "must not be before from");
        }
        if ask.cursor.is_some_and(|cursor| cursor.grouping != ask.grouping) {
            asked.refuse("cursor", "was made for another group");
        }
        asked.finish().map(|()| ask)
    }
}

struct Group {
    interval: Interval,
    blink_count: u64,
    observed_ms: u64,
}

fn page(sums: &[Sum], ask: &Ask, zone: &TimeZone, now: UtcMs) -> History {
    let mut groups: Vec<Group> = Vec::new();
    for sum in sums {
        if let Some(group) = groups.last_mut()
            && group.interval.contains(sum.at)
        {
            group.blink_count += sum.blink_count;
            group.observed_ms += sum.observed_ms;
        } else if groups.len() > ask.limit {
            break;
        } else {
            let interval = ask.grouping.around(sum.at, zone);
            groups.push(Group { interval, blink_count: sum.blink_count, observed_ms: sum.observed_ms });
        }
    }
    let next = groups.get(ask.limit);
    let next_cursor = next.map(|next| Cursor { grouping: ask.grouping, start: next.interval.start }.encode());
    groups.truncate(ask.limit);
    let items = groups.iter().map(|group| item(group, ask, now)).collect();
    History { items, next_cursor }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a week fit a double exactly")]
fn item(group: &Group, ask: &Ask, now: UtcMs) -> HistoryItem {
    let Group { interval, blink_count, observed_ms } = *group;
    // Coverage is taken over the part of the interval that was asked for and has passed: the future was not missed.
    let end = interval.end.min(ask.to).min(now).0;
    let length_ms = (end - interval.start.max(ask.from).0).max(1);
    HistoryItem {
        from_timestamp: interval.start.timestamp(),
        to_timestamp: interval.end.timestamp(),
        blink_count,
        observed_ms,
        blinks_per_minute: rate_per_minute(blink_count, observed_ms),
        // Two devices at once can observe more time than passed.
        coverage: (observed_ms as f64 / length_ms as f64).min(1.0),
        quality: Quality::of_observed(observed_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMs {
        text.parse::<Timestamp>().unwrap().into()
    }

    fn sum(t: &str, blink_count: u64, observed_ms: u64) -> Sum {
        Sum { at: at(t), blink_count, observed_ms }
    }

    #[test]
    fn the_running_day_is_measured_by_what_has_passed_of_it() {
        let ask = Ask::read("group=day").unwrap();
        let sums = [sum("2026-03-01T00:00:00Z", 90, 1_800_000), sum("2026-03-02T00:15:00Z", 10, 900_000)];
        let page = page(&sums, &ask, &TimeZone::UTC, at("2026-03-02T00:30:00Z"));
        assert_eq!(page.items.len(), 2);
        assert!((page.items[0].coverage - 1_800_000.0 / 86_400_000.0).abs() < 1e-12);
        assert!((page.items[1].coverage - 0.5).abs() < 1e-12);
        assert_eq!(page.items[0].blinks_per_minute, Some(3.0));
        assert_eq!(page.next_cursor, None);
    }

    #[test]
    fn a_part_that_was_asked_for_is_measured_by_itself() {
        let ask = Ask::read("group=hour&from=2026-03-01T10:30:00Z&to=2026-03-01T10:45:00Z").unwrap();
        let page = page(&[sum("2026-03-01T10:30:00Z", 5, 9_000)], &ask, &TimeZone::UTC, at("2026-03-02T00:00:00Z"));
        let item = &page.items[0];
        assert_eq!(item.from_timestamp, at("2026-03-01T10:00:00Z").timestamp());
        assert!((item.coverage - 0.01).abs() < 1e-12);
        assert_eq!((item.blinks_per_minute, item.quality), (None, Quality::Insufficient));
    }

    #[test]
    fn a_page_ends_where_the_next_begins() {
        let ask = Ask::read("group=hour&limit=1").unwrap();
        let sums =
            [sum("2026-03-01T10:00:00Z", 1, 1), sum("2026-03-01T10:45:00Z", 1, 1), sum("2026-03-01T12:00:00Z", 1, 1)];
        let page = page(&sums, &ask, &TimeZone::UTC, at("2026-03-02T00:00:00Z"));
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0].blink_count, 2);
        let cursor = Cursor::decode(&page.next_cursor.unwrap()).unwrap();
        assert_eq!(cursor.start, at("2026-03-01T12:00:00Z"));
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let error = Ask::read("group=eon&from=x&to=y&limit=0&cursor=z").unwrap_err();
        assert_eq!(error.fields.keys().collect::<Vec<_>>(), ["cursor", "from", "group", "limit", "to"]);
        assert!(Ask::read("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z").is_err());
        assert!(Ask::read("group=day&group=hour").is_err());
        assert!(Ask::read("to=0160-06-02T00:00:00Z").is_ok(), "where no start is given, no end is before it");
        let hours = Cursor { grouping: Grouping::Hour, start: UtcMs(0) }.encode();
        assert!(Ask::read(&format!("group=day&cursor={hours}")).is_err());
    }
}
