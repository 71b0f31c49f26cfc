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
    /// Never: the parameters are a part of the program, and a test reads them.
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
