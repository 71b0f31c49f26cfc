//! Diesel's description of the attendance tables, which both databases share.

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
    use crate::db::types::{SqlDay, SqlId, Utc};

    attendance_people (id) {
        id -> Text,
        uid -> SqlId,
        user_id -> Nullable<SqlId>,
        name -> Text,
        enrolled_on -> SqlDay,
        registered_at -> Utc,
        leaderboard -> Bool,
        pin_hash -> Nullable<Text>,
        sealed_key -> Nullable<Binary>,
        photo -> Nullable<Binary>,
        changed_in -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer};

    attendance_gallery (one) {
        one -> Integer,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::db::types::{SqlId, Utc};

    attendance_encodings (id) {
        id -> SqlId,
        person -> Text,
        sealed -> Binary,
        made_at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::{SqlId, Utc};

    attendance_consents (id) {
        id -> SqlId,
        person -> Text,
        version -> Text,
        granted -> Bool,
        at -> Utc,
        taken_by -> Nullable<SqlId>,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::db::types::{SqlDay, SqlId, Utc};

    attendance_records (id) {
        id -> SqlId,
        person -> Text,
        day -> SqlDay,
        at -> Utc,
        status -> Text,
        confidence -> Nullable<Integer>,
        liveness_verified -> Bool,
        session_id -> Nullable<SqlId>,
        source -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{SqlDay, SqlId, Utc};

    attendance_corrections (id) {
        id -> SqlId,
        person -> Text,
        day -> SqlDay,
        record_id -> SqlId,
        at -> Utc,
        made_by -> Nullable<SqlId>,
        status_before -> Nullable<Text>,
        at_before -> Nullable<Utc>,
        status_after -> Nullable<Text>,
        at_after -> Nullable<Utc>,
        reason -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Text};
    use crate::db::types::{SqlDay, Utc};

    attendance_refusals (person, day) {
        person -> Text,
        day -> SqlDay,
        tries -> Integer,
        last_reason -> Text,
        last_at -> Utc,
    }
}

diesel::table! {
    use crate::db::types::{SqlDay, Utc};

    attendance_outages (day) {
        day -> SqlDay,
        since -> Utc,
        seen_at -> Utc,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Text};
    use crate::db::types::{SqlId, Utc};

    attendance_challenges (id) {
        id -> SqlId,
        session_id -> SqlId,
        cues_ms -> Text,
        made_at -> Utc,
        expires_at -> Utc,
        used -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Integer, Text};

    attendance_months (month, person) {
        person -> Text,
        month -> Integer,
        days -> Binary,
    }
}

diesel::joinable!(attendance_records -> attendance_people (person));

diesel::allow_tables_to_appear_in_same_query!(
    attendance_people,
    attendance_records,
    attendance_encodings,
    attendance_refusals,
    attendance_corrections,
    attendance_months
);
