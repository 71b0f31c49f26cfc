//! The letter as text for the terminal, as Markdown, and as one self-contained HTML page for light and dark screens,
//! phones, paper and screen readers.

use std::fmt::Write as _;

use crate::letter::{Day, Letter, hours_of};

const STYLE: &str = include_str!("letter.css");

/// Said at the end of every letter.
const NOTE: &str = "Every rate is blinks over the time in which your eyes could be observed. Where nothing was observed it \
    is unknown, not zero. These are figures, and no diagnosis.";

/// Cells of the longest bar in the terminal.
const BAR: f64 = 24.0;

/// The title, such as `Your week, 2 to 8 March 2026`.
#[must_use]
pub fn title(letter: &Letter) -> String {
    let (from, to) = (letter.from, letter.to);
    let first = match (from.year() == to.year(), from.month() == to.month()) {
        (true, true) => from.strftime("%-d"),
        (true, false) => from.strftime("%-d %B"),
        (false, _) => from.strftime("%-d %B %Y"),
    };
    format!("Your week, {first} to {}", to.strftime("%-d %B %Y"))
}

/// Plain text, each paragraph a line.
#[must_use]
pub fn text(letter: &Letter) -> String {
    let mut text = format!("{} ({})\n\n{}\n", title(letter), letter.week, letter.text.join("\n"));
    if letter.total.observed_ms > 0 {
        text.push('\n');
        let most = most(letter);
        for day in &letter.days {
            let _ = writeln!(text, "{}", line(day, most).trim_end());
        }
    }
    let _ = write!(text, "\n{NOTE}\n");
    text
}

fn line(day: &Day, most: f64) -> String {
    let name = day.date.strftime("%a %e %b");
    if day.figure.observed_ms == 0 {
        return format!("{name}  -");
    }
    let bar = "█".repeat(cells(day, most));
    format!("{name}  {bar:<24} {:>5}  {:>11} observed", rate(day), hours_of(day.figure.observed_ms))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few cells")]
fn cells(day: &Day, most: f64) -> usize {
    day.figure.rate_per_minute.map_or(0, |rate| (BAR * rate / most).round().max(0.0) as usize)
}

fn most(letter: &Letter) -> f64 {
    letter.days.iter().filter_map(|day| day.figure.rate_per_minute).fold(1.0, f64::max)
}

fn rate(day: &Day) -> String {
    day.figure.rate_per_minute.map_or_else(String::new, |rate| format!("{rate:.1}"))
}

fn coverage(day: &Day) -> String {
    day.figure.coverage.map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share))
}

/// Markdown.
#[must_use]
pub fn markdown(letter: &Letter) -> String {
    let mut text = format!("# {}\n\n{}\n", title(letter), letter.text.join("\n\n"));
    if letter.total.observed_ms > 0 {
        text += "\n| Day | Blinks/min | Observed | Coverage |\n|:--|--:|--:|--:|\n";
        for day in &letter.days {
            let observed = observed(day);
            let name = day.date.strftime("%A, %-d %B");
            let _ = writeln!(text, "| {name} | {} | {observed} | {} |", rate(day), coverage(day));
        }
    }
    let _ = write!(text, "\n*{NOTE}*\n");
    text
}

fn observed(day: &Day) -> String {
    match day.figure.observed_ms {
        0 => "nothing".to_owned(),
        ms => hours_of(ms),
    }
}

/// An HTML page that needs no network. Its text is ours alone: figures, dates and fixed words.
#[must_use]
pub fn html(letter: &Letter) -> String {
    let title = title(letter);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>{title}</h1>\n<p>{}</p>\n</header>\n",
        letter.week
    );
    let (first, rest) = letter.text.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let _ = writeln!(html, "<section>\n<p class=\"first\">{}</p>", escaped(first));
    for sentence in rest {
        let _ = writeln!(html, "<p>{}</p>", escaped(sentence));
    }
    html += "</section>\n";
    if letter.total.observed_ms > 0 {
        html += &table(letter);
    }
    let _ = write!(html, "<footer>{NOTE}</footer>\n</main>\n</body>\n</html>\n");
    html
}

fn table(letter: &Letter) -> String {
    let most = most(letter);
    let mut html = "<section>\n<table>\n<caption>Blinks per observed minute, day by day</caption>\n\
        <thead><tr><th scope=\"col\">Day</th><th scope=\"col\"><span class=\"hidden\">Bar</span></th>\
        <th scope=\"col\">Blinks/min</th><th scope=\"col\">Observed</th><th scope=\"col\">Coverage</th></tr></thead>\n\
        <tbody>\n"
        .to_owned();
    for day in &letter.days {
        let name = format!("{}<span> {}</span>", day.date.strftime("%a"), day.date.strftime("%-d %b"));
        let bar = day.figure.rate_per_minute.map_or_else(String::new, |rate| {
            format!("<div class=\"bar\" style=\"width:{:.1}%\"></div>", 100.0 * rate / most)
        });
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{name}</th><td class=\"track\">{bar}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            rate(day),
            observed(day),
            coverage(day)
        );
    }
    html + "</tbody>\n</table>\n</section>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
