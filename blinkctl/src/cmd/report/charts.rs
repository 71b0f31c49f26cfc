//! The charts: the rate with the coverage below it, and the hours of the week, in a given width.

use super::{
    figures::{Figures, Part, Unit, WEEKDAYS, hours, long, short},
    scene::{Anchor, HEAT_STEPS, Ink, Scene, Shape},
    text::shade,
};

const LEFT: f64 = 44.0;
const RATE_HEIGHT: f64 = 180.0;
const COVERAGE_HEIGHT: f64 = 52.0;
const LABEL: f64 = 11.0;
/// Below this width a number does not fit over a bar.
const NUMBERED: f64 = 25.0;

/// Rate and coverage with a bar for each day, week or month; without a rate there is no bar.
#[expect(clippy::cast_precision_loss, reason = "a few bars")]
pub(super) fn bars(figures: &Figures, width: f64) -> Scene {
    let (unit, bars) = (figures.unit(), figures.bars());
    let plot = width - LEFT - 4.0;
    let step = plot / bars.len().max(1) as f64;
    let thick = (step * 0.72).min(46.0);
    let (top, rate_base) = (18.0, 18.0 + RATE_HEIGHT);
    let (coverage_top, coverage_base) = (rate_base + 30.0, rate_base + 30.0 + COVERAGE_HEIGHT);
    let mut scene = Scene::new(width, coverage_base + 26.0);

    let most = round_up(bars.iter().filter_map(|bar| bar.sum.rate()).fold(0.0, f64::max).max(5.0));
    for part in 0..=4 {
        let value = most * f64::from(part) / 4.0;
        let y = rate_base - RATE_HEIGHT * f64::from(part) / 4.0;
        scene.shapes.push(Shape::Level { x: LEFT, y, w: plot, ink: Ink::Grid, dashed: false });
        scene.text(LEFT - 8.0, y, LABEL, Anchor::End, Ink::Faint, tick(value));
    }
    let covered = bars.iter().filter_map(|bar| bar.sum.coverage()).fold(0.0, f64::max);
    let full = [0.1, 0.25, 0.5, 1.0].into_iter().find(|full| covered <= *full).unwrap_or(1.0);
    for (y, value) in [(coverage_base, 0.0), (coverage_top, full)] {
        scene.shapes.push(Shape::Level { x: LEFT, y, w: plot, ink: Ink::Grid, dashed: false });
        scene.text(LEFT - 8.0, y, LABEL, Anchor::End, Ink::Faint, format!("{:.0} %", value * 100.0));
    }
    let wanted = if unit == Unit::Month { 62.0 } else { 46.0 };
    let every = (1..=bars.len()).find(|every| step * *every as f64 >= wanted).unwrap_or(bars.len().max(1));
    let mut numbers = Vec::new();
    for (n, bar) in bars.iter().enumerate() {
        let middle = LEFT + step * (n as f64 + 0.5);
        let title = told(*bar, unit);
        if let Some(rate) = bar.sum.rate() {
            let h = RATE_HEIGHT * rate / most;
            scene.shapes.push(column(middle, rate_base, thick, h, Ink::Rate, title.clone()));
            if thick >= NUMBERED && h >= 24.0 {
                numbers.push((middle, rate_base - 12.0, format!("{rate:.1}")));
            }
        }
        if let Some(coverage) = bar.sum.coverage() {
            let h = (COVERAGE_HEIGHT * coverage / full).max(1.0);
            scene.shapes.push(column(middle, coverage_base, thick, h, Ink::Coverage, title));
        }
        // Labels are counted from the end, so that the last bar, today's, has one.
        if (bars.len() - 1 - n) % every == 0 {
            let name = short(*bar, unit);
            // A last label wider than its bar ends at the plot's edge.
            let past_the_end = middle + wide(&name) / 2.0 > width;
            let (x, anchor) = if past_the_end { (width - 1.0, Anchor::End) } else { (middle, Anchor::Middle) };
            scene.text(x, coverage_base + 14.0, LABEL, anchor, Ink::Faint, name);
        }
    }
    if let Some(mean) = figures.total().rate() {
        let y = rate_base - RATE_HEIGHT * mean / most;
        scene.shapes.push(Shape::Level { x: LEFT, y, w: plot, ink: Ink::Mean, dashed: true });
    }
    // Numbers are at the foot of the bars, where the line of the mean does not cross them.
    for (x, y, text) in numbers {
        scene.text(x, y, LABEL, Anchor::Middle, Ink::OnRate, text);
    }
    scene.text(LEFT, top - 12.0, LABEL, Anchor::Start, Ink::Faint, "blinks per observed minute; dashed: the mean");
    scene.text(LEFT, coverage_top - 10.0, LABEL, Anchor::Start, Ink::Faint, "coverage");
    scene
}

/// The approximate width of a label.
#[expect(clippy::cast_precision_loss, reason = "a short text")]
fn wide(text: &str) -> f64 {
    text.chars().count() as f64 * LABEL * 0.6
}

fn column(middle: f64, base: f64, w: f64, h: f64, ink: Ink, title: String) -> Shape {
    let round = if h > 6.0 { 3.0 } else { 0.0 };
    Shape::Rect { x: middle - w / 2.0, y: base - h, w, h, ink, round, title: Some(title) }
}

fn told(bar: Part, unit: Unit) -> String {
    let rate = bar.sum.rate().map_or_else(|| "no rate".to_owned(), |rate| format!("{rate:.1} blinks/min"));
    let coverage = bar.sum.coverage().map_or_else(String::new, |share| format!(", coverage {:.0} %", share * 100.0));
    format!("{}: {rate}, {} observed{coverage}", long(bar, unit), hours(bar.sum.observed_ms))
}

/// A row for each day of the week and a cell for each hour; what was not observed is left blank.
#[expect(clippy::cast_precision_loss, reason = "24 hours and 7 days")]
pub(super) fn week(figures: &Figures, width: f64) -> Scene {
    let (top, row) = (20.0, 24.0);
    let cell = (width - LEFT - 4.0) / 24.0;
    let mut scene = Scene::new(width, top + row * 7.0 + 44.0);
    let every = if cell >= 20.0 { 1 } else { 3 };
    for hour in (0..24).step_by(every) {
        let x = LEFT + cell * (hour as f64 + 0.5);
        scene.text(x, top - 11.0, LABEL, Anchor::Middle, Ink::Faint, hour.to_string());
    }
    let ends = figures.hourly_rates();
    for (day, (name, sums)) in WEEKDAYS.iter().zip(&figures.week()).enumerate() {
        let y = top + row * day as f64;
        scene.text(LEFT - 10.0, y + row / 2.0, LABEL, Anchor::End, Ink::Faint, *name);
        scene.shapes.push(Shape::Level { x: LEFT, y: y + row, w: cell * 24.0, ink: Ink::Grid, dashed: false });
        for (hour, sum) in sums.iter().enumerate() {
            let (Some(rate), Some((least, greatest))) = (sum.rate(), ends) else { continue };
            let title = format!("{name} {hour}:00, {rate:.1} blinks/min, {} observed", hours(sum.observed_ms));
            scene.shapes.push(Shape::Rect {
                x: LEFT + cell * hour as f64 + 1.0,
                y: y + 1.5,
                w: cell - 2.0,
                h: row - 3.0,
                ink: Ink::Heat(shade(rate, least, greatest, HEAT_STEPS)),
                round: 3.0,
                title: Some(title),
            });
        }
    }
    if let Some((least, greatest)) = ends {
        key(&mut scene, top + row * 7.0 + 24.0, least, greatest);
    }
    scene
}

#[expect(clippy::cast_precision_loss, reason = "a few steps")]
fn key(scene: &mut Scene, y: f64, least: f64, greatest: f64) {
    let alike = greatest - least < 1.0;
    let mut x = LEFT;
    if !alike {
        scene.text(x, y, LABEL, Anchor::Start, Ink::Faint, format!("{least:.0}"));
        x += 22.0;
    }
    for step in if alike { HEAT_STEPS - 1..HEAT_STEPS } else { 0..HEAT_STEPS } {
        let at = x + 20.0 * (if alike { 0.0 } else { step as f64 });
        let ink = Ink::Heat(step);
        scene.shapes.push(Shape::Rect { x: at, y: y - 6.0, w: 18.0, h: 12.0, ink, round: 2.0, title: None });
    }
    x += 20.0 * (if alike { 1.0 } else { HEAT_STEPS as f64 }) + 8.0;
    let long = format!("{greatest:.0} blinks/min; blank: nothing observed");
    let text = if x + wide(&long) > scene.width { format!("{greatest:.0} blinks/min") } else { long };
    scene.text(x, y, LABEL, Anchor::Start, Ink::Faint, text);
}

/// The next multiple of four, or of eight above 20, so that the axis has four whole steps.
fn round_up(value: f64) -> f64 {
    let unit = if value <= 20.0 { 4.0 } else { 8.0 };
    (value / unit).ceil() * unit
}

fn tick(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::cmd::report::figures::tests::fortnight;

    #[rstest]
    #[case(760.0)]
    #[case(380.0)]
    fn every_shape_is_on_the_surface(#[case] width: f64) {
        for scene in [bars(&fortnight(), width), week(&fortnight(), width)] {
            for shape in &scene.shapes {
                let (left, right, upper, lower) = match shape {
                    Shape::Rect { x, y, w, h, .. } => (*x, x + w, *y, y + h),
                    Shape::Level { x, y, w, .. } => (*x, x + w, *y, *y),
                    Shape::Text { x, y, size, anchor, text, .. } => {
                        let (before, after) = match anchor {
                            Anchor::Start => (0.0, wide(text)),
                            Anchor::Middle => (wide(text) / 2.0, wide(text) / 2.0),
                            Anchor::End => (wide(text), 0.0),
                        };
                        (x - before, x + after, y - size / 2.0, y + size / 2.0)
                    }
                };
                assert!(left >= 0.0 && right <= scene.width && upper >= 0.0 && lower <= scene.height, "{shape:?}");
            }
        }
    }

    #[test]
    fn what_was_not_observed_has_no_shape() {
        let figures = fortnight();
        let count = |scene: &Scene, ink: fn(&Ink) -> bool| {
            let inks = scene
                .shapes
                .iter()
                .filter(|shape| matches!(shape, Shape::Rect { ink: i, title: Some(_), .. } if ink(i)));
            inks.count()
        };
        let observed = figures.days().iter().filter(|(_, sum)| sum.observed_ms > 0).count();
        assert!(observed < 14);
        assert_eq!(count(&bars(&figures, 760.0), |ink| *ink == Ink::Rate), observed);
        let cells = figures.week().iter().flatten().filter(|sum| sum.rate().is_some()).count();
        assert_eq!(count(&week(&figures, 760.0), |ink| matches!(ink, Ink::Heat(_))), cells);
    }

    #[rstest]
    #[case(5.0, 8.0)]
    #[case(16.1, 20.0)]
    #[case(23.0, 24.0)]
    fn axes_end_at_round_numbers(#[case] value: f64, #[case] end: f64) {
        assert_eq!(round_up(value), end);
    }
}
