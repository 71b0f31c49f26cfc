//! The plot of `blinkd analyze --plot`: the EAR over time with blinks marked and unobserved time shaded.

use std::path::{Path, PathBuf};

use blink_proto::problem::code;
use blink_vision::{FaceSight, FrameReport};
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::{FontStyle, register_font},
};

use crate::{clip::Clip, exit::Failure};

const FONT: &str = "sans-serif";
const EAR: RGBColor = RGBColor(31, 78, 140);
const BASELINE: RGBColor = RGBColor(120, 120, 120);
const BLINK: RGBColor = RGBColor(230, 126, 34);
const UNOBSERVED: RGBColor = RGBColor(200, 200, 200);
/// In pixels: wide enough to see single seconds, and small enough for image viewers.
const WIDTH: (f64, f64) = (1_200.0, 6_000.0);
const PIXELS_PER_SECOND: f64 = 60.0;
const HEIGHT: u32 = 420;

#[derive(Clone, Copy, Debug)]
enum Format {
    Png,
    Svg,
}

/// The file to plot to, checked before any work is done.
#[derive(Debug)]
pub(super) struct Plot {
    path: PathBuf,
    format: Format,
}

impl Plot {
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        let format = match ending.as_deref().and_then(|ending| ending.to_str()) {
            Some("png") => Format::Png,
            Some("svg") => Format::Svg,
            _ => {
                let message = format!("--plot cannot tell the format of {}", path.display());
                return Err(Failure::usage(code::USAGE, message, "End the file's name in .png or .svg."));
            }
        };
        Ok(Self { path: path.to_owned(), format })
    }

    pub(super) fn draw(&self, reports: &[FrameReport], clip: &Clip) -> Result<(), Failure> {
        // Registering the same font again is harmless.
        let _ = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
        let width = (clip.duration().as_secs_f64() * PIXELS_PER_SECOND).clamp(WIDTH.0, WIDTH.1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
        let size = (width as u32, HEIGHT);
        let drawn = match self.format {
            Format::Png => paint(&BitMapBackend::new(&self.path, size).into_drawing_area(), reports, clip),
            Format::Svg => paint(&SVGBackend::new(&self.path, size).into_drawing_area(), reports, clip),
        };
        drawn.map_err(|why| {
            Failure::failed(
                code::UNWRITABLE,
                format!("{} cannot be drawn: {why}", self.path.display()),
                "Choose another place.",
            )
        })
    }
}

/// Draws on an area of any kind.
fn paint<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    reports: &[FrameReport],
    clip: &Clip,
) -> Result<(), String> {
    let told = |error: DrawingAreaErrorKind<DB::ErrorType>| error.to_string();
    let end_s = clip.duration().as_secs_f64().max(0.1);
    let top = reports.iter().filter_map(ear_of).fold(0.4, f64::max) * 1.08;
    area.fill(&WHITE).map_err(told)?;
    let title = format!("{} blinks, {:.1} of {end_s:.1} s observed", clip.blinks.len(), clip.observed.as_secs_f64());
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 20))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(0.0..end_s, 0.0..top)
        .map_err(told)?;
    let span = |from: f64, to: f64, style: ShapeStyle| Rectangle::new([(from, 0.0), (to, top)], style);
    let unseen = reports.windows(2).filter(|pair| pair[0].sight != FaceSight::Measurable);
    let unseen = unseen.map(|pair| {
        span(pair[0].timestamp.as_secs_f64(), pair[1].timestamp.as_secs_f64(), UNOBSERVED.mix(0.5).filled())
    });
    chart.draw_series(unseen).map_err(told)?;
    let blinks = clip.blinks.iter().map(|blink| (blink.start.as_secs_f64(), blink.end.as_secs_f64()));
    let marked = chart.draw_series(blinks.map(|(from, to)| span(from, to, BLINK.mix(0.35).filled()))).map_err(told)?;
    marked.label("blink").legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 18, y + 5)], BLINK.mix(0.35).filled()));
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .label_style((FONT, 14))
        .x_desc("seconds")
        .y_desc("eye aspect ratio")
        .draw()
        .map_err(told)?;
    draw_curves(&mut chart, reports).map_err(told)?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .label_font((FONT, 14))
        .draw()
        .map_err(told)?;
    area.present().map_err(told)
}

fn ear_of(report: &FrameReport) -> Option<f64> {
    report.reading.ear.map(|ear| f64::from(f32::midpoint(ear[0], ear[1])))
}

/// Draws the EAR and its baseline, with their entries in the key.
fn draw_curves<DB: DrawingBackend>(
    chart: &mut ChartContext<'_, DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    reports: &[FrameReport],
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let baseline = |report: &FrameReport| report.reading.baseline.map(|ear| f64::from(f32::midpoint(ear[0], ear[1])));
    for stretch in stretches(reports, baseline) {
        chart.draw_series(LineSeries::new(stretch, BASELINE.stroke_width(1)))?;
    }
    for stretch in stretches(reports, ear_of) {
        chart.draw_series(LineSeries::new(stretch, EAR.stroke_width(2)))?;
    }
    let key = |colour: RGBColor| {
        move |(x, y): (i32, i32)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2))
    };
    let nothing = || std::iter::empty::<(f64, f64)>();
    chart.draw_series(LineSeries::new(nothing(), EAR))?.label("EAR, mean of both eyes").legend(key(EAR));
    chart.draw_series(LineSeries::new(nothing(), BASELINE))?.label("open-eye baseline").legend(key(BASELINE));
    Ok(())
}

/// The spans in which `value` is known, as points.
fn stretches(reports: &[FrameReport], value: impl Fn(&FrameReport) -> Option<f64>) -> Vec<Vec<(f64, f64)>> {
    let points = reports.iter().map(|report| value(report).map(|value| (report.timestamp.as_secs_f64(), value)));
    let points: Vec<_> = points.collect();
    points
        .split(Option::is_none)
        .map(|stretch| stretch.iter().flatten().copied().collect::<Vec<_>>())
        .filter(|s| s.len() > 1)
        .collect()
}
