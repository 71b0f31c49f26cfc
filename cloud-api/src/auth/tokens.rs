//! Access and refresh tokens: JWTs signed with HMAC-SHA-256, with the key's id, told apart by their audience.
//!
//! An access token lives 15 minutes and names the person and the session. The session is looked up on each request, so
//! ending it ends the token. A refresh token names its session and itself; the session knows which token is the next.

use blink_proto::{Secret, UserId};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::keys::Keyring;
use crate::attendance::pin::CODE_LIFE_S;
use crate::db::id::{DeskPerson, Id, RefreshToken, Session};
use crate::domain::time::UtcMs;

/// Lifetime of an access token, in seconds.
pub(crate) const ACCESS_S: i64 = 15 * 60;

/// Lifetime of a session after its last refresh, in seconds.
pub(crate) const SESSION_S: i64 = 60 * 24 * 60 * 60;

const ISSUER: &str = "cloud-api";
const ACCESS: &str = "cloud-api/access";
const REFRESH: &str = "cloud-api/refresh";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    pub sub: UserId,
    pub sid: Id<Session>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refresh {
    pub sid: Id<Session>,
    pub jti: Id<RefreshToken>,
}

/// Tokens that name a person of the attendance desk: the signature of a photo's path, and the code that marks a person.
pub(crate) const PHOTO: DeskUse = DeskUse { aud: "cloud-api/photo", life_s: 5 * 60 };
pub(crate) const DESK_CODE: DeskUse = DeskUse { aud: "cloud-api/desk-code", life_s: CODE_LIFE_S };

#[derive(Clone, Copy)]
pub(crate) struct DeskUse {
    aud: &'static str,
    life_s: i64,
}

#[derive(Serialize, Deserialize)]
struct OfDesk {
    uid: Id<DeskPerson>,
}

pub(crate) fn desk(keys: &Keyring, what: DeskUse, uid: Id<DeskPerson>, now: UtcMs) -> Result<Secret, SignError> {
    sign(keys, what.aud, now, what.life_s, OfDesk { uid })
}

/// `None` unless the token's signature is valid for this use and it has not expired.
#[must_use]
pub(crate) fn verify_desk(keys: &Keyring, what: DeskUse, token: &str, now: UtcMs) -> Option<Id<DeskPerson>> {
    verify::<OfDesk>(keys, what.aud, token, now).map(|claims| claims.uid)
}

#[derive(Serialize, Deserialize)]
struct Claims<T> {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    what: T,
}

#[derive(Debug, thiserror::Error)]
#[error("a token cannot be signed")]
pub(crate) struct SignError(#[from] jsonwebtoken::errors::Error);

pub(crate) fn access(keys: &Keyring, user: UserId, session: Id<Session>, now: UtcMs) -> Result<Secret, SignError> {
    sign(keys, ACCESS, now, ACCESS_S, Access { sub: user, sid: session })
}

pub(crate) fn refresh(
    keys: &Keyring,
    session: Id<Session>,
    token: Id<RefreshToken>,
    now: UtcMs,
) -> Result<Secret, SignError> {
    sign(keys, REFRESH, now, SESSION_S, Refresh { sid: session, jti: token })
}

/// `None` unless the token's signature is valid and it has not expired.
#[must_use]
pub(crate) fn verify_access(keys: &Keyring, token: &str, now: UtcMs) -> Option<Access> {
    verify(keys, ACCESS, token, now)
}

/// `None` unless the token's signature is valid and it has not expired.
#[must_use]
pub(crate) fn verify_refresh(keys: &Keyring, token: &str, now: UtcMs) -> Option<Refresh> {
    verify(keys, REFRESH, token, now)
}

fn sign<T: Serialize>(keys: &Keyring, aud: &str, now: UtcMs, life_s: i64, what: T) -> Result<Secret, SignError> {
    let (kid, key) = keys.signing(now);
    let header = Header { kid: Some(kid), ..Header::new(Algorithm::HS256) };
    let iat = now.0.div_euclid(1_000);
    let claims = Claims { iss: ISSUER.to_owned(), aud: aud.to_owned(), iat, exp: iat + life_s, what };
    Ok(Secret::new(jsonwebtoken::encode(&header, &claims, &key)?))
}

fn verify<T: DeserializeOwned>(keys: &Keyring, aud: &str, token: &str, now: UtcMs) -> Option<T> {
    let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_audience(&[aud]);
    rules.set_issuer(&[ISSUER]);
    rules.set_required_spec_claims(&["exp", "aud", "iss"]);
    // The expiry is checked below against the server's own clock, which tests can set.
    rules.validate_exp = false;
    let claims = jsonwebtoken::decode::<Claims<T>>(token, &keys.verifying(&kid)?, &rules).ok()?.claims;
    (now.0 < claims.exp.saturating_mul(1_000)).then_some(claims.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keyring {
        Keyring::from_records(&[crate::auth::keys::fresh_record(UtcMs(0))]).unwrap()
    }

    #[test]
    fn a_desk_token_is_good_for_its_use_and_its_time() {
        let (keys, now, uid) = (keys(), UtcMs(1_772_359_200_000), Id::random());
        let code = desk(&keys, DESK_CODE, uid, now).unwrap();
        assert_eq!(verify_desk(&keys, DESK_CODE, code.expose(), now.plus(59_999)), Some(uid));
        assert_eq!(verify_desk(&keys, DESK_CODE, code.expose(), now.plus(60_000)), None);
        assert_eq!(verify_desk(&keys, PHOTO, code.expose(), now), None);
        assert!(verify_access(&keys, code.expose(), now).is_none());
    }

    #[test]
    fn a_token_is_good_for_its_purpose_its_time_and_its_keys() {
        let (keys, now) = (keys(), UtcMs(1_772_359_200_000));
        let (user, session) = (UserId::new(), Id::fresh());
        let token = access(&keys, user, session, now).unwrap();
        let text = token.expose();
        assert_eq!(verify_access(&keys, text, now).unwrap().sub, user);
        assert!(verify_access(&keys, text, now.plus(ACCESS_S * 1_000 - 1)).is_some());
        assert!(verify_access(&keys, text, now.plus(ACCESS_S * 1_000)).is_none(), "ended");
        assert!(verify_refresh(&keys, text, now).is_none(), "another audience");
        assert!(verify_access(&self::keys(), text, now).is_none(), "other keys");
        assert!(verify_access(&keys, &text[..text.len() - 2], now).is_none(), "cut");
    }
}
