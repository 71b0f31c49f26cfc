//! The plot of the EAR over time, with the person's baseline and the counted blinks.

use blink_proto::ipc::LivePoint;
use jiff::Timestamp;
use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::Color,
    symbols::Marker,
    text::Line,
    widgets::{
        Clear, Paragraph, Wrap,
        canvas::{Canvas, Context, Line as Stroke, Points},
    },
};

use super::{Palette, resting};
use crate::cmd::live::model::{GAP, Model, WINDOW};

const EAR: Color = Color::Cyan;
const BASELINE: Color = Color::DarkGray;
const BLINK: Color = Color::Yellow;

/// The plot, with axes where there is room.
pub(super) struct Trace<'a> {
    pub(super) model: &'a Model,
    pub(super) now: Timestamp,
    pub(super) palette: Palette,
}

impl Trace<'_> {
    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect) {
        if area.is_empty() {
            return;
        }
        let top = self.top();
        let gutter = if area.width >= 32 && area.height >= 3 { 6 } else { 0 };
        let (titled, axis) = (u16::from(area.height >= 8), u16::from(area.height >= 5));
        let [title, plot, below] =
            Layout::vertical([Constraint::Length(titled), Constraint::Fill(1), Constraint::Length(axis)]).areas(area);
        let [labels, plot] = Layout::horizontal([Constraint::Length(gutter), Constraint::Fill(1)]).areas(plot);
        let [_, below] = Layout::horizontal([Constraint::Length(gutter), Constraint::Fill(1)]).areas(below);
        frame.render_widget(self.title(area.width), title);
        self.left(frame, labels, top);
        self.canvas(frame, plot, top);
        self.axis(frame, below);
        if let Some(text) = resting(self.model, self.model.points.back().map(|point| point.at)) {
            Self::middle(frame, plot, &text);
        }
    }

    fn title(&self, width: u16) -> Line<'static> {
        let text =
            if width >= 64 { "Eye aspect ratio ─ baseline ┄ blinks ▼" } else { "Eye aspect ratio, blinks ▼" };
        Line::styled(text, self.palette.faint())
    }

    /// The upper end of the axis, rounded up so that it stays put while the values vary a little.
    fn top(&self) -> f64 {
        let values = self.model.points.iter().flat_map(|point| [point.ear, point.baseline]).flatten();
        let highest = values.filter(|value| value.is_finite()).fold(0.3, f64::max).min(2.0);
        (highest * 1.1 * 10.0).ceil() / 10.0
    }

    /// Seconds before the right edge, as a negative number.
    fn x(&self, at: Timestamp) -> f64 {
        at.duration_since(self.model.edge(self.now)).as_secs_f64()
    }

    fn canvas(&self, frame: &mut Frame<'_>, area: Rect, top: f64) {
        let colour = |colour| if self.palette.colour { colour } else { Color::Reset };
        let canvas = Canvas::default()
            .marker(Marker::Braille)
            .x_bounds([-WINDOW.as_secs_f64(), 0.0])
            .y_bounds([0.0, top])
            .paint(|context| {
                for blink in &self.model.blinks {
                    let x = self.x(blink.at) - blink.duration_ms.clamp(0.0, 2_000.0) / 2_000.0;
                    let steps: Vec<_> = (0..24).map(|step| (x, top * f64::from(step) / 24.0)).collect();
                    context.draw(&Points { coords: &steps, color: colour(BLINK) });
                }
                context.layer();
                self.stroke(context, colour(BASELINE), |point| point.baseline);
                context.layer();
                self.stroke(context, colour(EAR), |point| point.ear);
                for blink in &self.model.blinks {
                    let x = self.x(blink.at) - blink.duration_ms.clamp(0.0, 2_000.0) / 2_000.0;
                    if x > -WINDOW.as_secs_f64() {
                        context.print(x, top, Line::styled("▼", self.palette.coloured(BLINK)));
                    }
                }
            });
        frame.render_widget(canvas, area);
    }

    /// Draws a line through the measured values, with gaps where nothing was measured.
    fn stroke(&self, context: &mut Context<'_>, colour: Color, value: impl Fn(&LivePoint) -> Option<f64>) {
        let mut before: Option<(Timestamp, f64)> = None;
        for point in &self.model.points {
            let now = value(point).filter(|value| value.is_finite()).map(|value| (point.at, value));
            if let (Some((from, from_value)), Some((to, to_value))) = (before, now)
                && to.duration_since(from) <= GAP
            {
                context.draw(&Stroke::new(self.x(from), from_value, self.x(to), to_value, colour));
            }
            before = now;
        }
    }

    fn left(&self, frame: &mut Frame<'_>, area: Rect, top: f64) {
        if area.width == 0 {
            return;
        }
        let mut lines = vec![Line::default(); usize::from(area.height)];
        let last = lines.len().saturating_sub(1);
        let mut label = |row: usize, value: f64| {
            if let Some(line) = lines.get_mut(row) {
                *line = Line::styled(format!("{value:>4.2} "), self.palette.faint());
            }
        };
        label(0, top);
        if last >= 4 {
            label(last / 2, top / 2.0);
        }
        label(last, 0.0);
        frame.render_widget(Paragraph::new(lines), area);
    }

    fn axis(&self, frame: &mut Frame<'_>, area: Rect) {
        let label = |text: &'static str, side| Line::styled(text, self.palette.faint()).alignment(side);
        frame.render_widget(label("30 s ago", Alignment::Left), area);
        if area.width >= 40 {
            frame.render_widget(label("15 s", Alignment::Center), area);
        }
        frame.render_widget(label("now", Alignment::Right), area);
    }

    fn middle(frame: &mut Frame<'_>, area: Rect, text: &str) {
        let longest = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
        let width = longest.saturating_add(2).min(area.width).max(1);
        let lines = longest.div_ceil(width.saturating_sub(2).max(1)).min(area.height);
        let middle = area.centered(Constraint::Length(width), Constraint::Length(lines));
        frame.render_widget(Clear, middle);
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).centered(), middle);
    }
}
