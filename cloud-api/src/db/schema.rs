//! Diesel's description of the tables, which both databases share.

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    users (id) {
        id -> SqlId,
        email -> Text,
        email_key -> Text,
        name -> Nullable<Text>,
        timezone -> Text,
        role -> Text,
        password_hash -> Nullable<Text>,
        tracking_consent -> Bool,
        awaits_consent -> Bool,
        created_at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Text};
    use crate::db::types::{SqlId, Utc};

    consents (id) {
        id -> SqlId,
        user_id -> SqlId,
        kind -> Text,
        version -> Text,
        granted -> Bool,
        at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    sessions (id) {
        id -> SqlId,
        user_id -> SqlId,
        user_agent -> Nullable<Text>,
        signed_in_at -> Utc,
        refreshed_at -> Utc,
        expires_at -> Utc,
        used_token -> Nullable<SqlId>,
        next_token -> SqlId,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    devices (user_id, device_id) {
        user_id -> SqlId,
        device_id -> SqlId,
        session_id -> Nullable<SqlId>,
        first_seen_at -> Utc,
        last_seen_at -> Utc,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Double, Integer, Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    blink_data (user_id, from_timestamp, device_id) {
        id -> SqlId,
        user_id -> SqlId,
        blink_count -> Integer,
        from_timestamp -> Utc,
        to_timestamp -> Utc,
        device_id -> SqlId,
        observed_ms -> Integer,
        mean_fps -> Double,
        quality -> Text,
        mean_blink_ms -> Nullable<Double>,
        incomplete_share -> Nullable<Double>,
        perclos -> Nullable<Double>,
        received_at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer};
    use crate::db::types::{SqlId, Utc};

    blink_rollups (user_id, slot_from) {
        user_id -> SqlId,
        slot_from -> Utc,
        blink_count -> BigInt,
        observed_ms -> BigInt,
        minutes -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::db::types::{SqlId, Utc};

    one_time_tokens (token_hash) {
        token_hash -> Binary,
        user_id -> SqlId,
        purpose -> Text,
        expires_at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    teams (id) {
        id -> SqlId,
        name -> Text,
        manager_id -> Nullable<SqlId>,
        timezone -> Text,
        created_at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    team_members (team_id, user_id) {
        team_id -> SqlId,
        user_id -> SqlId,
        invited_at -> Utc,
        accepted_at -> Nullable<Utc>,
        invited_as -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Nullable};
    use crate::db::types::{SqlId, Utc};

    team_weeks (team_id, week_from) {
        team_id -> SqlId,
        week_from -> Utc,
        week_to -> Utc,
        blinks_per_minute -> Nullable<Integer>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Bool, Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    device_codes (code_hash) {
        code_hash -> Binary,
        user_code -> Text,
        device_name -> Text,
        address -> Text,
        expires_at -> Utc,
        polled_at -> Nullable<Utc>,
        user_id -> Nullable<SqlId>,
        denied -> Bool,
        session_id -> Nullable<SqlId>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::db::types::SqlId;

    oidc_identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        user_id -> SqlId,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::db::types::Utc;

    oidc_logins (state_hash) {
        state_hash -> Binary,
        verifier -> Text,
        nonce -> Text,
        expires_at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable};
    use crate::db::types::{SqlId, Utc};

    archive_keys (id) {
        id -> SqlId,
        user_id -> Nullable<SqlId>,
        sealed -> Binary,
        created_at -> Utc,
        leased_until -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Integer};
    use crate::db::types::{SqlId, Utc};

    archive_queue (id) {
        id -> SqlId,
        key_id -> SqlId,
        queued_at -> Utc,
        oldest_at -> Utc,
        records -> Integer,
        bytes -> Integer,
        payload -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Integer, Text};
    use crate::db::types::{SqlId, Utc};

    archive_objects (id) {
        id -> SqlId,
        key_id -> SqlId,
        bucket -> Text,
        name -> Text,
        created_at -> Utc,
        oldest_at -> Utc,
        records -> Integer,
        bytes -> Integer,
        written -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    archive_removals (id) {
        id -> SqlId,
        bucket -> Text,
        name -> Text,
        due_at -> Utc,
        attempts -> Integer,
        erasure_id -> Nullable<SqlId>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::db::types::{SqlId, Utc};

    erasures (id) {
        id -> SqlId,
        erased_at -> Utc,
        stores -> Text,
    }
}

diesel::joinable!(team_members -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(consents -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    consents,
    sessions,
    devices,
    blink_data,
    blink_rollups,
    one_time_tokens,
    teams,
    team_members,
    team_weeks,
    device_codes,
    archive_keys,
    archive_objects,
    archive_queue
);

diesel::table! {
    use diesel::sql_types::Text;
    use crate::db::types::Utc;

    housekeeping (what) {
        what -> Text,
        at -> Utc,
    }
}
