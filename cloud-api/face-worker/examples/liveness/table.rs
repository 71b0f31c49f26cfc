//! Shares with their exact 95 % intervals (Clopper and Pearson 1934).

/// The 95 % interval of a share of `hits` in `n`.
pub(crate) fn interval(hits: usize, n: usize) -> [f64; 2] {
    if n == 0 {
        return [0.0, 1.0];
    }
    let low = if hits == 0 { 0.0 } else { solve(|p| 1.0 - at_most(hits - 1, n, p), 0.025) };
    let high = if hits == n { 1.0 } else { solve(|p| 1.0 - at_most(hits, n, p), 0.975) };
    [low, high]
}

/// Where a rising function reaches `value`.
fn solve(of: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if of(middle) < value { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The chance of at most `hits` in `n` at the share `p`.
fn at_most(hits: usize, n: usize, p: f64) -> f64 {
    let (mut sum, mut ln_choose) = (0.0, 0.0f64);
    for k in 0..=hits {
        if k > 0 {
            ln_choose += ((n + 1 - k) as f64).ln() - (k as f64).ln();
        }
        sum += (ln_choose + k as f64 * p.max(1e-300).ln() + (n - k) as f64 * (1.0 - p).max(1e-300).ln()).exp();
    }
    sum.min(1.0)
}

/// A share as the tables print it.
pub(crate) fn share(hits: usize, n: usize) -> String {
    let [low, high] = interval(hits, n).map(|part| 100.0 * part);
    let percent = if n == 0 { 0.0 } else { 100.0 * hits as f64 / n as f64 };
    format!("{hits}/{n} | {percent:.2} % | {low:.2} to {high:.2} %")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// As tables of the beta distribution have them.
    #[rstest]
    #[case(0, 10, [0.0, 30.85])]
    #[case(10, 10, [69.15, 100.0])]
    #[case(1, 20, [0.13, 24.87])]
    #[case(5, 89, [1.85, 12.63])]
    #[case(0, 258, [0.0, 1.42])]
    #[case(0, 9_751, [0.0, 0.04])]
    fn intervals_are_those_of_clopper_and_pearson(#[case] hits: usize, #[case] n: usize, #[case] percent: [f64; 2]) {
        let found = interval(hits, n).map(|part| 100.0 * part);
        assert!(found.iter().zip(&percent).all(|(found, known)| (found - known).abs() < 0.006), "{found:?}");
    }

    #[test]
    fn a_share_is_printed_with_its_interval() {
        assert_eq!(share(5, 89), "5/89 | 5.62 % | 1.85 to 12.63 %");
    }
}
