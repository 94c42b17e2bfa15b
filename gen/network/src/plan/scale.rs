//! Scales of the core: from multipliers, and exact divisions for pools.

use super::error::{PlanError, unsupported};
use crate::graph::Multiplier;
use hwgen_designs::cnn::Scale;
use std::ops::RangeInclusive;

/// A multiplier with a bias, as the core takes it.
///
/// # Errors
/// A negative multiplier, or one of 128 or more.
pub(super) fn scale(layer: &str, multiplier: Multiplier, bias: i32) -> Result<Scale, PlanError> {
    let Multiplier { mantissa, shift } = multiplier;
    let Ok(mantissa) = u32::try_from(mantissa) else {
        let what = format!("its multiplier {} is negative", multiplier.factor());
        return Err(unsupported(layer, what, "negate the weights before"));
    };
    if shift > 7 {
        let what = format!("its multiplier {} is 128 or more", multiplier.factor());
        return Err(unsupported(layer, what, "train with scales nearer to each other"));
    }
    let left = shift.max(0) as u8;
    let right = (-shift).clamp(0, 31) as u8;
    Ok(Scale { bias, multiplier: mantissa, left, right })
}

/// A scale that divides any sum of `count` numbers of `range` by `count`, rounded to nearest, halves
/// away from 0; tried on every such sum.
pub(super) fn division(
    layer: &str,
    count: u32,
    range: RangeInclusive<i32>,
) -> Result<Scale, PlanError> {
    let refuse = || {
        let what = format!("a pool of {count} elements has no exact scale");
        unsupported(layer, what, "use a smaller window")
    };
    if count == 0 || count > 1 << 14 {
        return Err(refuse());
    }
    // 2^(31 + right - left) / count, between 2^30 and 2^31
    let right = count.next_power_of_two().ilog2() as u8;
    let candidates = (0..=4u8).flat_map(|more| {
        let exact = (1u64 << (30 + right + more)) / u64::from(count);
        // the quotient, and what is just above it
        [exact, exact + 1].map(|multiplier| (multiplier, right + more))
    });
    for (multiplier, right) in candidates {
        let Ok(multiplier) = u32::try_from(multiplier) else {
            continue;
        };
        let scale = Scale { bias: 0, multiplier, left: 1, right };
        if multiplier < 1 << 31 && divides(&scale, count, &range) {
            return Ok(scale);
        }
    }
    Err(refuse())
}

fn divides(scale: &Scale, count: u32, range: &RangeInclusive<i32>) -> bool {
    let count = i64::from(count);
    let [least, most] = [*range.start(), *range.end()].map(i64::from);
    // both directions: halves up, then away from 0, are not the same below 0
    (least * count..=most * count).all(|sum| {
        let exact = sum.signum() * ((2 * sum.abs() + count) / (2 * count));
        let product = (sum << scale.left) * i64::from(scale.multiplier);
        let high = (product + (1 << 30)) >> 31;
        let half = if scale.right == 0 { 0 } else { 1 << (scale.right - 1) };
        high.signum() * ((high.abs() + half) >> scale.right) == exact
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_divide_exactly() {
        for count in (1..=130).chain([250, 256, 1000, 1024]) {
            for range in [-128..=127, 0..=255] {
                let scale = division("pool", count, range.clone()).unwrap();
                assert!(divides(&scale, count, &range));
            }
        }
        assert!(division("pool", 0, 0..=1).is_err());
    }
}
