//! The report as one self-contained HTML page, for light and dark screens, phones, paper and screen readers.

use std::fmt::Write;

use blink_proto::text::capitalised;

use super::{
    charts,
    figures::{Figures, Sum, WEEKDAYS, grouped, hours, long},
    scene::escaped,
};

/// Widths of the charts in pixels, for desktops and for phones.
const WIDE: f64 = 760.0;
const NARROW: f64 = 360.0;

const STYLE: &str = include_str!("report.css");

pub(super) fn page(figures: &Figures) -> String {
    let (from, to) = (figures.period.first.strftime("%-d %B %Y"), figures.period.last.strftime("%-d %B %Y"));
    let zone = figures.now.time_zone().iana_name().unwrap_or("local time");
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Blinks, {from} to {to}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>Blinks</h1>\n<p>{from} to {to}</p>\n</header>\n"
    );
    html += &tiles(figures);
    if figures.total().observed_ms == 0 {
        html += "<p class=\"none\">Nothing was observed in these days.</p>\n";
    } else {
        html += &rates(figures);
        html += &week(figures);
    }
    if let Some(compared) = figures.compared() {
        let _ = write!(html, "<section>\n<h2>Compared</h2>\n<p>{}</p>\n</section>\n", escaped(&compared));
    }
    html += &notes(figures);
    let made = figures.now.strftime("%Y-%m-%d %H:%M");
    let _ = write!(
        html,
        "<footer>Made by blinkctl {} on {made}, {}. It holds figures only, and nothing in it leaves this file.</footer>\n\
         </main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(zone)
    );
    html
}

/// The most important figures.
fn tiles(figures: &Figures) -> String {
    let total = figures.total();
    let mut html = row(
        "tiles",
        &[
            (number(total.rate(), 1.0, 1, ""), "blinks per observed minute"),
            (grouped(total.blinks), "blinks counted"),
            (hours(total.observed_ms), "observed"),
            (number(total.coverage(), 100.0, 0, " %"), "coverage"),
        ],
    );
    if figures.mean_blink_ms().is_some() {
        html += &row(
            "tiles three",
            &[
                (number(figures.mean_blink_ms(), 1.0, 0, " ms"), "mean length of a blink"),
                (number(figures.incomplete_share(), 100.0, 0, " %"), "incomplete blinks (experimental)"),
                (number(figures.perclos(), 100.0, 1, " %"), "eyes closed (PERCLOS P80)"),
            ],
        );
    }
    html
}

fn row(class: &str, tiles: &[(String, &str)]) -> String {
    let mut html = format!("<dl class=\"{class}\">\n");
    for (value, name) in tiles {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html + "</dl>\n"
}

fn rates(figures: &Figures) -> String {
    let unit = figures.unit();
    let each = unit.name();
    let title = format!("Rate and coverage, each {each}");
    let total = figures.total();
    let description = format!(
        "{} bars. {} blinks per observed minute over all. The table below has every value.",
        figures.bars().len(),
        number(total.rate(), 1.0, 1, "")
    );
    let mut html = format!("<section>\n<h2>{title}</h2>\n<figure>\n");
    html += &charts::bars(figures, WIDE).svg("rate-wide", "wide", &title, &description);
    html += &charts::bars(figures, NARROW).svg("rate-narrow", "narrow", &title, &description);
    let _ = write!(
        html,
        "</figure>\n<details>\n<summary>As a table</summary>\n<div class=\"scroll\">\n<table>\n<caption>{title}</caption>\n\
         <thead><tr><th scope=\"col\">{}</th><th scope=\"col\">Blinks</th><th scope=\"col\">Observed</th>\
         <th scope=\"col\">Blinks/min</th><th scope=\"col\">Coverage</th></tr></thead>\n<tbody>\n",
        capitalised(each)
    );
    for bar in figures.bars() {
        let Sum { blinks, observed_ms, .. } = bar.sum;
        let (blinks, observed) = match observed_ms {
            0 => (String::new(), "nothing".to_owned()),
            ms => (grouped(blinks), hours(ms)),
        };
        let rate = bar.sum.rate().map_or_else(String::new, |rate| format!("{rate:.1}"));
        let coverage = bar.sum.coverage().map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{blinks}</td><td>{observed}</td><td>{rate}</td><td>{coverage}</td></tr>",
            long(bar, unit)
        );
    }
    html + "</tbody>\n</table>\n</div>\n</details>\n</section>\n"
}

fn week(figures: &Figures) -> String {
    let title = "Hours of the week";
    let description = figures.hourly_rates().map_or_else(String::new, |(least, greatest)| {
        format!("Shades from {least:.0} to {greatest:.0} blinks per minute. The table below has every value.")
    });
    let mut html = format!("<section>\n<h2>{title}</h2>\n<figure>\n");
    html += &charts::week(figures, WIDE).svg("week-wide", "wide", title, &description);
    html += &charts::week(figures, NARROW).svg("week-narrow", "narrow", title, &description);
    html += "</figure>\n<details>\n<summary>As a table</summary>\n<div class=\"scroll\">\n<table class=\"dense\">\n\
             <caption>Blinks per observed minute by hour of the week; empty: nothing observed</caption>\n\
             <thead><tr><th scope=\"col\">Hour</th>";
    for name in WEEKDAYS {
        let _ = write!(html, "<th scope=\"col\">{name}</th>");
    }
    html += "</tr></thead>\n<tbody>\n";
    for hour in 0..24 {
        let rates = figures.week().map(|day| day[hour].rate());
        if rates.iter().all(Option::is_none) {
            continue;
        }
        let _ = write!(html, "<tr><th scope=\"row\">{hour}:00</th>");
        for rate in rates {
            let rate = rate.map_or_else(String::new, |rate| format!("{rate:.1}"));
            let _ = write!(html, "<td>{rate}</td>");
        }
        html += "</tr>\n";
    }
    html + "</tbody>\n</table>\n</div>\n</details>\n</section>\n"
}

fn notes(figures: &Figures) -> String {
    let mut html = "<section class=\"notes\">\n<p>Every rate is blinks over the time in which the eyes could be observed. \
                    Coverage is that time over the hours in which tracking was on. Where nothing was observed there is a blank: \
                    it is unknown, not zero. The figures are no diagnosis.</p>\n"
        .to_owned();
    for remark in figures.remarks() {
        let _ = writeln!(html, "<p>{}</p>", escaped(&remark));
    }
    html + "</section>\n"
}

fn number(value: Option<f64>, times: f64, digits: usize, unit: &str) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.digits$}{unit}", value * times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::report::figures::tests::fortnight;

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = page(&fortnight());
        for outside in ["http://", "https://", "src=", "url(", "<script", "@import", "href="] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn charts_are_named_and_every_value_is_in_a_table() {
        let figures = fortnight();
        let page = page(&figures);
        assert_eq!(page.matches("role=\"img\"").count(), 4);
        for (_, sum) in figures.days().iter().filter(|(_, sum)| sum.observed_ms > 0) {
            assert!(page.contains(&format!("<td>{:.1}</td>", sum.rate().unwrap())));
        }
        assert!(page.contains("<td></td><td>nothing</td><td></td><td></td>"), "unobserved is blank, not zero");
        for tag in ["main", "section", "figure", "table", "tr", "details", "svg", "text", "dl"] {
            let (open, close) = (page.matches(&format!("<{tag}")).count(), page.matches(&format!("</{tag}>")).count());
            assert!(open >= close && close > 0, "{tag}");
        }
    }

    #[test]
    fn nothing_observed_is_said() {
        let now = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
        let page = page(&Figures::empty(&now, blink_figures::Period::ending(now.date(), 7)));
        assert!(page.contains("Nothing was observed") && !page.contains("<svg"));
    }
}
