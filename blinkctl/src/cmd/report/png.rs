//! The report as a PNG image, in light colours and at twice the size, so that it is sharp on every screen.

use plotters::{
    coord::Shift,
    prelude::*,
    style::{
        FontStyle, register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{
    charts,
    figures::{Figures, grouped, hours},
    scene::{Anchor, Ink, Scene, Shape},
};
use crate::{exit::Failure, output::wrapped};

const FONT: &str = "sans-serif";
const SCALE: f64 = 2.0;
const WIDTH: f64 = 820.0;
const MARGIN: f64 = 30.0;
/// The characters of a line of running text between the margins.
const LINE: u16 = 108;

pub(super) fn draw(figures: &Figures) -> Result<Vec<u8>, Failure> {
    encode(&scene(figures)).map_err(|why| {
        Failure::failed(
            "drawing",
            format!("The picture could not be drawn: {why}"),
            "Try `blinkctl report --html` instead.",
        )
    })
}

fn scene(figures: &Figures) -> Scene {
    let mut scene = Scene::new(WIDTH, 0.0);
    let (from, to) = (figures.period.first.strftime("%-d %B %Y"), figures.period.last.strftime("%-d %B %Y"));
    scene.bold(MARGIN, 38.0, 24.0, "Blinks");
    scene.text(WIDTH - MARGIN, 40.0, 13.0, Anchor::End, Ink::Faint, format!("{from} to {to}"));
    let total = figures.total();
    let none = || "–".to_owned();
    let tiles = [
        (total.rate().map_or_else(none, |rate| format!("{rate:.1}")), "blinks per observed minute"),
        (grouped(total.blinks), "blinks counted"),
        (hours(total.observed_ms), "observed"),
        (total.coverage().map_or_else(none, |share| format!("{:.0} %", share * 100.0)), "coverage"),
    ];
    for (x, (value, name)) in [MARGIN, 250.0, 430.0, 620.0].into_iter().zip(tiles) {
        scene.bold(x, 92.0, 30.0, value);
        scene.text(x, 120.0, 13.0, Anchor::Start, Ink::Faint, name);
    }
    let inner = WIDTH - 2.0 * MARGIN;
    scene.place(charts::bars(figures, inner), MARGIN, 160.0);
    let below = scene.height + 34.0;
    scene.bold(MARGIN, below, 17.0, "Hours of the week");
    scene.place(charts::week(figures, inner), MARGIN, below + 22.0);
    for paragraph in figures.compared().into_iter().chain(figures.remarks()) {
        scene.height += 14.0;
        for line in wrapped(&paragraph, LINE).lines() {
            scene.height += 20.0;
            scene.text(MARGIN, scene.height, 13.0, Anchor::Start, Ink::Text, line);
        }
    }
    scene.height += 16.0;
    scene
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a page")]
fn encode(scene: &Scene) -> Result<Vec<u8>, String> {
    // Registering the same font again is harmless.
    let _ = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    let size = ((scene.width * SCALE) as u32, (scene.height * SCALE) as u32);
    let mut pixels = vec![0; size.0 as usize * size.1 as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
        area.fill(&WHITE).map_err(|error| error.to_string())?;
        for shape in &scene.shapes {
            paint(&area, shape).map_err(|error| error.to_string())?;
        }
        area.present().map_err(|error| error.to_string())?;
    }
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    image::ImageEncoder::write_image(encoder, &pixels, size.0, size.1, image::ColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn paint<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    shape: &Shape,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    match shape {
        Shape::Rect { x, y, w, h, ink, round, .. } => {
            let style = colour(*ink).filled();
            let (left, top, right, bottom) = (at(*x), at(*y), at(x + w), at(y + h));
            let r = at(*round).min((right - left) / 2).min((bottom - top) / 2);
            if r <= 0 {
                return area.draw(&Rectangle::new([(left, top), (right, bottom)], style));
            }
            // A rectangle with round corners is a cross of two rectangles and a disc in each corner.
            area.draw(&Rectangle::new([(left + r, top), (right - r, bottom)], style))?;
            area.draw(&Rectangle::new([(left, top + r), (right, bottom - r)], style))?;
            // A rectangle excludes its far edges, but a disc includes them.
            let (far, low) = (right - r - 1, bottom - r - 1);
            let corners = [(left + r, top + r), (far, top + r), (left + r, low), (far, low)];
            corners.into_iter().try_for_each(|corner| area.draw(&Circle::new(corner, r, style)))
        }
        Shape::Level { x, y, w, ink, dashed } => {
            let style = colour(*ink).stroke_width(if *dashed { 3 } else { 1 });
            let (mut from, to) = (*x, x + w);
            if !dashed {
                return area.draw(&PathElement::new(vec![(at(from), at(*y)), (at(to), at(*y))], style));
            }
            while from < to {
                let end = (from + 6.0).min(to);
                area.draw(&PathElement::new(vec![(at(from), at(*y)), (at(end), at(*y))], style))?;
                from += 11.0;
            }
            Ok(())
        }
        Shape::Text { x, y, size, anchor, ink, text, .. } => {
            let side = match anchor {
                Anchor::Start => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::End => HPos::Right,
            };
            let colour = colour(*ink);
            let style = TextStyle::from((FONT, size * SCALE * 1.15).into_font())
                .color(&colour)
                .pos(Pos::new(side, VPos::Center));
            // The text is centred on the line; the letters' own middle is a little lower.
            area.draw(&Text::new(text.as_str(), (at(*x), at(y + size * 0.14)), style))
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
fn at(length: f64) -> i32 {
    (length * SCALE).round() as i32
}

fn colour(ink: Ink) -> RGBColor {
    match ink {
        Ink::Text => RGBColor(27, 38, 49),
        Ink::Faint => RGBColor(96, 112, 128),
        Ink::OnRate => WHITE,
        Ink::Grid => RGBColor(225, 231, 237),
        Ink::Rate => RGBColor(31, 111, 178),
        Ink::Coverage => RGBColor(159, 190, 176),
        Ink::Mean => RGBColor(214, 120, 40),
        Ink::Heat(step) => {
            const STEPS: [RGBColor; 6] = [
                RGBColor(220, 233, 245),
                RGBColor(181, 210, 236),
                RGBColor(133, 182, 221),
                RGBColor(79, 147, 200),
                RGBColor(37, 107, 168),
                RGBColor(14, 68, 122),
            ];
            STEPS[step.min(STEPS.len() - 1)]
        }
    }
}

#[cfg(test)]
mod tests {
    use blink_figures::{Hours, Setups, compare};
    use blink_proto::{Minute, MinuteStart, example};
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;
    use crate::cmd::report::figures::tests::fortnight;

    #[test]
    fn the_picture_is_a_png_with_ink_on_it() {
        let bytes = draw(&fortnight()).unwrap();
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(picture.width(), 1_640);
        let rate = colour(Ink::Rate);
        let inked = picture.pixels().filter(|pixel| pixel.0 == [rate.0, rate.1, rate.2]).count();
        assert!(inked > 50_000, "{inked}");
    }

    #[test]
    fn the_comparison_and_the_machines_are_in_the_picture_between_its_margins() {
        let mut figures = fortnight();
        let nothing = Hours::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
        figures.comparison = Some(compare(&nothing, &Setups::default(), figures.period, figures.period));
        for machine in 1..=12 {
            let device_id = uuid::Uuid::from_u128(machine).into();
            let at = MinuteStart::containing(figures.now.timestamp()).number() - 5;
            figures.add(&Minute { device_id, ..example::minute(at) });
        }
        let told: Vec<_> = scene(&figures)
            .shapes
            .into_iter()
            .filter_map(|shape| if let Shape::Text { text, .. } = shape { Some(text) } else { None })
            .collect();
        for wanted in
            ["There is nothing in the 14 days before to compare it with.", "The figures are from 13 machines:"]
        {
            assert!(told.iter().any(|text| text.starts_with(wanted)), "{wanted} in {told:?}");
        }
        let picture = image::load_from_memory(&draw(&figures).unwrap()).unwrap().to_rgb8();
        let margin = at(MARGIN - 10.0).unsigned_abs();
        let inked = |x: u32, y: u32| picture.get_pixel(x, y).0 != [255; 3];
        let (width, height) = picture.dimensions();
        assert!((0..height).all(|y| (width - margin..width).all(|x| !inked(x, y))), "something is beyond the margin");
        assert!((0..width).all(|x| !inked(x, height - 1)), "something is cut off below");
    }

    #[test]
    fn nothing_observed_is_drawn_without_a_bar() {
        let now = "2026-03-02T12:00:00Z[UTC]".parse().unwrap();
        let picture = image::load_from_memory(
            &draw(&Figures::empty(&now, blink_figures::Period::ending(now.date(), 7))).unwrap(),
        )
        .unwrap()
        .to_rgb8();
        let rate = colour(Ink::Rate);
        assert!(picture.pixels().all(|pixel| pixel.0 != [rate.0, rate.1, rate.2]));
    }
}
