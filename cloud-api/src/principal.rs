//! The person of a request: the token's signature, then one indexed look-up of session, person, role and consent.
//!
//! That look-up is made when the request's head arrives, and is enough for reading. Its body may take half a minute, and
//! meanwhile the session may end, the role change, the consent be withdrawn. So whoever writes does it by
//! [`Principal::write`], which looks again inside the transaction and holds what it saw until the commit.

use std::pin::Pin;

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::{Method, header::AUTHORIZATION},
    web,
};
use blink_proto::{UserId, http::Role};

use crate::{
    auth::tokens,
    db::{
        conn::Conn,
        sessions::{self, Standing},
        types::DbId,
        users,
    },
    domain::time::UtcMs,
    error::ApiError,
    http::envelope::Pseudonym,
    state::State,
};

/// How fresh a sign-in must be to stand in for the password.
const FRESH_SIGN_IN_MS: i64 = 5 * 60_000;

/// Whom a method of an address is open to; the table of addresses says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenTo {
    /// People who have consented once. A kiosk is none.
    #[default]
    People,
    /// Also people whose account awaits their consent.
    Awaiting,
    /// Whoever has a live session, a kiosk too.
    Anybody,
}

/// The methods of one address that are open to more than [`OpenTo::People`], kept with its route.
#[derive(Clone, Debug, Default)]
pub(crate) struct Openings(pub Vec<(Method, OpenTo)>);

impl Openings {
    fn of(req: &HttpRequest) -> OpenTo {
        let method = if req.method() == Method::HEAD { &Method::GET } else { req.method() };
        let marks = req.app_data::<Self>().map_or(&[][..], |openings| &openings.0);
        marks.iter().find(|(marked, _)| marked == method).map_or_else(OpenTo::default, |(_, open_to)| *open_to)
    }
}

/// Who asks, and what held of them at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub user: UserId,
    pub session: DbId,
    /// What they may do.
    pub role: Role,
    /// Whether their tracking consent stands.
    pub tracking_consent: bool,
    /// Whether their account was handed to them before they consented to anything.
    pub awaits_consent: bool,
    /// When they proved who they are.
    pub signed_in_at: UtcMs,
    /// When all of this was so.
    pub at: UtcMs,
    open_to: OpenTo,
}

impl Principal {
    /// The person of a session, when this method is open to them.
    fn admit(standing: Option<Standing>, user: UserId, open_to: OpenTo, at: UtcMs) -> Result<Self, ApiError> {
        let standing = standing.filter(|s| s.user_id.0 == user.0).ok_or_else(ApiError::unauthenticated)?;
        let role = standing.role.parse().map_err(|_| ApiError::internal("an unknown role is stored"))?;
        if standing.awaits_consent && open_to == OpenTo::People {
            return Err(ApiError::forbidden(
                "consent_required",
                "This account needs your consent first; the text is at /api/consents.",
            ));
        }
        if role == Role::Kiosk && open_to != OpenTo::Anybody {
            return Err(ApiError::forbidden("forbidden", "A kiosk may only challenge and mark, and sign out."));
        }
        Ok(Self {
            user,
            session: standing.session_id,
            role,
            tracking_consent: standing.tracking_consent,
            awaits_consent: standing.awaits_consent,
            signed_in_at: standing.signed_in_at,
            at,
            open_to,
        })
    }

    /// Refuses everybody below `role`: 403 `forbidden`.
    pub(crate) fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        Err(ApiError::forbidden("forbidden", format!("This needs the role {}.", role.as_str())))
    }

    /// Refuses what needs consent when there is none: 403 `consent_withdrawn`.
    pub(crate) fn require_consent(&self) -> Result<(), ApiError> {
        if self.tracking_consent { Ok(()) } else { Err(consent_withdrawn()) }
    }

    /// Refuses what a stolen token must not do: 403 `fresh_sign_in_required`.
    pub(crate) fn require_fresh_sign_in(&self) -> Result<(), ApiError> {
        if self.at <= self.signed_in_at.plus(FRESH_SIGN_IN_MS) {
            return Ok(());
        }
        Err(ApiError::forbidden(
            "fresh_sign_in_required",
            "Give the password, or sign in again: without it the sign-in must be under 5 minutes old.",
        ))
    }

    /// Runs `f` in a transaction with the caller as they are in it. Their row is held until it ends: nobody ends the
    /// session, changes the role or the consent meanwhile, and `f` takes its time from [`Self::at`].
    pub(crate) async fn write<T, F>(&self, state: &State, f: F) -> Result<T, ApiError>
    where
        F: Fn(&mut Conn, &Self) -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        self.turn(state, false, f).await
    }

    /// As [`Self::write`], for what may change who is an admin: one such transaction at a time. Their lock comes before
    /// any person's row, so that two admins who change each other do not wait crosswise.
    pub(crate) async fn write_roles<T, F>(&self, state: &State, f: F) -> Result<T, ApiError>
    where
        F: Fn(&mut Conn, &Self) -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        self.turn(state, true, f).await
    }

    async fn turn<T, F>(&self, state: &State, roles: bool, f: F) -> Result<T, ApiError>
    where
        F: Fn(&mut Conn, &Self) -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        let (user, session, open_to, clock) = (self.user, self.session, self.open_to, state.clock.clone());
        let turn = move |conn: &mut Conn| {
            if roles {
                users::hold_roles(conn)?;
            }
            users::hold(conn, user.into())?;
            let at = clock.now();
            let who = Self::admit(sessions::standing(conn, session, at)?, user, open_to, at)?;
            f(conn, &who)
        };
        state.db.write(turn).await
    }

    /// The caller as they are now: for a request that writes nothing, and has waited for its body since it looked.
    pub(crate) async fn again(&self, state: &State) -> Result<Self, ApiError> {
        let (session, at) = (self.session, state.clock.now());
        let standing = state.db.read(move |conn| sessions::standing(conn, session, at)).await?;
        Self::admit(standing, self.user, self.open_to, at)
    }
}

/// 403 for minutes of a person who withdrew their consent.
#[must_use]
pub(crate) fn consent_withdrawn() -> ApiError {
    ApiError::forbidden(
        "consent_withdrawn",
        "Tracking consent is withdrawn: nothing is stored until it is granted again.",
    )
}

impl FromRequest for Principal {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let state = req.app_data::<web::Data<State>>().ok_or_else(|| ApiError::internal("no state"))?;
            let now = state.clock.now();
            let token = bearer(&req).ok_or_else(ApiError::unauthenticated)?;
            let access = tokens::verify_access(&state.keys, token, now).ok_or_else(ApiError::unauthenticated)?;
            let session = DbId(access.sid);
            let standing =
                state.db.read(move |conn| sessions::standing(conn, session, now)).await.map_err(ApiError::from)?;
            let who = Self::admit(standing, UserId(access.sub), Openings::of(&req), now)?;
            req.extensions_mut().insert(Pseudonym(state.keys.pseudonym(who.user)));
            Ok(who)
        })
    }
}

fn bearer(req: &HttpRequest) -> Option<&str> {
    let (scheme, token) = req.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
