//! How far an eye is open, from its picture alone: a small convolutional network of our own.
//!
//! It was trained on drawn eyes and on nothing else (`lid-model/` in this crate): no picture of a person is in it. For
//! each figure it also says how unsure it is, so that an eye in the dark, behind glare or behind a hand is known to be
//! unmeasurable.

mod layers;

use std::{io, sync::LazyLock};

use layers::{Convolution, Dense};

use crate::eye_patch::{PATCH_HEIGHT, PATCH_WIDTH, Patch};

/// The network's parameters, little-endian 32-bit floats: each layer's weights, then its biases.
static PARAMETERS: &[u8] = include_bytes!("lid/parameters.f32");
/// Added to the contrast by which a patch is divided, in grey levels, so that noise is not amplified without bound.
const LEAST_CONTRAST: f32 = 3.0;
/// The range of the logarithm of a variance in training.
const LOG_VARIANCE: (f32, f32) = (-7.0, 1.0);
/// The aperture is trained at this scale, so that its errors weigh as much as the openness's.
const APERTURE_SCALE: f32 = 4.0;

/// The lids of one eye in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lid {
    /// How far the lids are apart, 0 closed to 1 as far as this eye opens for where it looks.
    pub openness: f32,
    /// The standard deviation of the openness.
    pub openness_sd: f32,
    /// The distance between the lids in widths of the mean shape's eye: 0 closed, about 0.1 narrow, 0.4 wide open.
    pub aperture: f32,
    /// The standard deviation of the aperture.
    pub aperture_sd: f32,
}

impl Lid {
    /// The standard deviations of openness and aperture where nothing can be seen: those of the labels in training.
    const BLIND: (f32, f32) = (0.31, 0.12);

    /// How little can be seen of the eye: 0 everything, 1 nothing.
    #[must_use]
    pub fn doubt(&self) -> f32 {
        (self.openness_sd / Self::BLIND.0 * self.aperture_sd / Self::BLIND.1).sqrt()
    }
}

/// The network.
#[derive(Debug)]
pub struct LidModel {
    first: Convolution<5, 1, 8>,
    second: Convolution<3, 8, 16>,
    third: Convolution<3, 16, 32>,
    hidden: Dense<384, 32>,
    last: Dense<32, 4>,
}

impl LidModel {
    /// The network of this program.
    ///
    /// # Panics
    /// Never: the parameters are a part of the program, and tests read them.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static MODEL: LazyLock<LidModel> = LazyLock::new(|| match LidModel::read(PARAMETERS) {
            Ok(model) => model,
            Err(error) => unreachable!("the built-in parameters: {error}"),
        });
        &MODEL
    }

    fn read(mut bytes: &[u8]) -> io::Result<Self> {
        let model = Self {
            first: Convolution::read(&mut bytes)?,
            second: Convolution::read(&mut bytes)?,
            third: Convolution::read(&mut bytes)?,
            hidden: Dense::read(&mut bytes)?,
            last: Dense::read(&mut bytes)?,
        };
        if bytes.is_empty() { Ok(model) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// The lids in `patch`, in which the nose is to the left.
    #[must_use]
    pub fn look(&self, patch: &Patch) -> Lid {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            #[expect(unsafe_code, reason = "calling a function compiled for AVX2")]
            // SAFETY: the processor has the feature that the function is compiled for, as checked above.
            unsafe {
                return self.look_avx2(patch);
            }
        }
        self.look_generic(patch)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn look_avx2(&self, patch: &Patch) -> Lid {
        self.look_generic(patch)
    }

    #[inline(always)]
    fn look_generic(&self, patch: &Patch) -> Lid {
        let input = normalised(patch);
        let first = self.first.apply::<PATCH_WIDTH, PATCH_HEIGHT, 1536>(&input);
        let second = self.second.apply::<16, 12, 768>(&first);
        let third = self.third.apply::<8, 6, 384>(&second);
        let mut hidden = self.hidden.apply(&third);
        hidden.iter_mut().for_each(|value| *value = value.max(0.0));
        let [openness, aperture, openness_log, aperture_log] = self.last.apply(&hidden);
        let deviation = |log: f32| (log.clamp(LOG_VARIANCE.0, LOG_VARIANCE.1) / 2.0).exp();
        Lid {
            openness,
            openness_sd: deviation(openness_log),
            aperture,
            aperture_sd: deviation(aperture_log) / APERTURE_SCALE,
        }
    }
}

/// The patch with mean 0 and about unit contrast.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn normalised(patch: &Patch) -> Patch {
    let count = patch.len() as f32;
    let mean = patch.iter().sum::<f32>() / count;
    let variance = patch.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
    let scale = 1.0 / (variance.sqrt() + LEAST_CONTRAST);
    patch.map(|value| (value - mean) * scale)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A bright patch with a dark disc and an upper lid whose edge is at row `lid`.
    fn eye(lid: f64) -> Patch {
        std::array::from_fn(|i| {
            let (x, y) = ((i % PATCH_WIDTH) as f64, (i / PATCH_WIDTH) as f64);
            let value = if (y - lid).abs() < 0.6 && (x - 16.0).abs() < 9.0 {
                60.0
            } else if (x - 16.0).hypot(y - 12.0) < 5.0 && y >= lid {
                40.0
            } else {
                150.0 + 1.5 * (x - 16.0)
            };
            value as f32
        })
    }

    /// The expected figures are those of `lid-model/train.py`'s `outputs` for the same patches and parameters.
    #[rstest]
    #[case::open(eye(7.0), [0.9171, 0.1020, 0.4352, 0.0675])]
    #[case::half(eye(11.0), [0.6958, 0.1646, 0.2377, 0.0380])]
    #[case::shut(eye(16.0), [0.0744, 0.1938, 0.0244, 0.0679])]
    #[case::wall([128.0; PATCH_WIDTH * PATCH_HEIGHT], [0.4748, 0.3377, 0.1590, 0.1283])]
    fn it_computes_what_was_trained(#[case] patch: Patch, #[case] expected: [f32; 4]) {
        let model = LidModel::built_in();
        for lid in [model.look(&patch), model.look_generic(&patch)] {
            let figures = [lid.openness, lid.openness_sd, lid.aperture, lid.aperture_sd];
            for (figure, expected) in figures.iter().zip(expected) {
                assert!((figure - expected).abs() < 2e-4, "{figures:?}");
            }
        }
    }

    #[test]
    fn a_wall_is_in_doubt_and_an_eye_is_not() {
        let doubt = |patch: &Patch| LidModel::built_in().look(patch).doubt();
        assert!(doubt(&[128.0; PATCH_WIDTH * PATCH_HEIGHT]) > 0.95);
        assert!(doubt(&eye(7.0)) < 0.6);
    }

    #[test]
    fn light_and_contrast_change_nothing_much() {
        let model = LidModel::built_in();
        let (bright, dim) = (model.look(&eye(7.0)), model.look(&eye(7.0).map(|value| 0.5 * value + 20.0)));
        assert!((bright.openness - dim.openness).abs() < 0.1, "{bright:?} {dim:?}");
    }

    #[rstest]
    #[case::too_few(&PARAMETERS[4..])]
    #[case::none(&[])]
    fn other_parameters_are_refused(#[case] bytes: &[u8]) {
        assert!(LidModel::read(bytes).is_err());
        assert!(LidModel::read(&[PARAMETERS, &[0; 4]].concat()).is_err());
    }
}
