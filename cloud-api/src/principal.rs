//! The person of a request: the token's signature is checked, then session, person, role and consent are read in one
//! indexed query.
//!
//! The query is made when the request's head arrives, which is enough for reading. But the body may take half a minute,
//! and meanwhile the session may end, the role change or the consent be withdrawn. So every write goes through
//! [`Principal::write`], which repeats the query inside the transaction and locks the row until the commit.

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
        id::{Id, Session},
        sessions::{self, Standing},
        users,
    },
    domain::time::{CLOCKS_DIFFER_MS, UtcMs},
    error::ApiError,
    http::envelope::Pseudonym,
    state::State,
};

/// Greatest age of a sign-in that may replace the password, in milliseconds.
const FRESH_SIGN_IN_MS: i64 = 5 * 60_000;

/// The callers that a method of a path is open to, as the table of endpoints says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenTo {
    /// People who have consented before; not kiosks.
    #[default]
    People,
    /// Also kiosks.
    Kiosks,
    /// Also people whose account still awaits their consent; not kiosks.
    Awaiting,
    /// Every live session.
    Anybody,
}

/// The methods of one path that are open to more than [`OpenTo::People`]; stored with its route.
#[derive(Clone, Debug, Default)]
pub(crate) struct Openings(pub Vec<(Method, OpenTo)>);

impl Openings {
    fn of(req: &HttpRequest) -> OpenTo {
        let method = if req.method() == Method::HEAD { &Method::GET } else { req.method() };
        let marks = req.app_data::<Self>().map_or(&[][..], |openings| &openings.0);
        marks.iter().find(|(marked, _)| marked == method).map_or_else(OpenTo::default, |(_, open_to)| *open_to)
    }
}

/// The caller, and their rights at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub user: UserId,
    pub session: Id<Session>,
    pub role: Role,
    /// Whether tracking consent is granted.
    pub tracking_consent: bool,
    /// Whether the account was made before the person consented to anything.
    pub awaits_consent: bool,
    /// When the person signed in.
    pub signed_in_at: UtcMs,
    /// The moment at which all of this was read.
    pub at: UtcMs,
    open_to: OpenTo,
}

impl Principal {
    /// Makes the principal if the method is open to them.
    fn admit(standing: Option<Standing>, user: UserId, open_to: OpenTo, at: UtcMs) -> Result<Self, ApiError> {
        let standing = standing.filter(|s| s.user_id == user.into()).ok_or_else(ApiError::unauthenticated)?;
        let role = standing.role.parse().map_err(|_| ApiError::internal("an unknown role is stored"))?;
        if standing.awaits_consent && matches!(open_to, OpenTo::People | OpenTo::Kiosks) {
            return Err(ApiError::forbidden(
                "consent_required",
                "This account needs your consent first; the text is at /api/consents.",
            ));
        }
        if role == Role::Kiosk && !matches!(open_to, OpenTo::Kiosks | OpenTo::Anybody) {
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

    /// 403 `forbidden` for everybody below `role`.
    pub(crate) fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        Err(ApiError::forbidden("forbidden", format!("This needs the role {}.", role.as_str())))
    }

    /// 403 `consent_withdrawn` without tracking consent.
    pub(crate) fn require_consent(&self) -> Result<(), ApiError> {
        if self.tracking_consent { Ok(()) } else { Err(consent_withdrawn()) }
    }

    /// 403 `fresh_sign_in_required` for an old sign-in: a stolen token must not be enough. A sign-in of the future is
    /// as good as an old one.
    pub(crate) fn require_fresh_sign_in(&self) -> Result<(), ApiError> {
        let fresh = self.at.plus(-FRESH_SIGN_IN_MS)..=self.at.plus(CLOCKS_DIFFER_MS);
        if fresh.contains(&self.signed_in_at) {
            return Ok(());
        }
        Err(ApiError::forbidden(
            "fresh_sign_in_required",
            "Give the password, or sign in again: without it the sign-in must be under 5 minutes old.",
        ))
    }

    /// Runs `f` in a transaction with the caller's current rights. The person's row is locked until it ends, so that
    /// nobody ends the session or changes role or consent meanwhile. `f` must take its time from [`Self::at`]. In a
    /// demonstration it answers alike, and nothing of it is kept.
    pub(crate) async fn write<T, F>(&self, state: &State, f: F) -> Result<T, ApiError>
    where
        F: Fn(&mut Conn, &Self) -> Result<T, ApiError> + Send + 'static,
        T: Send + 'static,
    {
        self.turn(state, false, f).await
    }

    /// As [`Self::write`], for changes of who is an admin: one such transaction at a time. The roles are locked before
    /// any person's row, so that two admins who change each other cannot deadlock.
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
        if state.demo.is_some() { state.db.rehearse(turn).await } else { state.db.write(turn).await }
    }

    /// Reads the caller's rights anew, for a request that writes nothing but has waited for its body.
    pub(crate) async fn again(&self, state: &State) -> Result<Self, ApiError> {
        let (session, at) = (self.session, state.clock.now());
        let standing = state.db.read(move |conn| sessions::standing(conn, session, at)).await?;
        Self::admit(standing, self.user, self.open_to, at)
    }
}

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
            let session = access.sid;
            let standing =
                state.db.read(move |conn| sessions::standing(conn, session, now)).await.map_err(ApiError::from)?;
            let who = Self::admit(standing, access.sub, Openings::of(&req), now)?;
            req.extensions_mut().insert(Pseudonym(state.keys.pseudonym(who.user)));
            Ok(who)
        })
    }
}

fn bearer(req: &HttpRequest) -> Option<&str> {
    let (scheme, token) = req.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
