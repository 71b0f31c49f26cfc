//! Charts as shapes, so that the image and the page show the same. One unit of a scene is a CSS pixel.

use std::fmt::Write;

/// The role of a shape, which decides its colour; each medium has its own colours for light and dark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ink {
    Text,
    /// Secondary text.
    Faint,
    /// Text on a bar of the rate.
    OnRate,
    /// Grid lines.
    Grid,
    Rate,
    Coverage,
    Mean,
    /// A step of the heat map, 0 to [`HEAT_STEPS`] - 1.
    Heat(usize),
}

/// Number of shades of the heat map.
pub(super) const HEAT_STEPS: usize = 6;

impl Ink {
    /// Its CSS class.
    pub(super) fn class(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Faint => "faint".to_owned(),
            Self::OnRate => "onrate".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Rate => "rate".to_owned(),
            Self::Coverage => "coverage".to_owned(),
            Self::Mean => "mean".to_owned(),
            Self::Heat(step) => format!("heat{step}"),
        }
    }
}

/// Which point of a text is at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Rect {
        x: f64,
        y: f64,
        w: f64,
        h: f64,
        ink: Ink,
        /// The radius of its corners.
        round: f64,
        /// The tooltip.
        title: Option<String>,
    },
    Level {
        x: f64,
        y: f64,
        w: f64,
        ink: Ink,
        dashed: bool,
    },
    /// A line of text, vertically centred on `y`.
    Text {
        x: f64,
        y: f64,
        size: f64,
        anchor: Anchor,
        ink: Ink,
        bold: bool,
        text: String,
    },
}

/// Shapes on a surface, later ones above earlier ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    /// Adds text of normal weight.
    pub(super) fn text(&mut self, x: f64, y: f64, size: f64, anchor: Anchor, ink: Ink, text: impl Into<String>) {
        self.shapes.push(Shape::Text { x, y, size, anchor, ink, bold: false, text: text.into() });
    }

    /// Adds bold text, for headings.
    pub(super) fn bold(&mut self, x: f64, y: f64, size: f64, text: impl Into<String>) {
        let text = text.into();
        self.shapes.push(Shape::Text { x, y, size, anchor: Anchor::Start, ink: Ink::Text, bold: true, text });
    }

    /// Adds another scene, moved by `dx` and `dy`.
    pub(super) fn place(&mut self, other: Self, dx: f64, dy: f64) {
        self.shapes.extend(other.shapes.into_iter().map(|mut shape| {
            let (Shape::Rect { x, y, .. } | Shape::Level { x, y, .. } | Shape::Text { x, y, .. }) = &mut shape;
            *x += dx;
            *y += dy;
            shape
        }));
        self.width = self.width.max(dx + other.width);
        self.height = self.height.max(dy + other.height);
    }

    /// Renders an SVG element named `id`, with a title and a description for screen readers.
    pub(super) fn svg(&self, id: &str, class: &str, title: &str, description: &str) -> String {
        let (title, description) = (escaped(title), escaped(description));
        let mut svg = format!(
            "<svg class=\"{class}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" viewBox=\"0 0 {} {}\">\n\
             <title id=\"{id}-t\">{title}</title>\n<desc id=\"{id}-d\">{description}</desc>\n",
            number(self.width),
            number(self.height)
        );
        for shape in &self.shapes {
            match shape {
                Shape::Rect { x, y, w, h, ink, round, title } => {
                    let place = [x, y, w, h, round].map(|value| number(*value));
                    let [x, y, w, h, round] = place;
                    let class = ink.class();
                    let rect = format!(
                        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\""
                    );
                    let _ = match title {
                        Some(title) => writeln!(svg, "{rect}><title>{}</title></rect>", escaped(title)),
                        None => writeln!(svg, "{rect}/>"),
                    };
                }
                Shape::Level { x, y, w, ink, dashed } => {
                    let class = if *dashed { format!("{} dashed", ink.class()) } else { ink.class() };
                    let [x, y, to] = [*x, *y, x + w].map(number);
                    let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{x}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\"/>");
                }
                Shape::Text { x, y, size, anchor, ink, bold, text } => {
                    let anchor = match anchor {
                        Anchor::Start => "",
                        Anchor::Middle => " text-anchor=\"middle\"",
                        Anchor::End => " text-anchor=\"end\"",
                    };
                    let bold = if *bold { " font-weight=\"600\"" } else { "" };
                    // The baseline is a third of the font size below the middle, which works in every browser.
                    let [x, y, size] = [*x, y + size * 0.35, *size].map(number);
                    let (class, text) = (ink.class(), escaped(text));
                    let _ = writeln!(
                        svg,
                        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{anchor}{bold}>{text}</text>"
                    );
                }
            }
        }
        svg + "</svg>\n"
    }
}

/// Escapes text for HTML and SVG.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A length, rounded to a tenth of a pixel.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_becomes_an_element_and_text_stays_text() {
        let mut scene = Scene::new(100.0, 50.0);
        let rect =
            Shape::Rect { x: 1.0, y: 2.04, w: 3.5, h: 4.0, ink: Ink::Heat(2), round: 2.0, title: Some("a<b".into()) };
        scene.shapes.push(rect);
        scene.shapes.push(Shape::Level { x: 0.0, y: 10.0, w: 90.0, ink: Ink::Mean, dashed: true });
        scene.text(5.0, 20.0, 10.0, Anchor::End, Ink::Faint, "\"R&D\"");
        scene.bold(0.0, 30.0, 12.0, "x");
        let mut whole = Scene::default();
        whole.place(scene, 10.0, 20.0);
        assert_eq!((whole.width, whole.height), (110.0, 70.0));
        insta::assert_snapshot!(whole.svg("id", "wide", "T", "D & d"));
    }
}
