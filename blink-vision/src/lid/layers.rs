//! The layers of the lid model. Images are rows of pixels of channels.

use std::io::{self, Read};

/// A convolution of `K` x `K` pixels from `IN` to `OUT` channels with stride 2 and zeroes outside, then a rectifier.
#[derive(Debug)]
pub(super) struct Convolution<const K: usize, const IN: usize, const OUT: usize> {
    /// For each row, column and input channel of the kernel, the weights of the outputs.
    weights: Vec<[f32; OUT]>,
    bias: [f32; OUT],
}

/// A layer in which each output depends on each input.
#[derive(Debug)]
pub(super) struct Dense<const IN: usize, const OUT: usize> {
    weights: Vec<[f32; OUT]>,
    bias: [f32; OUT],
}

fn row<const N: usize>(bytes: &mut &[u8]) -> io::Result<[f32; N]> {
    let mut values = [0.0; N];
    for value in &mut values {
        let mut four = [0; 4];
        bytes.read_exact(&mut four)?;
        *value = f32::from_le_bytes(four);
    }
    Ok(values)
}

fn rows<const N: usize>(bytes: &mut &[u8], count: usize) -> io::Result<Vec<[f32; N]>> {
    (0..count).map(|_| row(bytes)).collect()
}

impl<const K: usize, const IN: usize, const OUT: usize> Convolution<K, IN, OUT> {
    pub(super) fn read(bytes: &mut &[u8]) -> io::Result<Self> {
        Ok(Self { weights: rows(bytes, K * K * IN)?, bias: row(bytes)? })
    }

    /// The output for an image of `W` x `H` pixels; `SIZE` is its length, W / 2 x H / 2 x OUT.
    #[inline(always)]
    pub(super) fn apply<const W: usize, const H: usize, const SIZE: usize>(&self, image: &[f32]) -> [f32; SIZE] {
        // TensorFlow's rule: the odd pixel of padding is on the right and below.
        let before = (K - 2) / 2;
        let mut output = [0.0; SIZE];
        for (place, pixel) in output.chunks_exact_mut(OUT).enumerate() {
            let (x, y) = (2 * (place % (W / 2)), 2 * (place / (W / 2)));
            let mut sums = self.bias;
            for ky in 0..K {
                let Some(iy) = (y + ky).checked_sub(before).filter(|iy| *iy < H) else { continue };
                for kx in 0..K {
                    let Some(ix) = (x + kx).checked_sub(before).filter(|ix| *ix < W) else { continue };
                    let inputs = &image[(iy * W + ix) * IN..][..IN];
                    let weights = &self.weights[(ky * K + kx) * IN..][..IN];
                    for (input, weights) in inputs.iter().zip(weights) {
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum += input * weight;
                        }
                    }
                }
            }
            for (value, sum) in pixel.iter_mut().zip(sums) {
                *value = sum.max(0.0);
            }
        }
        output
    }
}

impl<const IN: usize, const OUT: usize> Dense<IN, OUT> {
    pub(super) fn read(bytes: &mut &[u8]) -> io::Result<Self> {
        Ok(Self { weights: rows(bytes, IN)?, bias: row(bytes)? })
    }

    #[inline(always)]
    pub(super) fn apply(&self, inputs: &[f32; IN]) -> [f32; OUT] {
        let mut sums = self.bias;
        for (input, weights) in inputs.iter().zip(&self.weights) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += input * weight;
            }
        }
        sums
    }
}
