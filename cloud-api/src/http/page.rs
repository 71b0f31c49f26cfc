//! Pages of a list. One item more than a page is read, to know whether another page follows.

use std::collections::BTreeMap;

use crate::error::ApiError;

pub(crate) const DEFAULT_LIMIT: usize = 100;
pub(crate) const MAX_LIMIT: usize = 1_000;

/// What a wrong `limit` and a wrong `cursor` are told.
pub(crate) const LIMIT_RULE: &str = "must be a number from 1 to 1000";
pub(crate) const CURSOR_RULE: &str = "must be the next_cursor of an earlier answer";

/// The parameter `limit`, the number of items in a page.
pub(crate) fn limit(text: &str) -> Option<usize> {
    text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
}

/// The limit of a query, which may be absent.
pub(crate) fn limit_of(query: &BTreeMap<String, String>) -> Result<usize, ApiError> {
    let Some(text) = query.get("limit") else { return Ok(DEFAULT_LIMIT) };
    limit(text).ok_or_else(|| ApiError::invalid_field("limit", LIMIT_RULE))
}

/// The number of items to read for a page.
pub(crate) fn to_read(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

/// Cuts what was read to a page. Returns its last item if another page follows.
pub(crate) fn cut<T>(items: &mut Vec<T>, limit: usize) -> Option<&T> {
    let more = items.len() > limit;
    items.truncate(limit);
    items.last().filter(|_| more)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1", Some(1))]
    #[case("1000", Some(1_000))]
    #[case("0", None)]
    #[case("1001", None)]
    #[case("-1", None)]
    #[case("many", None)]
    fn limits(#[case] text: &str, #[case] expected: Option<usize>) {
        assert_eq!(limit(text), expected);
    }

    #[test]
    fn a_page_is_followed_by_another_if_more_was_read() {
        let mut items = vec![1, 2, 3];
        assert_eq!(cut(&mut items, 2), Some(&2));
        assert_eq!(items, [1, 2]);
        assert_eq!(cut(&mut items, 2), None);
        assert_eq!(cut(&mut Vec::<u8>::new(), 2), None);
    }
}
