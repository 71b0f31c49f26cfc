//! The endpoints.
//!
//! - [`accounts`]: register, login, refresh, logout
//! - [`blink`]: minutes in
//! - [`history`], [`insights`]: minutes out, and what they say
//! - [`oidc`]: signing in through a provider
//! - [`people`], [`own`], [`export`]: a person's own account, under `/api/user/me`
//! - [`team`]: one figure for a closed week
//! - [`device`]: a tray signed in from the browser
//! - [`admin`], [`reset`]: people and roles; a new password by link
//! - [`health`], [`consents`], [`pages`]

pub mod accounts;
pub mod admin;
pub mod blink;
pub mod consents;
pub mod device;
pub mod export;
pub mod health;
pub mod history;
pub mod insights;
pub mod oidc;
pub mod own;
pub mod pages;
pub mod people;
pub mod reset;
pub mod team;

use actix_web::{
    Route,
    http::Method,
    web::{self, ServiceConfig},
};

use crate::{
    config::Part,
    error::ApiError,
    http::resource,
    openapi,
    principal::{OpenTo, Openings},
};

/// One address: its part, its path, its methods.
pub struct Entry {
    /// The part it belongs to.
    pub part: Part,
    /// Its path, as a pattern.
    pub path: &'static str,
    /// Its methods.
    pub methods: Vec<(Method, Route)>,
    /// Which of them are open to more than people who consented.
    pub openings: Openings,
}

/// The handlers of one address; `=>` opens one to more than people who consented.
macro_rules! on {
    ($part:ident $path:literal $($method:ident $handler:path $(=> $open_to:ident)?),+) => {
        Entry {
            part: Part::$part,
            path: $path,
            methods: vec![$((Method::$method, web::route().to($handler))),+],
            openings: Openings(vec![$($((Method::$method, OpenTo::$open_to),)?)+]),
        }
    };
}

/// Every address of the server, those of the original plans last.
#[must_use]
pub fn table() -> Vec<Entry> {
    vec![
        on!(Always "/health" GET health::liveness),
        on!(Always "/healthz" GET health::readiness),
        on!(Always "/metrics" GET health::metrics),
        on!(Auth "/api/consents" GET consents::texts),
        on!(Auth "/api/auth/register" POST accounts::register),
        on!(Auth "/api/auth/login" POST accounts::login),
        on!(Auth "/api/auth/refresh" POST accounts::refresh),
        on!(Auth "/api/auth/logout" POST accounts::logout => Anybody),
        on!(Auth "/api/auth/reset" POST reset::reset),
        on!(Auth "/api/auth/google" GET oidc::start),
        on!(Auth "/api/auth/google/callback" GET oidc::callback),
        on!(Auth "/api/auth/device" POST device::start),
        on!(Auth "/api/auth/device/token" POST device::token),
        on!(Auth "/api/auth/device/approve" POST device::approve),
        on!(Sync "/api/blink" POST blink::one),
        on!(Sync "/api/blink/sync" POST blink::sync),
        on!(Data "/api/user/me" GET people::me, PATCH people::change, DELETE people::erase => Awaiting),
        on!(Data "/api/user/me/consents" GET own::consents => Awaiting, PUT own::put_consent => Awaiting),
        on!(Data "/api/user/me/sessions" GET own::sessions),
        on!(Data "/api/user/me/sessions/{id}" DELETE own::end_session),
        on!(Data "/api/user/me/devices" GET own::devices),
        on!(Data "/api/user/me/devices/{id}" DELETE own::end_device),
        on!(Data "/api/user/me/export" GET export::everything),
        on!(Data "/api/erasures/{id}" GET people::receipt),
        on!(Data "/api/user/me/insights" GET insights::insights),
        on!(Data "/api/user/me/ask" POST insights::ask),
        on!(Data "/api/user/{id}/blinks" GET history::blinks),
        on!(Data "/api/team" GET team::list, POST team::create),
        on!(Data "/api/team/{id}/members/{user_id}" PUT team::put_member, DELETE team::delete_member),
        on!(Data "/api/team/{id}/blinks" GET team::blinks),
        on!(Data "/api/admin/users" GET admin::list),
        on!(Data "/api/admin/users/{id}" PATCH admin::change),
        on!(Web "/api/openapi.json" GET openapi::json_document),
        on!(Web "/api/docs" GET openapi::to_pages),
        on!(Web "/docs" GET openapi::to_pages),
        on!(Web "/api/docs/{file:.*}" GET openapi::pages),
        on!(Web "/" GET pages::index),
        on!(Web "/device" GET pages::index),
        on!(Web "/reset" GET pages::reset),
        on!(Web "/assets/app.js" GET pages::script),
        on!(Web "/assets/app.css" GET pages::style),
        on!(Web "/assets/reset.js" GET pages::reset_script),
        on!(Web "/favicon.svg" GET pages::icon),
        on!(Auth "/auth/register" POST accounts::register),
        on!(Auth "/auth/login" POST accounts::login),
        on!(Auth "/auth/logout" POST accounts::logout => Anybody),
        on!(Auth "/auth/google/callback" GET oidc::callback),
        on!(Sync "/blink/track" POST blink::one),
        on!(Sync "/blink/tracking" POST blink::one),
        on!(Sync "/blink/sync" POST blink::sync),
        on!(Data "/user/profile" GET people::me),
    ]
}

/// The addresses of these parts.
pub fn configure(config: &mut ServiceConfig, parts: &[Part]) {
    for Entry { part, path, methods, openings } in table() {
        if part == Part::Always || parts.contains(&part) {
            config.service(resource(path, methods).app_data(openings));
        }
    }
    config.default_service(web::to(|| std::future::ready(Err::<&'static str, _>(ApiError::not_found()))));
}
