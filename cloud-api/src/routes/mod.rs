//! The endpoints.
//!
//! - [`accounts`]: register, login, refresh, logout
//! - [`blink`]: uploading minutes
//! - [`history`], [`own_minutes`], [`insights`], [`letter`]: reading minutes, and what they say
//! - [`oidc`]: signing in through a provider
//! - [`people`], [`own`], [`export`]: a person's own account, under `/api/user/me`
//! - [`team`]: one figure per team and closed week
//! - [`device`]: signing a tray in through a browser
//! - [`admin`], [`reset`]: people and their roles; setting a new password by link
//! - [`attendance`]: the attendance desk
//! - [`health`], [`consents`], [`pages`]; [`docs`]: the API's description

pub(crate) mod accounts;
pub(crate) mod admin;
pub(crate) mod attendance;
pub(crate) mod blink;
pub(crate) mod consents;
pub(crate) mod dashboard;
pub(crate) mod device;
pub(crate) mod docs;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod insights;
pub(crate) mod letter;
pub(crate) mod oidc;
pub(crate) mod own;
pub(crate) mod own_minutes;
pub(crate) mod pages;
pub(crate) mod people;
pub mod reset;
pub(crate) mod team;

use std::collections::BTreeMap;

use actix_web::{
    Route,
    http::Method,
    web::{self, ServiceConfig},
};

use attendance::{
    analytics as attendance_analytics, challenge, enrol, leaderboard, list as attendance_list, mark,
    people as desk_people, pin, records, transfer,
};

use crate::{
    config::Part,
    http::resource,
    openapi::Described,
    principal::{OpenTo, Openings},
};

/// One method of one path.
pub struct Endpoint {
    pub part: Part,
    /// The path as an actix pattern.
    pub path: String,
    pub method: Method,
    pub route: Route,
    pub open_to: OpenTo,
    /// The handler's OpenAPI description; `None` for pages and their assets, which are not part of the API.
    pub described: Option<Described>,
}

/// The endpoints of one handler: the path of its `utoipa::path` and, after `also`, the paths of the original plan. `=>`
/// opens it to more callers than people who consented.
macro_rules! api {
    ($part:ident $module:ident::$handler:ident $(, also $alias:literal)*) => {
        api!($part $module::$handler => People $(, also $alias)*)
    };
    ($part:ident $module:ident::$handler:ident => $open_to:ident $(, also $alias:literal)*) => {
        pastey::paste! {{
            let described = Described::of::<$module::[<__path_ $handler>]>();
            let endpoints = vec![
                $((described.at($alias), web::route().to($module::$handler)),)*
                (described, web::route().to($module::$handler)),
            ];
            let endpoint = |(described, route): (Described, Route)| Endpoint {
                part: Part::$part,
                path: described.path.clone(),
                method: described.method.clone(),
                route,
                open_to: OpenTo::$open_to,
                described: Some(described),
            };
            endpoints.into_iter().map(endpoint).collect::<Vec<_>>()
        }}
    };
}

/// The endpoint of a page or of one of its assets.
macro_rules! page {
    ($path:literal $handler:path) => {
        vec![Endpoint {
            part: Part::Web,
            path: $path.to_owned(),
            method: Method::GET,
            route: web::route().to($handler),
            open_to: OpenTo::People,
            described: None,
        }]
    };
}

#[must_use]
pub fn table() -> Vec<Endpoint> {
    [
        api!(Always health::liveness),
        api!(Always health::readiness),
        api!(Always health::metrics),
        api!(Auth consents::texts),
        api!(Auth accounts::register, also "/auth/register"),
        api!(Auth accounts::login, also "/auth/login"),
        api!(Auth accounts::refresh),
        api!(Auth accounts::logout => Anybody, also "/auth/logout"),
        api!(Auth reset::reset),
        api!(Auth oidc::start),
        api!(Auth oidc::callback, also "/auth/google/callback"),
        api!(Auth device::start),
        api!(Auth device::token),
        api!(Auth device::approve),
        api!(Sync blink::one, also "/blink/track", also "/blink/tracking"),
        api!(Sync blink::sync, also "/blink/sync"),
        api!(Data people::me, also "/user/profile"),
        api!(Data people::change),
        api!(Data people::erase => Awaiting),
        api!(Data own::consents => Awaiting),
        api!(Data own::put_consent => Awaiting),
        api!(Data own::sessions),
        api!(Data own::end_session),
        api!(Data own::devices),
        api!(Data own::end_device),
        api!(Data export::everything),
        api!(Data people::receipt),
        api!(Data insights::insights),
        api!(Data insights::ask),
        api!(Data letter::letter),
        api!(Data history::blinks),
        api!(Data own_minutes::minutes),
        api!(Data own_minutes::devices),
        api!(Data team::list),
        api!(Data team::create),
        api!(Data team::put_member),
        api!(Data team::delete_member),
        api!(Data team::blinks),
        api!(Data admin::list),
        api!(Data admin::change),
        api!(Attendance enrol::enrol, also "/register-user"),
        api!(Attendance challenge::challenge => Kiosks),
        api!(Attendance mark::mark => Kiosks, also "/mark-attendance"),
        api!(Attendance pin::mark => Kiosks),
        api!(Attendance pin::code),
        api!(Attendance desk_people::list),
        api!(Attendance desk_people::add),
        api!(Attendance desk_people::me),
        api!(Attendance desk_people::photo),
        api!(Attendance desk_people::forget_face),
        api!(Attendance desk_people::remove),
        api!(Attendance desk_people::put_own_pin),
        api!(Attendance desk_people::put_pin),
        api!(Attendance records::add),
        api!(Attendance records::change),
        api!(Attendance attendance_list::records, also "/get-attendance"),
        api!(Attendance attendance_analytics::analytics, also "/get-analytics"),
        api!(Attendance transfer::import),
        api!(Attendance leaderboard::choose),
        api!(Web docs::document),
        page!("/api/docs" docs::to_pages),
        page!("/docs" docs::to_pages),
        page!("/api/docs/{file:.*}" docs::pages),
        page!("/" pages::index),
        page!("/device" pages::index),
        page!("/reset" pages::reset),
        page!("/assets/app.js" pages::script),
        page!("/assets/app.css" pages::style),
        page!("/assets/reset.js" pages::reset_script),
        page!("/assets/{file}" dashboard::asset),
        page!("/color-scheme.js" dashboard::color_scheme),
        page!("/demos/demo.mp4" dashboard::demo_video),
        page!("/favicon.svg" pages::icon),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Registers the endpoints of these parts.
pub fn configure(config: &mut ServiceConfig, parts: &[Part]) {
    let mut addresses: BTreeMap<String, (Vec<(Method, Route)>, Openings)> = BTreeMap::new();
    for Endpoint { part, path, method, route, open_to, .. } in table() {
        if part == Part::Always || parts.contains(&part) {
            let (methods, openings) = addresses.entry(path).or_default();
            openings.0.push((method.clone(), open_to));
            methods.push((method, route));
        }
    }
    // A literal path must be registered before a pattern that matches it too: `{` sorts after every letter, so it is.
    for (path, (methods, openings)) in addresses {
        config.service(resource(&path, methods).app_data(openings));
    }
    config.default_service(web::to(dashboard::elsewhere));
}
