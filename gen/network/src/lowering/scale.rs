//! Scales of the core: from multipliers, and exact divisions for pools.

use super::{PlanError, unsupported};
use crate::basics::{self, Multiplier};
use hwgen_designs::cnn::{Rounding, Scale};
use std::ops::RangeInclusive;

/// A multiplier with a bias, as the core takes it.
///
/// # Errors
/// A negative multiplier, or one of 128 or more.
pub(crate) fn scale(layer: &str, multiplier: Multiplier, bias: i32) -> Result<Scale, PlanError> {
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

impl From<basics::Rounding> for Rounding {
    fn from(rounding: basics::Rounding) -> Rounding {
        match rounding {
            basics::Rounding::Twice => Rounding::Twice,
            basics::Rounding::Once => Rounding::Once,
            basics::Rounding::HalfEven => Rounding::HalfEven,
            basics::Rounding::Floor => Rounding::Floor,
        }
    }
}

/// Bits of multipliers that are not cut in halves.
const NARROW: [u32; 3] = [15, 16, 17];

/// A scale that divides any sum of `count` numbers of `range` by `count`, rounded so, `Twice` being
/// to nearest, halves away from 0, and the core's rounding that it needs; tried on every such sum.
pub(crate) fn division(
    layer: &str,
    count: u32,
    range: RangeInclusive<i32>,
    rounding: Rounding,
) -> Result<(Scale, Rounding), PlanError> {
    let refuse = || {
        let what = format!("a pool of {count} elements has no exact scale");
        unsupported(layer, what, "use a window of at most 128 elements, or of a power of two")
    };
    if count == 0 || count > 1 << 14 {
        return Err(refuse());
    }
    // halves up: no multiplier is exact on both sides of 0, and what is rounded down need not be, as the
    // core drops what is far below a step
    let half = (count as i32 / 2, Rounding::Floor);
    let forms = [Some((0, rounding)), (rounding == Rounding::Once).then_some(half)];
    // 2^(31 + right - left) / count, between 2^30 and 2^31
    let right = count.next_power_of_two().ilog2() as u8;
    // narrow ones first: a core whose multipliers are all narrow is smaller
    let places = NARROW.map(|bits| 31 - bits).into_iter().chain([0]);
    let candidates = places.flat_map(|below| {
        (0..=4u8).flat_map(move |more| {
            let exact = ((1u64 << (30 + right + more)) / u64::from(count)) >> below;
            // the quotient, and what is just above it
            [exact, exact + 1].map(|multiplier| (multiplier << below, right + more))
        })
    });
    for (multiplier, right) in candidates {
        let Ok(multiplier) = u32::try_from(multiplier) else {
            continue;
        };
        for (bias, by) in forms.into_iter().flatten() {
            let scale = Scale { bias, multiplier, left: 1, right };
            if multiplier < 1 << 31 && divides((&scale, by), count, &range, rounding) {
                return Ok((scale, by));
            }
        }
    }
    Err(refuse())
}

fn divides(
    (scale, by): (&Scale, Rounding),
    count: u32,
    range: &RangeInclusive<i32>,
    rounding: Rounding,
) -> bool {
    let count = i64::from(count);
    let [least, most] = [*range.start(), *range.end()].map(i64::from);
    // both sides grow with the sum: it is enough to look where the quotient changes
    let half = count / 2;
    let edges = [-1, 0, 1, half - 1, half, half + 1];
    let sums = (least - 1..=most).flat_map(|q| edges.map(|edge| q * count + edge));
    let sums = sums.chain([least * count, most * count]);
    let mut sums = sums.filter(|sum| (least * count..=most * count).contains(sum));
    sums.all(|sum| divides_one((scale, by), count, sum, rounding))
}

fn divides_one((scale, by): (&Scale, Rounding), count: i64, sum: i64, rounding: Rounding) -> bool {
    let floor = sum.div_euclid(count);
    let rest = 2 * sum.rem_euclid(count) - count;
    let half_up = match rounding {
        Rounding::Twice => sum > 0,
        Rounding::Once => true,
        Rounding::HalfEven => floor & 1 == 1,
        Rounding::Floor => false,
    };
    let up = rounding != Rounding::Floor && (rest > 0 || rest == 0 && half_up);
    let product = ((sum + i64::from(scale.bias)) << scale.left) * i64::from(scale.multiplier);
    rounded(product, scale.right, by) == floor + i64::from(up)
}

/// `product / 2^(31 + right)` as the core rounds it (`docs/cnn.md`).
fn rounded(product: i64, right: u8, rounding: Rounding) -> i64 {
    let nearest = |value: i64, places: u8| (value + (1 << places >> 1)) >> places;
    let (fine, places) = (nearest(product, 16), 15 + right);
    match rounding {
        Rounding::Twice => {
            let high = nearest(product, 31);
            high.signum() * nearest(high.abs(), right)
        }
        Rounding::Once => nearest(product, 31 + right),
        Rounding::Floor => fine >> places,
        Rounding::HalfEven => {
            let tie = fine & ((1 << places) - 1) == 1 << (places - 1);
            nearest(fine, places) - i64::from(tie && fine >> places & 1 == 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_divide_exactly() {
        for count in (1..=130).chain([250, 256, 1000, 1024]) {
            for range in [-128..=127, 0..=255] {
                for rounding in Rounding::ALL {
                    match division("pool", count, range.clone(), rounding) {
                        Ok((scale, by)) => {
                            let sums = range.start() * count as i32..=range.end() * count as i32;
                            let divides = |sum: i32| {
                                divides_one((&scale, by), count.into(), sum.into(), rounding)
                            };
                            assert!(sums.into_iter().all(divides), "{count}");
                        }
                        Err(_) => assert!(count > 128 && rounding != Rounding::Twice, "{count}"),
                    }
                }
            }
        }
        assert!(division("pool", 0, 0..=1, Rounding::Twice).is_err());
    }
}
