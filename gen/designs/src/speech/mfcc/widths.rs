//! How many bits what the front end computes has.

use super::spec::{COSINE_BITS, LEVEL_BITS, LOG_BITS, MfccSpec, SAMPLE_BITS, TURN_BITS};
use super::tables;
use crate::attention::signed_bits;

/// Bits of the front end's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Widths {
    /// A part of a point of the transform, signed.
    pub(super) point: u32,
    /// A part of a rotated bin, signed; a magnitude is one that is not negative.
    pub(super) magnitude: u32,
    /// A band's sum, unsigned.
    pub(super) sum: u32,
    /// A logarithm less that of the level, signed.
    pub(super) log: u32,
    /// A cosine, signed.
    pub(super) cosine: u32,
    /// A feature before it is cut, signed.
    pub(super) feature: u32,
    /// The operands of the multipliers, signed.
    pub(super) operands: (u32, u32),
}

/// Bits of a factor of the window or of a turn, signed: they reach 2^15.
pub(super) const TURN_WIDTH: u32 = TURN_BITS + 2;
/// Bits of a mel weight beyond its fraction: it reaches 1, and has a sign.
const WEIGHT_HEAD: u32 = 2;

impl Widths {
    /// Of a size.
    pub(super) fn of(spec: &MfccSpec) -> Widths {
        // a part of a sum of points is at most the sum of their sizes; a thousandth for factors that
        // are rounded up, and a half for each rounding
        let weights: u128 = tables::window(spec).iter().map(|&w| w as u128).sum();
        let largest = weights << spec.fraction_bits;
        let largest = largest + largest / 1024 + 2 * u128::from(spec.fft);
        let point = signed_bits(largest);
        // twice a bin, times K < 5/3
        let magnitude = 2 * largest * 5 / 3 + u128::from(spec.rotations);
        let sum = (most_bins(spec) * magnitude) << spec.weight_bits;
        let floor = ((1 << LEVEL_BITS) * tables::floor_factor(spec) as u128) >> tables::FLOOR_BITS;
        let sum = signed_bits(sum + floor) - 1;
        let span = u128::from(sum.max(LEVEL_BITS)) << LOG_BITS;
        let log = span + tables::unit_logarithm(spec) as u128;
        let cosine = tables::cosines(spec).iter().map(|c| c.unsigned_abs()).max();
        let cosine = u128::from(cosine.unwrap_or_default());
        let offset = 1 << (LOG_BITS + COSINE_BITS + 7);
        let feature = u128::from(spec.mels) * log * cosine + 2 * offset;
        let (log, cosine) = (signed_bits(log), signed_bits(cosine));
        let magnitude = signed_bits(magnitude);
        let left = [SAMPLE_BITS, point + 1, magnitude, log].into_iter().max();
        let right = [TURN_WIDTH, spec.weight_bits + WEIGHT_HEAD, cosine].into_iter().max();
        let operands = (left.unwrap_or_default(), right.unwrap_or_default());
        Widths { point, magnitude, sum, log, cosine, feature: signed_bits(feature), operands }
    }
}

/// The most bins that a band looks at, or more.
fn most_bins(spec: &MfccSpec) -> u128 {
    let bins = tables::bins(spec);
    let count = |segment| bins.iter().filter(|bin| bin.segment == segment).count();
    let pairs = (0..=spec.mels).map(|segment| count(segment) + count(segment + 1));
    pairs.max().unwrap_or_default() as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_default() {
        let widths = Widths::of(&MfccSpec::default());
        let Widths { point, magnitude, sum, operands, .. } = widths;
        assert_eq!((point, magnitude, sum, operands), (28, 30, 43, (30, 17)), "{widths:?}");
    }
}
