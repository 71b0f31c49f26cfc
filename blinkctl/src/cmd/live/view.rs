//! Draws the model on a screen of any size: with less room, the less important parts are left out.

use blink_proto::{
    ipc::{Eye, Sight},
    status::Status,
};
use jiff::{Timestamp, Zoned};
use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};

use self::trace::Trace;
use super::model::Model;
use crate::{
    cmd::status::view as words,
    output::{Paint, Tone, plain},
};

mod trace;

const PLAIN: Paint = Paint { colour: false };

pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, now: &Zoned, colour: bool) {
    let palette = Palette { colour };
    let area = frame.area();
    let roomy = area.height >= 18 && area.width >= 64;
    let figures = figures(model, now, roomy, palette, area.width);
    let notice = notice(model);
    let notice_lines = match (&notice, area.height) {
        (None, _) | (_, 0..8) => 0,
        (Some((text, _)), 8..14) => lines_of(text, area.width).min(1),
        (Some((text, _)), _) => lines_of(text, area.width).min(3),
    };
    let figure_lines = u16::try_from(figures.len()).unwrap_or(1);
    let [head, alert, plot, below, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(notice_lines),
        Constraint::Fill(1),
        Constraint::Length(if area.height < 4 { 0 } else { figure_lines }),
        Constraint::Length(u16::from(area.height >= 3)),
    ])
    .areas(area);
    header(frame, head, model, now, palette);
    if let Some((text, tone)) = notice {
        let wrapped = Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: true });
        frame.render_widget(wrapped.style(palette.tone(tone)), alert);
    }
    Trace { model, now: now.timestamp(), palette }.draw(frame, plot);
    frame.render_widget(Paragraph::new(figures), below);
    footer(frame, foot, model, palette);
}

/// Chooses colours, or none.
#[derive(Clone, Copy)]
struct Palette {
    colour: bool,
}

impl Palette {
    fn coloured(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    fn faint(self) -> Style {
        if self.colour { Style::new().add_modifier(Modifier::DIM) } else { Style::new() }
    }

    fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.coloured(Color::Green),
            Tone::Calm => self.coloured(Color::Yellow),
            Tone::Bad => self.coloured(Color::Red),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => self.faint(),
        }
    }
}

/// The state, and the clock where there is room for it.
fn header(frame: &mut Frame<'_>, area: Rect, model: &Model, now: &Zoned, palette: Palette) {
    let (tone, word) = match (&model.gone, &model.status) {
        (Some(_), _) => (Tone::Bad, "blinkd is gone"),
        (None, Some(status)) => {
            let (tone, word, _) = words::state(status.state);
            (tone, word)
        }
        (None, None) => (Tone::Calm, "Connecting"),
    };
    let mut spans = vec![Span::styled(format!("● {word}"), palette.tone(tone).add_modifier(Modifier::BOLD))];
    if let Some(status) = &model.status {
        if area.width >= 44 {
            spans.push(Span::styled(format!("  {}", plain(&status.source)), palette.faint()));
        }
        if status.fps > 0.0 {
            spans.push(Span::styled(format!("  {:.1} fps", status.fps), palette.faint()));
        }
    }
    let aside = match (model.points.back().and_then(|point| point.sight), model.winked()) {
        (Some(Sight::Several), _) => "  several people",
        (Some(Sight::Turned), _) => "  eyes not measured",
        (_, Some(Eye::Left)) => "  left wink",
        (_, Some(Eye::Right)) => "  right wink",
        _ => "",
    };
    spans.push(Span::styled(aside, palette.tone(Tone::Calm)));
    let line = Line::from(spans);
    let clock = now.strftime("%H:%M:%S").to_string();
    let room = usize::from(area.width).saturating_sub(line.width());
    frame.render_widget(line, area);
    if room >= clock.len() + 2 {
        frame.render_widget(Line::styled(clock, palette.faint()).alignment(Alignment::Right), area);
    }
}

/// The current problem with its fix, else the hint.
fn notice(model: &Model) -> Option<(String, Tone)> {
    let hint = || model.status.as_ref().and_then(words::advice).map(|text| (text.to_owned(), Tone::Calm));
    trouble(model).map(|text| (text, Tone::Bad)).or_else(hint)
}

fn trouble(model: &Model) -> Option<String> {
    if let Some(notice) = model.noticed() {
        return Some(plain(notice));
    }
    if let Some(why) = &model.gone {
        return Some(format!("{}. It is looked for until it is back; start it with `blinkd run`.", plain(why)));
    }
    let status = model.status.as_ref()?;
    let problem = status.last_error.as_ref().or(status.queue.last_error.as_ref())?;
    Some(plain(&problem.to_string()))
}

/// About how many lines `text` needs at this width; wrapping at words may take a little more.
fn lines_of(text: &str, width: u16) -> u16 {
    let width = usize::from(width.max(8)) - 4;
    u16::try_from(text.chars().count().div_ceil(width)).unwrap_or(u16::MAX)
}

fn figures<'a>(model: &Model, now: &Zoned, roomy: bool, palette: Palette, width: u16) -> Vec<Line<'a>> {
    let Some(status) = &model.status else { return vec![Line::default()] };
    if roomy {
        return table(status, now, palette);
    }
    let rate = status.rate_per_minute.map_or_else(|| "no rate yet".to_owned(), |rate| format!("{rate:.1}/min"));
    let mut first = vec![Span::styled(rate, Style::new().bold())];
    let today = status.today.blink_count;
    first.push(Span::raw(format!("  {today} today")));
    if width < 40 {
        return vec![Line::from(first)];
    }
    if let Some(coverage) = status.coverage {
        first.push(Span::raw(format!("  coverage {:.0} %", coverage * 100.0)));
    }
    let cost = words::cost(&status.cost);
    vec![Line::from(first), Line::styled(format!("{cost}  {}", waiting(status)), palette.faint())]
}

fn table<'a>(status: &Status, now: &Zoned, palette: Palette) -> Vec<Line<'a>> {
    let row = |name: &str, value: Vec<Span<'a>>| {
        let mut spans = vec![Span::styled(format!("  {name:<9}"), palette.faint())];
        spans.extend(value);
        Line::from(spans)
    };
    let rate = match status.rate_per_minute {
        Some(rate) => vec![
            Span::styled(format!("{rate:.1} blinks/min"), Style::new().bold()),
            Span::styled(" over the last 5 minutes", palette.faint()),
        ],
        None => vec![Span::styled("none yet: under 10 s observed in the last 5 minutes", palette.faint())],
    };
    vec![
        Line::default(),
        row("Rate", rate),
        row("Today", vec![Span::raw(words::today(status))]),
        row("Session", vec![Span::raw(words::session(status, now))]),
        row("Account", vec![Span::raw(words::account(status))]),
        row("Queue", vec![Span::raw(words::queue(&status.queue, now, PLAIN).lines().next().unwrap_or("").to_owned())]),
        row("Cost", vec![Span::raw(words::cost(&status.cost))]),
        Line::default(),
    ]
}

fn waiting(status: &Status) -> String {
    match status.queue.pending {
        0 => "nothing waits".to_owned(),
        n => format!("{n} to send"),
    }
}

fn footer(frame: &mut Frame<'_>, area: Rect, model: &Model, palette: Palette) {
    let paused = model.status.as_ref().is_some_and(|status| status.state == blink_proto::status::State::Paused);
    let pause = if paused { " go on" } else { " pause" };
    let key = |key: &'static str| Span::styled(key, Style::new().bold());
    let keys = Line::from(vec![
        key("q"),
        Span::styled(" leave  ", palette.faint()),
        key("p"),
        Span::styled(pause, palette.faint()),
    ]);
    frame.render_widget(keys, area);
}

/// The text in the plot when there is nothing to draw.
fn resting(model: &Model, newest: Option<Timestamp>) -> Option<String> {
    if model.gone.is_some() {
        return Some("waiting for blinkd".to_owned());
    }
    let status = model.status.as_ref()?;
    if newest.is_some() {
        return None;
    }
    let (_, word, hint) = words::state(status.state);
    Some(if hint.is_empty() { word.to_owned() } else { hint.to_owned() })
}

#[cfg(test)]
mod tests;
