//! The inner loop of the landmark model: finds the leaves of 500 trees, then sums their rows.

use super::{COORDINATES, FEATURES, LEAVES, Level, SPLITS, Split, TREES};

/// Adds the leaves that `pixels` select in each tree of `level` to `shape`.
pub(super) fn add_level(level: &Level, pixels: &[i16; FEATURES], shape: &mut [f32; COORDINATES]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        #[expect(unsafe_code, reason = "calling a function compiled for AVX2")]
        // SAFETY: the processor has the two features that the function is compiled for, as checked above.
        unsafe {
            return add_level_avx2(level, pixels, shape);
        }
    }
    add_level_generic(level, pixels, shape);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn add_level_avx2(level: &Level, pixels: &[i16; FEATURES], shape: &mut [f32; COORDINATES]) {
    add_level_generic(level, pixels, shape);
}

#[inline(always)]
fn add_level_generic(level: &Level, pixels: &[i16; FEATURES], shape: &mut [f32; COORDINATES]) {
    let mut chosen = [0usize; TREES];
    for (tree, (splits, chosen)) in level.splits.iter().zip(&mut chosen).enumerate() {
        *chosen = tree * LEAVES + leaf(splits, pixels);
        prefetch(&level.rows[*chosen]);
    }
    let mut sum = *shape;
    for &row in &chosen {
        let scale = level.scales[row];
        for (sum, &value) in sum.iter_mut().zip(&level.rows[row]) {
            *sum += f32::from(value) * scale;
        }
    }
    *shape = sum;
}

/// Walks down the four levels of a complete tree without a branch.
#[inline(always)]
fn leaf(splits: &[Split; SPLITS], pixels: &[i16; FEATURES]) -> usize {
    let mut node = 0;
    for _ in 0..4 {
        let split = &splits[node];
        let difference = f32::from(pixels[usize::from(split.first)] - pixels[usize::from(split.second)]);
        node = 2 * node + 2 - usize::from(difference > split.threshold);
    }
    node - SPLITS
}

/// Prefetches every cache line of a row.
#[inline(always)]
fn prefetch(row: &[i16; COORDINATES]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(32) {
        #[expect(unsafe_code, reason = "a prefetch instruction")]
        // SAFETY: a prefetch has no effect on the program, and the address is that of a live reference.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}
