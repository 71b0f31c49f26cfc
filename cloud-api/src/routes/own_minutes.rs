//! A person's own minutes as they were uploaded, so that each of their machines can show what the others counted.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use blink_proto::{
    DeviceId, Minute,
    http::{DeviceMinutes, MinutesByDevice, OwnMinutes},
};

use crate::{
    db::{
        minute_row::{MinuteKey, MinuteRow},
        own_minutes::{self, Selection},
    },
    domain::cursor::MinuteCursor,
    error::{ApiError, ApiResult},
    http::{page, query::Asked},
    principal::Principal,
    state::State,
};

/// My minutes, whole, by time.
#[utoipa::path(
    get,
    path = "/api/user/me/minutes",
    tag = "minutes",
    params(("from" = Option<jiff::Timestamp>, Query, description = "inclusive"), ("to" = Option<jiff::Timestamp>, Query, description = "exclusive"), ("not_device" = Option<uuid::Uuid>, Query, description = "a machine whose minutes are left out"), ("received_from" = Option<jiff::Timestamp>, Query, description = "only what the server received at this time or later"), ("limit" = Option<u32>, Query, minimum = 1, maximum = 1_000, description = "items in a page; 100 if absent"), ("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses((status = 200, body = OwnMinutes), (status = 422), (status = 429)),
)]
pub(crate) async fn minutes(who: Principal, req: HttpRequest, state: Data<State>) -> ApiResult {
    let mut asked = Asked::read(req.query_string())?;
    let limit = asked.take("limit", page::limit, page::LIMIT_RULE).unwrap_or(page::DEFAULT_LIMIT);
    let cursor = asked.take("cursor", MinuteCursor::decode, page::CURSOR_RULE);
    let of = selection(&who, asked)?;
    let after = cursor.map_or_else(|| of.start(), |c| MinuteKey { from: c.from, device: c.device.into() });
    // The time is read first: what arrives during the query may be missing from it, and so is newer.
    let as_of = state.clock.now().timestamp();
    let mut rows =
        state.read_for(who.user, move |conn| own_minutes::page(conn, of, after, page::to_read(limit))).await?;
    let last = page::cut(&mut rows, limit).map(MinuteRow::key);
    let next_cursor = last.map(|key| MinuteCursor { from: key.from, device: key.device.into() }.encode());
    let items: Vec<Minute> = rows.into_iter().map(MinuteRow::into_minute).collect();
    Ok(HttpResponse::Ok().json(OwnMinutes { items, next_cursor, as_of }))
}

/// How many minutes each of my machines counted.
#[utoipa::path(
    get,
    path = "/api/user/me/minutes/devices",
    tag = "minutes",
    params(("from" = Option<jiff::Timestamp>, Query, description = "inclusive"), ("to" = Option<jiff::Timestamp>, Query, description = "exclusive"), ("not_device" = Option<uuid::Uuid>, Query, description = "a machine whose minutes are left out"), ("received_from" = Option<jiff::Timestamp>, Query, description = "only what the server received at this time or later")),
    responses((status = 200, body = MinutesByDevice), (status = 422), (status = 429)),
)]
pub(crate) async fn devices(who: Principal, req: HttpRequest, state: Data<State>) -> ApiResult {
    let of = selection(&who, Asked::read(req.query_string())?)?;
    let counts = state.read_for(who.user, move |conn| own_minutes::by_device(conn, of)).await?;
    let item = |(device, minutes): (_, i64)| DeviceMinutes {
        device_id: DeviceId::from(device),
        minutes: minutes.unsigned_abs(),
    };
    Ok(HttpResponse::Ok().json(MinutesByDevice { items: counts.into_iter().map(item).collect() }))
}

fn selection(who: &Principal, mut asked: Asked) -> Result<Selection, ApiError> {
    let all = Selection::all(who.user.into());
    let to = asked.time("to").unwrap_or(all.to);
    let of = Selection {
        user: all.user,
        from: asked.time("from").unwrap_or(all.from.min(to)),
        to,
        not_device: asked.take("not_device", |text| text.parse().ok(), "must be a UUID"),
        received_from: asked.time("received_from"),
    };
    if of.from > of.to {
        asked.refuse("to", "must not be before from");
    }
    asked.finish().map(|()| of)
}
