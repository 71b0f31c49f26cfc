//! Two custom SQL types, so that the same code serves both databases: an id (`uuid` | `TEXT`) and a UTC time in
//! milliseconds (`timestamptz` | `INTEGER`), with the Rust values [`Id`] and [`UtcMs`].
//!
//! [`UtcMs`] belongs to the domain, which knows no database, so diesel's traits are implemented for it here.

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
use uuid::Uuid;

use super::{
    conn::{MultiBackend, MultiRawValue},
    id::{Id, Kind},
};
use crate::domain::time::UtcMs;

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

impl AsExpression<Utc> for UtcMs {
    type Expression = Bound<Utc, Self>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl AsExpression<Nullable<Utc>> for UtcMs {
    type Expression = Bound<Nullable<Utc>, Self>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl<'expr> AsExpression<Utc> for &'expr UtcMs {
    type Expression = Bound<Utc, &'expr UtcMs>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl<'expr> AsExpression<Nullable<Utc>> for &'expr UtcMs {
    type Expression = Bound<Nullable<Utc>, &'expr UtcMs>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl<DB: Backend> ToSql<Nullable<Utc>, DB> for UtcMs
where
    Self: ToSql<Utc, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        ToSql::<Utc, DB>::to_sql(self, out)
    }
}

impl<ST: SingleValue, DB: Backend> Queryable<ST, DB> for UtcMs
where
    Self: FromSql<ST, DB>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

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
