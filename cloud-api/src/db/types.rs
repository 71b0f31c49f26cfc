//! Three custom SQL types, so that the same code serves both databases: an id (`uuid` | `TEXT`), a UTC time in
//! milliseconds (`timestamptz` | `INTEGER`) and a calendar day (`date` | `TEXT`), with the Rust values [`Id`], [`UtcMs`]
//! and [`Day`].
//!
//! [`UtcMs`] and [`Day`] belong to modules that know no database, so diesel's traits are implemented for them here.

use std::io::Write as _;

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, Queryable},
    expression::AsExpression,
    internal::derives::as_expression::Bound,
    pg::{Pg, PgValue},
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{BigInt, HasSqlType, Nullable, SingleValue, SqlType, Text},
    sqlite::Sqlite,
};
use jiff::{ToSpan as _, civil::Date};
use uuid::Uuid;

use super::{
    conn::{MultiBackend, MultiRawValue},
    id::{Id, Kind},
};
use crate::{attendance::record::Day, domain::time::UtcMs};

/// Milliseconds from 1970 to 2000, PostgreSQL's epoch.
const PG_EPOCH_MS: i64 = 946_684_800_000;

/// The earliest time of PostgreSQL's `timestamptz`: 4713-11-24 BC, midnight UTC (Julian day 0).
const PG_EARLIEST_MS: i64 = -210_866_803_200_000;

/// The SQL type of an id: `uuid` or `TEXT`.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Text"))]
pub struct SqlId;

/// The SQL type of a UTC time: `timestamptz` or `INTEGER`.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct Utc;

/// The SQL type of a calendar day: `date` or `TEXT`.
#[derive(Clone, Copy, Debug, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1082, array_oid = 1182))]
#[diesel(sqlite_type(name = "Text"))]
pub struct SqlDay;

/// The first day of PostgreSQL's calendar.
const PG_EPOCH: Date = jiff::civil::date(2000, 1, 1);

impl<K: Kind> ToSql<SqlId, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<K: Kind> FromSql<SqlId, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::new(Uuid::from_slice(value.as_bytes())?))
    }
}

impl<K: Kind> ToSql<SqlId, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

impl<K: Kind> FromSql<SqlId, Sqlite> for Id<K> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(<String as FromSql<Text, Sqlite>>::from_sql(value)?.parse()?)
    }
}

impl ToSql<Utc, Pg> for UtcMs {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // No data is older than 4713 BC, so a query from an earlier time may as well start there.
        let ms = self.0.max(PG_EARLIEST_MS) - PG_EPOCH_MS;
        let micros = ms.checked_mul(1_000).ok_or("time out of range")?;
        out.write_all(&micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Utc, Pg> for UtcMs {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        Ok(Self(micros.div_euclid(1_000).saturating_add(PG_EPOCH_MS)))
    }
}

impl ToSql<Utc, Sqlite> for UtcMs {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0);
        Ok(IsNull::No)
    }
}

impl FromSql<Utc, Sqlite> for UtcMs {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value).map(Self)
    }
}

impl ToSql<SqlDay, Pg> for Day {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let days = (self.0 - PG_EPOCH).get_days();
        out.write_all(&days.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<SqlDay, Pg> for Day {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let days = i32::from_be_bytes(value.as_bytes().try_into()?);
        Ok(Self(PG_EPOCH.checked_add(days.days())?))
    }
}

impl ToSql<SqlDay, Sqlite> for Day {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<SqlDay, Sqlite> for Day {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(<String as FromSql<Text, Sqlite>>::from_sql(value)?.parse()?)
    }
}

macro_rules! expressions {
    ($sql:ident, $rust:ty) => {
        impl AsExpression<$sql> for $rust {
            type Expression = Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl AsExpression<Nullable<$sql>> for $rust {
            type Expression = Bound<Nullable<$sql>, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<'expr> AsExpression<$sql> for &'expr $rust {
            type Expression = Bound<$sql, &'expr $rust>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<'expr> AsExpression<Nullable<$sql>> for &'expr $rust {
            type Expression = Bound<Nullable<$sql>, &'expr $rust>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }

        impl<DB: Backend> ToSql<Nullable<$sql>, DB> for $rust
        where
            Self: ToSql<$sql, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                ToSql::<$sql, DB>::to_sql(self, out)
            }
        }

        impl<ST: SingleValue, DB: Backend> Queryable<ST, DB> for $rust
        where
            Self: FromSql<ST, DB>,
        {
            type Row = Self;

            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}
expressions!(Utc, UtcMs);
expressions!(SqlDay, Day);

macro_rules! on_both_databases {
    ($sql:ident, $rust:ty $(, $kind:ident: $bound:ident)?) => {
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }

        impl$(<$kind: $bound>)? ToSql<$sql, MultiBackend> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($sql, self));
                Ok(IsNull::No)
            }
        }

        impl$(<$kind: $bound>)? FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, $sql>()
            }
        }
    };
}
on_both_databases!(SqlId, Id<K>, K: Kind);
on_both_databases!(Utc, UtcMs);
on_both_databases!(SqlDay, Day);
