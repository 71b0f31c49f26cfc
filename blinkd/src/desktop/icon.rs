//! Draws the tray icon: an eye whose colour and pupil show the state.
//!
//! Panels may be light or dark and show the icon at 16 to 64 pixels. The white of the eye stands out on a dark panel
//! and the coloured rim on a light one. No state is shown by colour alone: there is a dot, a ring, bars, a stroke or an
//! exclamation mark.

use blink_proto::status::State;

/// Width and height in pixels; panels scale it down.
pub(crate) const SIZE: u32 = 64;
/// Samples per pixel in each direction, for anti-aliasing.
const SAMPLES: u32 = 4;

/// What the icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Look {
    /// Blinks are being counted.
    Tracking,
    /// The camera is on, but nobody is followed.
    Away,
    /// Paused, locked or yielded.
    Paused,
    /// There is no camera, or another program has it.
    NoCamera,
    /// An error, or the set-up is not done.
    Problem,
}

impl Look {
    #[must_use]
    pub(crate) fn from_state(state: State) -> Self {
        match state {
            State::Tracking => Self::Tracking,
            State::NoFace => Self::Away,
            State::Paused | State::Locked | State::Yielded => Self::Paused,
            State::CameraBusy | State::NoCamera => Self::NoCamera,
            State::NoConsent | State::Error => Self::Problem,
        }
    }

    fn colour(self) -> [f32; 3] {
        match self {
            Self::Tracking => [0.00, 0.52, 0.48],
            Self::Away => [0.42, 0.47, 0.53],
            Self::Paused => [0.72, 0.45, 0.00],
            Self::NoCamera => [0.42, 0.47, 0.53],
            Self::Problem => [0.80, 0.13, 0.16],
        }
    }
}

/// The icon for `look`: [`SIZE`] x [`SIZE`] RGBA pixels from the top left.
#[must_use]
pub(crate) fn draw(look: Look) -> Vec<u8> {
    let mut pixels = Vec::with_capacity((SIZE * SIZE * 4) as usize);
    for row in 0..SIZE {
        for column in 0..SIZE {
            pixels.extend(pixel(look, column, row));
        }
    }
    pixels
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of an icon"
)]
fn pixel(look: Look, column: u32, row: u32) -> [u8; 4] {
    let place =
        |cell: u32, sample: u32| 2.0 * (cell as f32 + (sample as f32 + 0.5) / SAMPLES as f32) / SIZE as f32 - 1.0;
    let mut sum = [0.0f32; 4];
    for i in 0..SAMPLES {
        for j in 0..SAMPLES {
            if let Some(colour) = ink(look, place(column, i), place(row, j)) {
                for (sum, part) in sum.iter_mut().zip(colour) {
                    *sum += part;
                }
                sum[3] += 1.0;
            }
        }
    }
    let covered = sum[3].max(1.0);
    let byte = |value: f32| (value * 255.0).round() as u8;
    let alpha = sum[3] / (SAMPLES * SAMPLES) as f32;
    [byte(sum[0] / covered), byte(sum[1] / covered), byte(sum[2] / covered), byte(alpha)]
}

/// The colour at a point, both coordinates from -1 to 1; `None` outside of the eye.
fn ink(look: Look, x: f32, y: f32) -> Option<[f32; 3]> {
    const WHITE: [f32; 3] = [1.0, 1.0, 1.0];
    /// The radius of the two circles whose overlap is the eye, 0.97 wide and 0.68 high from its centre.
    const RADIUS: f32 = 1.032;
    const DROP: f32 = 0.352;
    let colour = look.colour();
    if look == Look::NoCamera {
        // The stroke runs from the lower left to the upper right, with a gap on both sides so that it stands out.
        let off = (x + y).abs() / std::f32::consts::SQRT_2;
        if (x - y).abs() < 1.85 && off < 0.11 {
            return Some([0.80, 0.13, 0.16]);
        }
        if off < 0.22 {
            return None;
        }
    }
    // The eye is the overlap of two circles; `depth` is the distance of the point from its edge.
    let depth = RADIUS - x.hypot(y.abs() + DROP);
    if depth < 0.0 {
        return None;
    }
    let centre = x.hypot(y);
    let marked = match look {
        Look::Tracking | Look::NoCamera => centre < 0.33,
        Look::Away => (0.20..0.34).contains(&centre),
        Look::Paused => (0.09..0.27).contains(&x.abs()) && y.abs() < 0.34,
        Look::Problem => x.abs() < 0.10 && ((-0.40..0.10).contains(&y) || (0.20..0.38).contains(&y)),
    };
    let glint = look == Look::Tracking && (x + 0.11).hypot(y + 0.11) < 0.10;
    Some(if (depth < 0.19 || marked) && !glint { colour } else { WHITE })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOKS: [Look; 5] = [Look::Tracking, Look::Away, Look::Paused, Look::NoCamera, Look::Problem];

    /// The luminance (BT.709, 0 to 1) of the icon at `size` pixels on a panel of the grey `panel`.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn on_panel(look: Look, size: u32, panel: f32) -> Vec<f32> {
        let pixels = draw(look);
        let cell = SIZE as f32 / size as f32;
        let mut shown = vec![(0.0, 0.0); (size * size) as usize];
        for (i, pixel) in pixels.chunks(4).enumerate() {
            let (column, row) = (i as u32 % SIZE, i as u32 / SIZE);
            let [r, g, b, a] = [0, 1, 2, 3].map(|c| f32::from(pixel[c]) / 255.0);
            let light = a * (0.2126 * r + 0.7152 * g + 0.0722 * b) + (1.0 - a) * panel;
            let place = ((row as f32 / cell) as u32 * size + (column as f32 / cell) as u32) as usize;
            shown[place] = (shown[place].0 + light, shown[place].1 + 1.0);
        }
        shown.into_iter().map(|(sum, count)| sum / count).collect()
    }

    #[test]
    fn every_look_stands_out_on_light_and_dark_panels_at_every_size() {
        for look in LOOKS {
            for size in [16, 22, 32] {
                for panel in [0.05, 0.2, 0.9, 1.0] {
                    let shown = on_panel(look, size, panel);
                    let strong = shown.iter().filter(|light| (*light - panel).abs() > 0.3).count();
                    assert!(strong * 8 > shown.len(), "{look:?} at {size} on {panel}: {strong} of {}", shown.len());
                }
            }
        }
    }

    #[test]
    fn no_two_looks_are_alike_without_colour() {
        for (i, one) in LOOKS.into_iter().enumerate() {
            for other in LOOKS.into_iter().skip(i + 1) {
                let (one_shown, other_shown) = (on_panel(one, 16, 0.2), on_panel(other, 16, 0.2));
                let apart = one_shown.iter().zip(&other_shown).filter(|(a, b)| (*a - *b).abs() > 0.2).count();
                assert!(apart >= 6, "{one:?} and {other:?} differ in {apart} of 256 pixels");
            }
        }
    }

    #[test]
    fn every_state_has_a_look() {
        assert_eq!(Look::from_state(State::Tracking), Look::Tracking);
        assert_eq!(Look::from_state(State::Locked), Look::Paused);
        assert_eq!(Look::from_state(State::CameraBusy), Look::NoCamera);
        assert_eq!(Look::from_state(State::NoConsent), Look::Problem);
    }
}
