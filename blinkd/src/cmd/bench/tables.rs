//! The results of many clips as tables of text.

use blink_vision::score::DRAWS;

use super::set::{SetOutput, SumOutput};

/// Longer names are cut, so that a row stays a row.
const LONGEST_NAME: usize = 48;

impl SetOutput {
    pub(super) fn for_people(&self) -> String {
        let mut parts = vec![self.clip_table()];
        for (field, groups) in &self.groups {
            let rows = groups.iter().map(|group| sum_row(&group.name, &group.sum)).collect();
            parts.push(table(&format!("by {field}, worst first"), &SUM_COLUMNS, rows));
        }
        parts.push(table("all", &SUM_COLUMNS, vec![sum_row("", &self.total)]));
        parts.push(self.notes().join("\n"));
        parts.join("\n\n")
    }

    fn clip_table(&self) -> String {
        let rows = self.clips.iter().map(|clip| {
            let counts = [clip.annotated, clip.found, clip.true_positives, clip.false_positives, clip.misses];
            let mut row = vec![clip.file.clone()];
            row.extend(counts.map(|count| count.to_string()));
            row.push(per_cent(clip.observed_share));
            row
        });
        table("clip", &["truth", "found", "right", "false", "missed", "observed"], rows.collect())
    }

    fn notes(&self) -> Vec<String> {
        let [low, high] = self.f1_95;
        let mut notes = vec![format!(
            "F1 {:.3}, 95 % interval {low:.3} to {high:.3} ({DRAWS} resamplings of whole recordings)",
            self.total.f1
        )];
        if self.undecided > 0 {
            let blinks = if self.undecided == 1 { "blink lies" } else { "blinks lie" };
            notes.push(format!("{} more found {blinks} where the annotation is undecided", self.undecided));
        }
        for clip in &self.must_be_unobserved {
            let (found, observed) = (clip.found, per_cent(clip.observed_share));
            notes.push(format!("{} must be unobserved: {found} blinks found, {observed} observed", clip.file));
        }
        notes.push(format!("criterion: {}", self.criterion));
        notes
    }
}

const SUM_COLUMNS: [&str; 10] =
    ["clips", "truth", "right", "false", "missed", "precision", "recall", "F1", "count error", "observed"];

fn sum_row(name: &str, sum: &SumOutput) -> Vec<String> {
    let counts = [sum.recordings, sum.annotated, sum.true_positives, sum.false_positives, sum.misses];
    let mut row = vec![name.to_owned()];
    row.extend(counts.map(|count| count.to_string()));
    row.extend([sum.precision, sum.recall, sum.f1].map(|ratio| format!("{ratio:.3}")));
    row.push(format!("{:.1} %", 100.0 * sum.count_error));
    row.push(per_cent(sum.observed_share));
    row
}

fn per_cent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A table with names on the left and figures on the right of their columns.
fn table(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let header = std::iter::once(title).chain(columns.iter().copied()).map(str::to_owned).collect();
    let lines: Vec<Vec<String>> = std::iter::once(header).chain(rows).map(shortened).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=columns.len()).map(width).collect();
    let text = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).enumerate();
        let cells =
            cells.map(|(i, (cell, &width))| if i == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        cells.collect::<Vec<_>>().join("  ")
    });
    text.collect::<Vec<_>>().join("\n")
}

fn shortened(mut row: Vec<String>) -> Vec<String> {
    if let Some(name) = row.first_mut().filter(|name| name.chars().count() > LONGEST_NAME) {
        *name = name.chars().take(LONGEST_NAME - 1).chain(['…']).collect();
    }
    row
}
