//! Charts for the terminal.

use std::fmt::Write;

use super::figures::{Figures, WEEKDAYS, grouped, hours, long};
use crate::output::{Paint, Tone, wrapped};

/// Bars in eighths of a character cell.
const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const SHADES: [&str; 4] = ["░", "▒", "▓", "█"];
const NARROWEST: usize = 40;
const WIDEST: usize = 110;

/// The whole report, up to `columns` wide.
pub(super) fn page(figures: &Figures, columns: u16, paint: Paint) -> String {
    let width = usize::from(columns).clamp(NARROWEST, WIDEST);
    let mut page = head(figures, paint);
    if figures.total().observed_ms == 0 {
        page += "\nNothing was observed in these days.\n`blinkctl status` says what blinkd does, `blinkctl doctor` what is wrong.\n";
    } else {
        page += &bars(figures, width, paint);
        page += &week(figures, width, paint);
        page += &total(figures, paint);
    }
    for (n, remark) in figures.remarks().iter().enumerate() {
        let gap = if n == 0 { "\n" } else { "" };
        let _ = writeln!(page, "{gap}{}", paint.with(Tone::Calm, wrapped(remark, columns).trim_end()));
    }
    page
}

fn head(figures: &Figures, paint: Paint) -> String {
    let (from, to) = (figures.period.first, figures.period.last);
    let title = paint.with(Tone::Strong, "Blinks per observed minute");
    if from == to { format!("{title}, {to}\n") } else { format!("{title}, {from} to {to}\n") }
}

/// A line for each day, week or month; without a rate there is no bar.
fn bars(figures: &Figures, width: usize, paint: Paint) -> String {
    let (unit, bars) = (figures.unit(), figures.bars());
    let names: Vec<_> = bars.iter().map(|bar| long(*bar, unit)).collect();
    let name_width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    // The room that is left by name, rate, observed time and coverage.
    let room = width.saturating_sub(name_width + 2 + 6 + 2 + 12 + 2 + 4 + 2).max(4);
    let most = bars.iter().filter_map(|bar| bar.sum.rate()).fold(0.0, f64::max).max(1.0);
    let mut text = String::new();
    for (name, bar) in names.iter().zip(&bars) {
        let name = paint.with(Tone::Faint, &format!("{name:>name_width$}"));
        let _ = match (bar.sum.rate(), bar.sum.coverage()) {
            (Some(rate), Some(coverage)) => {
                let (drawn, blank) = strip(rate / most, room);
                let drawn = paint.with(Tone::Good, &drawn);
                let share = format!("{:>3.0} %", coverage * 100.0);
                let observed = paint.with(Tone::Faint, &format!("{:>12}  {share}", hours(bar.sum.observed_ms)));
                writeln!(text, "{name}  {drawn}{blank} {rate:>5.1}  {observed}")
            }
            (None, Some(_)) => {
                let observed = format!("{:>12}  too little for a rate", hours(bar.sum.observed_ms));
                writeln!(text, "{name}  {}", paint.with(Tone::Faint, observed.trim_start()))
            }
            _ => writeln!(text, "{}", name.trim_end()),
        };
    }
    let columns = format!("{:>1$}", "rate    observed  cover", name_width + 2 + room + 6 + 2 + 12 + 2 + 5);
    format!("{}\n{text}", paint.with(Tone::Faint, &columns))
}

/// A bar in eighths of a cell, and the blanks after it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a width")]
fn strip(share: f64, room: usize) -> (String, String) {
    let eighths = ((share.clamp(0.0, 1.0) * room as f64 * 8.0).round() as usize).min(room * 8);
    let drawn = "█".repeat(eighths / 8) + PARTS[eighths % 8];
    let blank = " ".repeat(room - eighths.div_ceil(8));
    (drawn, blank)
}

/// The hours of the week as shades; blank where nothing was observed.
fn week(figures: &Figures, width: usize, paint: Paint) -> String {
    let Some((least, greatest)) = figures.hourly_rates() else { return String::new() };
    let wide = if width >= 5 + 24 * 2 { 2 } else { 1 };
    let axis: String = (0..24).step_by(3).map(|hour| format!("{hour:<0$}", 3 * wide)).collect();
    let title = paint.with(Tone::Strong, "Hours of the week");
    let mut text = format!("\n{title}\n     {}\n", paint.with(Tone::Faint, axis.trim_end()));
    for (name, hours) in WEEKDAYS.iter().zip(&figures.week()) {
        let cells: String = hours
            .iter()
            .map(|sum| sum.rate().map_or(" ", |rate| SHADES[shade(rate, least, greatest, SHADES.len())]).repeat(wide))
            .collect();
        let line = format!("{}  {}", paint.with(Tone::Faint, name), paint.with(Tone::Good, cells.trim_end()));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    #[expect(clippy::cast_precision_loss, reason = "four steps")]
    let from = |step: usize| least + (greatest - least) * step as f64 / SHADES.len() as f64;
    let steps = SHADES.iter().enumerate().map(|(step, shade)| format!("{shade} from {:.0}", from(step)));
    let key = if greatest - least < 1.0 {
        format!("█ {greatest:.1} blinks/min; blank: nothing observed")
    } else {
        format!("{} blinks/min; blank: nothing observed", steps.collect::<Vec<_>>().join("  "))
    };
    text + &paint.with(Tone::Faint, &key) + "\n"
}

/// The index of the shade, out of `steps`, for a rate between the two ends.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few steps")]
pub(super) fn shade(rate: f64, least: f64, greatest: f64, steps: usize) -> usize {
    let span = greatest - least;
    // If rates hardly differ, all have the same shade.
    let place = if span < 1.0 { 1.0 } else { (rate - least) / span };
    ((place * steps as f64) as usize).min(steps - 1)
}

fn total(figures: &Figures, paint: Paint) -> String {
    let total = figures.total();
    let rate = total.rate().map_or_else(|| "no rate".to_owned(), |rate| format!("{rate:.1} blinks/min"));
    let coverage = total.coverage().map_or_else(String::new, |share| format!(", coverage {:.0} %", share * 100.0));
    let mut text = format!(
        "\n{}: {} blinks in {} observed{coverage}\n",
        paint.with(Tone::Strong, &rate),
        grouped(total.blinks),
        hours(total.observed_ms)
    );
    let mut more = Vec::new();
    more.extend(figures.mean_blink_ms().map(|ms| format!("A blink lasts {ms:.0} ms on average.")));
    more.extend(
        figures
            .incomplete_share()
            .map(|share| format!("{:.0} % of blinks are incomplete (experimental).", share * 100.0)),
    );
    more.extend(
        figures.perclos().map(|share| format!("The eyes are closed {:.1} % of the time (PERCLOS P80).", share * 100.0)),
    );
    for line in more {
        let _ = writeln!(text, "{}", paint.with(Tone::Faint, &line));
    }
    let coverage = "Coverage is observed time over the hours in which tracking was on.";
    text += &paint.with(Tone::Faint, coverage);
    text.push('\n');
    if let Some(compared) = figures.compared() {
        let _ = writeln!(text, "\n{compared}");
    }
    text
}

#[cfg(test)]
mod tests {
    use blink_figures::Period;
    use jiff::Zoned;
    use rstest::rstest;

    use super::*;
    use crate::cmd::report::figures::tests::fortnight;

    const PLAIN: Paint = Paint { colour: false };

    #[rstest]
    #[case(100)]
    #[case(80)]
    #[case(40)]
    fn a_fortnight(#[case] columns: u16) {
        insta::assert_snapshot!(format!("fortnight_{columns}"), page(&fortnight(), columns, PLAIN));
    }

    #[test]
    fn colours_change_no_word() {
        let coloured = page(&fortnight(), 80, Paint { colour: true });
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), page(&fortnight(), 80, PLAIN));
    }

    #[test]
    fn nothing_observed_is_said() {
        let now: Zoned = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
        insta::assert_snapshot!(page(&Figures::empty(&now, Period::ending(now.date(), 7)), 80, PLAIN));
    }

    #[rstest]
    #[case(0.0, 8, "", 8)]
    #[case(1.0, 4, "████", 0)]
    #[case(0.5, 3, "█▌", 1)]
    #[case(7.0, 2, "██", 0)]
    fn strips_are_as_long_as_their_share(
        #[case] share: f64,
        #[case] room: usize,
        #[case] drawn: &str,
        #[case] blank: usize,
    ) {
        assert_eq!(strip(share, room), (drawn.to_owned(), " ".repeat(blank)));
    }

    #[rstest]
    #[case(10.0, 0)]
    #[case(14.9, 1)]
    #[case(20.0, 3)]
    fn shades_divide_the_span(#[case] rate: f64, #[case] step: usize) {
        assert_eq!(shade(rate, 10.0, 20.0, 4), step);
        assert_eq!(shade(rate, rate, rate + 0.5, 4), 3);
    }
}
