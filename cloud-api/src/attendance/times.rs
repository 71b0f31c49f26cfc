//! The times of a recording's frames, as clients send them: a JSON list, a list with commas, or one field for each.

/// Reads the times, in milliseconds from any instant, and counts them from the first one.
///
/// # Errors
/// When they are no rising numbers.
pub fn parse(fields: &[String]) -> Result<Vec<u32>, String> {
    let mut times = Vec::new();
    for field in fields {
        let field = field.trim();
        let list = field.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(field);
        for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let time: f64 = text.parse().map_err(|_| "must be numbers of milliseconds".to_owned())?;
            if !time.is_finite() || time.abs() > 1e15 {
                return Err("must be numbers of milliseconds".to_owned());
            }
            times.push(time);
        }
    }
    if times.windows(2).any(|pair| pair[1] <= pair[0]) {
        return Err("must rise from frame to frame".to_owned());
    }
    let first = times.first().copied().unwrap_or(0.0);
    if times.last().is_some_and(|last| last - first > 600_000.0) {
        return Err("must span less than 10 minutes".to_owned());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 600,000")]
    let whole = |time: f64| (time - first).round() as u32;
    let times: Vec<u32> = times.into_iter().map(whole).collect();
    if times.windows(2).any(|pair| pair[1] <= pair[0]) {
        return Err("must be a millisecond apart at least".to_owned());
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["[0, 33.4, 66.7]"], Some(vec![0, 33, 67]))]
    #[case(&["0,33,66"], Some(vec![0, 33, 66]))]
    #[case(&["5", "38", "71"], Some(vec![0, 33, 66]))]
    #[case(&["1764381600000", "1764381600033"], Some(vec![0, 33]))]
    #[case(&["-10, 0, 10"], Some(vec![0, 10, 20]))]
    #[case(&[], Some(vec![]))]
    #[case(&["[0, NaN]"], None)]
    #[case(&["[0, 1e400]"], None)]
    #[case(&["0, 33, 33"], None)]
    #[case(&["0, 66, 33"], None)]
    #[case(&["0, 0.1"], None)]
    #[case(&["0, 600001"], None)]
    #[case(&["zero"], None)]
    #[case(&["[[0]]"], None)]
    fn times(#[case] fields: &[&str], #[case] expected: Option<Vec<u32>>) {
        let fields: Vec<String> = fields.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(parse(&fields).ok(), expected);
    }
}
