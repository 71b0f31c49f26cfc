//! The endpoints.
//!
//! - [`accounts`]: register, login, refresh, logout
//! - [`blink`]: minutes in
//! - [`history`]: minutes out
//! - [`people`]: a person's own account, under `/api/user/me`
//! - [`health`], [`consents`], [`pages`]

pub mod accounts;
pub mod blink;
pub mod consents;
pub mod health;
pub mod history;
pub mod pages;
pub mod people;

use std::{sync::Arc, time::Instant};

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};

use crate::{
    auth::{keys::Keyring, password::Passwords},
    clock::Clock,
    db::{Db, types::UtcMs},
    error::ApiError,
    http::resource,
};

/// What every handler may use.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub db: Db,
    /// The signing keys.
    pub keys: Arc<Keyring>,
    /// Password hashing.
    pub passwords: Passwords,
    /// The time.
    pub clock: Clock,
    /// When the server started.
    pub started: Instant,
    /// How long minutes are kept.
    pub retention_days: u32,
}

impl State {
    /// Minutes before this are past retention.
    #[must_use]
    pub fn keep_from(&self) -> UtcMs {
        self.clock.now().plus(-i64::from(self.retention_days) * 86_400_000)
    }
}

/// Every address of the server.
pub fn configure(config: &mut ServiceConfig) {
    use Method as M;
    config
        .service(resource("/health", vec![(M::GET, web::route().to(health::liveness))]))
        .service(resource("/healthz", vec![(M::GET, web::route().to(health::readiness))]))
        .service(resource("/api/consents", vec![(M::GET, web::route().to(consents::texts))]))
        .service(resource("/api/auth/register", vec![(M::POST, web::route().to(accounts::register))]))
        .service(resource("/api/auth/login", vec![(M::POST, web::route().to(accounts::login))]))
        .service(resource("/api/auth/refresh", vec![(M::POST, web::route().to(accounts::refresh))]))
        .service(resource("/api/auth/logout", vec![(M::POST, web::route().to(accounts::logout))]))
        .service(resource("/api/blink", vec![(M::POST, web::route().to(blink::one))]))
        .service(resource("/api/blink/sync", vec![(M::POST, web::route().to(blink::sync))]))
        .service(resource("/api/user/me", vec![(M::GET, web::route().to(people::me))]))
        .service(resource("/api/user/{id}/blinks", vec![(M::GET, web::route().to(history::blinks))]))
        .service(resource("/", vec![(M::GET, web::route().to(pages::index))]))
        .service(resource("/assets/app.js", vec![(M::GET, web::route().to(pages::script))]))
        .service(resource("/assets/app.css", vec![(M::GET, web::route().to(pages::style))]))
        .service(resource("/favicon.svg", vec![(M::GET, web::route().to(pages::icon))]))
        .default_service(web::to(|| std::future::ready(Err::<&'static str, _>(ApiError::not_found()))));
}
