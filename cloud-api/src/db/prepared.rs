//! Fixed SQL that each PostgreSQL connection prepares once.

use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, deserialize,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::methods::LoadQuery,
    row::NamedRow,
};

/// A `sql_query` whose text never changes. Diesel takes any other for one of many and has it planned at every call.
///
/// `load` and `get_result` are prepared. `execute` is not: it hands on a reference, which answers for the `sql_query` inside;
/// [`Prepared::run`] takes its place.
pub(super) struct Prepared<Q>(pub(super) Q);

/// The row of a statement that returns none.
pub(super) struct NoRow;

impl QueryableByName<Pg> for NoRow {
    fn build<'a>(_: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        Ok(Self)
    }
}

impl<Q> Prepared<Q> {
    /// Runs a statement that returns no rows.
    pub(super) fn run(self, conn: &mut PgConnection) -> QueryResult<()>
    where
        Self: for<'a> LoadQuery<'a, PgConnection, NoRow>,
    {
        self.load::<NoRow>(conn).map(drop)
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();

    // The text and its types are the key of the statement.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, Conn> RunQueryDsl<Conn> for Prepared<Q> {}
