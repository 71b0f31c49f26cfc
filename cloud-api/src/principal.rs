//! The person of a request: the token's signature, then one indexed look-up of session, person, role and consent.

use std::pin::Pin;

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header::AUTHORIZATION, web};
use blink_proto::{UserId, http::Role};

use crate::{
    auth::tokens,
    db::{sessions, types::DbId},
    domain::time::UtcMs,
    error::ApiError,
    http::envelope::Pseudonym,
    state::State,
};

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The person.
    pub user: UserId,
    /// The session.
    pub session: DbId,
    /// What they may do.
    pub role: Role,
    /// Whether their tracking consent stands.
    pub tracking_consent: bool,
    /// When they proved who they are.
    pub signed_in_at: UtcMs,
}

impl Principal {
    /// Refuses everybody below `role`.
    ///
    /// # Errors
    /// 403 `forbidden`.
    pub fn require(&self, role: Role) -> Result<(), ApiError> {
        if self.role >= role {
            return Ok(());
        }
        Err(ApiError::forbidden("forbidden", format!("This needs the role {}.", role.as_str())))
    }

    /// Refuses what needs consent when there is none.
    ///
    /// # Errors
    /// 403 `consent_withdrawn`.
    pub fn require_consent(&self) -> Result<(), ApiError> {
        if self.tracking_consent { Ok(()) } else { Err(consent_withdrawn()) }
    }
}

/// 403 for minutes of a person who withdrew their consent.
#[must_use]
pub fn consent_withdrawn() -> ApiError {
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
            let standing = standing.filter(|s| s.user_id.0 == access.sub).ok_or_else(ApiError::unauthenticated)?;
            if standing.awaits_consent && !may_wait(&req) {
                return Err(consent_required());
            }
            let user = UserId(access.sub);
            req.extensions_mut().insert(Pseudonym(state.keys.pseudonym(user)));
            Ok(Self {
                user,
                session,
                role: standing.role.parse().map_err(|_| ApiError::internal("an unknown role is stored"))?,
                tracking_consent: standing.tracking_consent,
                signed_in_at: standing.signed_in_at,
            })
        })
    }
}

/// 403 for an account that was made by another's sign-in page and has not consented yet.
fn consent_required() -> ApiError {
    ApiError::forbidden("consent_required", "This account needs your consent first; the text is at /api/consents.")
}

/// What an account without consent may do all the same: consent, be erased, sign out.
fn may_wait(req: &HttpRequest) -> bool {
    matches!(
        (req.method().as_str(), req.path()),
        ("GET" | "PUT", "/api/user/me/consents")
            | ("DELETE", "/api/user/me")
            | ("POST", "/api/auth/logout" | "/auth/logout")
    )
}

fn bearer(req: &HttpRequest) -> Option<&str> {
    let (scheme, token) = req.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
