//! Tests of the matching.

use rstest::rstest;

use super::*;

fn spans(pairs: &[(i64, i64)]) -> Vec<Span> {
    pairs.iter().map(|&(start_frame, end_frame)| Span { start_frame, end_frame }).collect()
}

fn annotated(blinks: &[(i64, i64)], other: &[(i64, i64)]) -> Annotation {
    Annotation { blinks: spans(blinks), other: spans(other), frames: None }
}

/// Right, false, missed, undecided.
type Counts = (usize, usize, usize, usize);

#[rstest]
#[case::a_pair_counts_once(&[(10, 20), (11, 19), (50, 60)], &[(10, 20), (80, 90)], &[], (1, 2, 1, 0))]
#[case::what_the_edge_cuts_is_no_error(&[(0, 2), (95, 98)], &[(-3, 0)], &[], (0, 0, 0, 0))]
#[case::what_the_edge_cuts_may_be_right(&[(0, 5)], &[(-1, 5)], &[], (1, 0, 0, 0))]
#[case::too_little_overlap_is_no_match(&[(10, 19)], &[(18, 27)], &[], (0, 1, 1, 0))]
#[case::the_best_pair_comes_first(&[(10, 20), (12, 22)], &[(12, 22)], &[], (1, 1, 0, 0))]
#[case::undecided_is_neither_right_nor_false(&[(30, 40)], &[], &[(40, 60)], (0, 0, 0, 1))]
#[case::beside_it_is_false(&[(30, 39)], &[], &[(40, 60)], (0, 1, 0, 0))]
#[case::a_blink_in_undecided_frames_is_right(&[(30, 40)], &[(31, 41)], &[(30, 60)], (1, 0, 0, 0))]
#[case::undecided_frames_excuse_no_miss(&[], &[(31, 41)], &[(30, 60)], (0, 0, 1, 0))]
#[case::undecided_at_the_edge(&[(0, 5)], &[], &[(0, 10)], (0, 0, 0, 1))]
fn found_and_annotated_blinks_are_compared(
    #[case] found: &[(i64, i64)],
    #[case] blinks: &[(i64, i64)],
    #[case] other: &[(i64, i64)],
    #[case] counts: Counts,
) {
    let score = Score::new(&spans(found), &annotated(blinks, other), 100);
    assert_eq!((score.true_positives, score.false_positives, score.misses, score.undecided), counts);
}

#[test]
fn the_ratios_are_those_of_the_field() {
    let score = Score { true_positives: 6, false_positives: 2, misses: 4, undecided: 9 };
    assert!((score.precision() - 0.75).abs() < 1e-9 && (score.recall() - 0.6).abs() < 1e-9);
    assert!((score.f1() - 12.0 / 18.0).abs() < 1e-9);
    assert!(Score::default().f1().abs() < 1e-9);
}
