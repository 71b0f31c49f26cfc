//! The tables and columns of a backup, and the SQL that reads and writes them as JSON on either database.
//!
//! Left out on purpose are sessions, challenges, codes and links (a restored one could have been ended since), counted
//! attempts, and signing keys. So everybody signs in again after a restore. The gallery's number goes on from where the
//! new database stands: what is restored of faces is its next change.

use std::fmt::Write as _;

/// A column's type, and its form in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A UUID as text.
    Id,
    /// A UTC time in milliseconds.
    Utc,
    /// A calendar day as text.
    Day,
    Text,
    Int,
    Real,
    /// A boolean as 0 or 1.
    Bool,
    /// Bytes as hexadecimal digits.
    Bytes,
}

use Kind::{Bool, Bytes, Day, Id, Int, Real, Text, Utc};

pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
}

/// The order matters: rows refer to tables before theirs only.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "users",
        columns: &[
            ("id", Id),
            ("email", Text),
            ("email_key", Text),
            ("name", Text),
            ("timezone", Text),
            ("role", Text),
            ("password_hash", Text),
            ("tracking_consent", Bool),
            ("awaits_consent", Bool),
            ("created_at", Utc),
        ],
    },
    Table {
        name: "consents",
        columns: &[("id", Id), ("user_id", Id), ("kind", Text), ("version", Text), ("granted", Bool), ("at", Utc)],
    },
    Table {
        name: "devices",
        columns: &[
            ("user_id", Id),
            ("device_id", Id),
            ("session_id", Id),
            ("first_seen_at", Utc),
            ("last_seen_at", Utc),
            ("user_agent", Text),
        ],
    },
    Table { name: "oidc_identities", columns: &[("issuer", Text), ("subject", Text), ("user_id", Id)] },
    Table {
        name: "teams",
        columns: &[("id", Id), ("name", Text), ("manager_id", Id), ("timezone", Text), ("created_at", Utc)],
    },
    Table {
        name: "team_members",
        columns: &[("team_id", Id), ("user_id", Id), ("invited_at", Utc), ("accepted_at", Utc), ("invited_as", Text)],
    },
    Table {
        name: "team_weeks",
        columns: &[("team_id", Id), ("week_from", Utc), ("week_to", Utc), ("blinks_per_minute", Int)],
    },
    Table {
        name: "blink_data",
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("blink_count", Int),
            ("from_timestamp", Utc),
            ("to_timestamp", Utc),
            ("device_id", Id),
            ("observed_ms", Int),
            ("mean_fps", Real),
            ("quality", Text),
            ("mean_blink_ms", Real),
            ("incomplete_share", Real),
            ("perclos", Real),
            ("received_at", Utc),
        ],
    },
    Table {
        name: "blink_rollups",
        columns: &[("user_id", Id), ("slot_from", Utc), ("blink_count", Int), ("observed_ms", Int), ("minutes", Int)],
    },
    Table {
        name: "archive_keys",
        columns: &[("id", Id), ("user_id", Id), ("sealed", Bytes), ("created_at", Utc), ("leased_until", Utc)],
    },
    Table {
        name: "archive_queue",
        columns: &[
            ("id", Id),
            ("key_id", Id),
            ("queued_at", Utc),
            ("oldest_at", Utc),
            ("records", Int),
            ("bytes", Int),
            ("payload", Bytes),
        ],
    },
    Table {
        name: "archive_objects",
        columns: &[
            ("id", Id),
            ("key_id", Id),
            ("bucket", Text),
            ("name", Text),
            ("created_at", Utc),
            ("oldest_at", Utc),
            ("records", Int),
            ("bytes", Int),
            ("written", Bool),
        ],
    },
    Table {
        name: "archive_removals",
        columns: &[
            ("id", Id),
            ("bucket", Text),
            ("name", Text),
            ("due_at", Utc),
            ("attempts", Int),
            ("erasure_id", Id),
        ],
    },
    Table { name: "erasures", columns: &[("id", Id), ("erased_at", Utc), ("stores", Text)] },
    Table {
        name: "attendance_people",
        columns: &[
            ("id", Text),
            ("uid", Id),
            ("user_id", Id),
            ("name", Text),
            ("enrolled_on", Day),
            ("registered_at", Utc),
            ("leaderboard", Bool),
            ("pin_hash", Text),
            ("sealed_key", Bytes),
            ("photo", Bytes),
            ("changed_in", Int),
        ],
    },
    Table {
        name: "attendance_encodings",
        columns: &[("id", Id), ("person", Text), ("sealed", Bytes), ("made_at", Utc)],
    },
    Table {
        name: "attendance_consents",
        columns: &[("id", Id), ("person", Text), ("version", Text), ("granted", Bool), ("at", Utc), ("taken_by", Id)],
    },
    Table {
        name: "attendance_records",
        columns: &[
            ("id", Id),
            ("person", Text),
            ("day", Day),
            ("at", Utc),
            ("status", Text),
            ("confidence", Int),
            ("liveness_verified", Bool),
            ("session_id", Id),
            ("source", Text),
        ],
    },
    Table {
        name: "attendance_corrections",
        columns: &[
            ("id", Id),
            ("person", Text),
            ("day", Day),
            ("record_id", Id),
            ("at", Utc),
            ("made_by", Id),
            ("status_before", Text),
            ("at_before", Utc),
            ("status_after", Text),
            ("at_after", Utc),
            ("reason", Text),
        ],
    },
    Table {
        name: "attendance_refusals",
        columns: &[("person", Text), ("day", Day), ("tries", Int), ("last_reason", Text), ("last_at", Utc)],
    },
    Table { name: "attendance_outages", columns: &[("day", Day), ("since", Utc), ("seen_at", Utc)] },
    Table { name: "attendance_months", columns: &[("person", Text), ("month", Int), ("days", Bytes)] },
];

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Selects one JSON object per row.
    pub(super) fn select(&self, postgres: bool) -> String {
        let pairs = self.columns.iter().map(|(name, kind)| match kind {
            Utc if postgres => format!("'{name}', (extract(epoch FROM {name}) * 1000)::bigint"),
            Bool if postgres => format!("'{name}', {name}::int"),
            Bytes if postgres => format!("'{name}', encode({name}, 'hex')"),
            Bytes => format!("'{name}', lower(hex({name}))"),
            _ => format!("'{name}', {name}"),
        });
        let object = if postgres { "json_build_object" } else { "json_object" };
        let cast = if postgres { "::text" } else { "" };
        format!("SELECT {object}({}){cast} AS row FROM {}", pairs.collect::<Vec<_>>().join(", "), self.name)
    }

    /// Inserts the rows of a JSON array, which is the only parameter.
    pub(super) fn insert(&self, postgres: bool) -> String {
        let mut sql = format!("INSERT INTO {} ({}) SELECT ", self.name, self.names());
        for (n, (name, kind)) in self.columns.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            let value = if postgres {
                let text = format!("r->>'{name}'");
                match kind {
                    Id => format!("({text})::uuid"),
                    Utc => format!("'epoch'::timestamptz + ({text})::bigint * INTERVAL '1 millisecond'"),
                    Day => format!("({text})::date"),
                    Text => text,
                    Int => format!("({text})::bigint"),
                    Real => format!("({text})::float8"),
                    Bool => format!("({text})::int::boolean"),
                    Bytes => format!("decode({text}, 'hex')"),
                }
            } else if *kind == Bytes {
                format!("unhex(value->>'$.{name}')")
            } else {
                format!("value->>'$.{name}'")
            };
            let _ = write!(sql, "{comma}{value}");
        }
        sql.push_str(if postgres { " FROM jsonb_array_elements($1::jsonb) AS r" } else { " FROM json_each($1)" });
        sql
    }
}
