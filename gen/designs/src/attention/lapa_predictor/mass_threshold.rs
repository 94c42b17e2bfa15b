//! The threshold of the mass filter, from a row's histogram.

use super::LapaPredictorSpec;
use super::mass::{Counted, DEPTH, OCTAVE, split};
use crate::wiring::{numbered, pack, times_constant};
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::lib::popcount::popcount;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Int, ModuleBuilder, Signal, Type, s};

/// Bits of the weight of the best key's octave.
pub(super) const WEIGHT_BITS: u32 = 9;

/// What a threshold is.
pub(super) enum Unit {
    /// An octave.
    Octaves,
    /// A score of that type.
    Scores(Type),
}

/// Drives `threshold_valid` and `threshold`: the least octave among those that hold `mass256`
/// 256ths of the mass, or their least score, [`cost::threshold_cycles`](super::cost::threshold_cycles) after the counts.
pub(super) fn outputs<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    counted: Counted<'m>,
    unit: Unit,
    mass256: u32,
) {
    let Counted { mut pipeline, counts, top, row, .. } = counted;
    let row = [&[top], &row[..]].concat();
    // masses of the octaves so far: within fours of them, then over all
    let width = spec.count_bits() + WEIGHT_BITS;
    let mass = |(d, count): (usize, &Signal<'m>)| mass(*count, d, width);
    let masses = numbered("mass", counts.iter().enumerate().map(mass));
    let fours = masses.chunks(4).enumerate().flat_map(|(at, of)| {
        let two = (of[0] + of[1]).called(format!("mass_of_{}_and_{}", 4 * at, 4 * at + 1));
        [of[0], two, two + of[2], two + (of[2] + of[3])]
    });
    let all = pipeline.stage("four", &[&fours.collect::<Vec<_>>()[..], &row].concat());
    let [fours, row, ..] = split(&all, [counts.len(), row.len()]);
    let two = (fours[3] + fours[7]).called("mass_of_8");
    let twelve = (two + fours[11]).called("mass_of_12");
    let before = [None, Some(fours[3]), Some(two), Some(twelve)];
    let so_far: Vec<_> = (fours.iter().enumerate())
        .map(|(d, four)| before[d / 4].map_or(*four, |before| before + *four))
        .collect();
    let all = pipeline.stage("so_far", &[&so_far[..], &row].concat());
    let [so_far, row, ..] = split(&all, [so_far.len(), row.len()]);

    let (whole, parts) = (so_far[DEPTH as usize - 1], &so_far[..DEPTH as usize - 1]);
    let target = times_constant(whole.to_signed(), mass256 as i32).shr(8).as_unsigned();
    let all = pipeline.stage("target", &[&[target.truncate(width)], parts, &row].concat());
    let [target, parts, row] = split(&all, [1, parts.len()]);
    let short = numbered("short", parts.iter().map(|held| held.lt(target[0])));
    let wide = OCTAVE.width + 1;
    let least = row[0].extend(wide)
        - popcount(pack(&short)).called("octaves_short").to_signed().extend(wide);
    let Unit::Scores(score) = unit else {
        let least = pipeline.stage("least", &[saturate(least, OCTAVE)])[0];
        m.output("threshold_valid", pipeline.valid());
        m.output("threshold", least);
        return;
    };
    let stage = pipeline.stage("least", &[least, row[1], row[2]]);

    // in units of a third or a half of a score
    let unit = s(score.width + 2);
    let (least, shift) = (stage[0], stage[2]);
    let shifted = saturate(least.extend(wide + (1 << shift.width()) - 1).shl(shift), unit);
    let all_pass = least.le(OCTAVE.min());
    let shifted = all_pass.mux(m.lit(unit, unit.min()), shifted);
    let stage = pipeline.stage("shifted", &[shifted, stage[1]]);
    let threshold = quotient(pipeline, stage[0], stage[1], score);
    m.output("threshold_valid", threshold.0);
    m.output("threshold", threshold.1);
}

/// The mass of `count` keys `below` octaves below the best.
fn mass(count: Signal<'_>, below: usize, width: u32) -> Signal<'_> {
    let count = count.extend(width);
    let factor = if below.is_multiple_of(2) { count.shl(2) } else { count.shl(1) + count };
    factor.shl(7 - below as u32 / 2)
}

/// `x / (half ? 3 : 2)`, rounded up, as a score; three stages.
///
/// A third is 1/4 + 1/16 + .., whose ones double with each addition; for y >= 0 of fewer than w
/// bits, `floor(y / 3) = ((y + 1) (2^w - 1) / 3) >> w`.
fn quotient<'m>(
    mut pipeline: Pipeline<'m>,
    x: Signal<'m>,
    half: Signal<'m>,
    score: Type,
) -> (Signal<'m>, Signal<'m>) {
    let places = (x.width() + 2).next_power_of_two();
    let bits = x.width() + 2 + places;
    // positive, and 2 more to round up, and the 1 of the formula
    let offset = Int::from(1) << (x.width() - 2);
    let positive = x.extend(bits) + (offset.clone() * Int::from(3) + Int::from(3));
    let doublings = places.trailing_zeros() - 1;
    let double = |sum: Signal<'m>, levels: std::ops::Range<u32>| {
        levels.fold(sum, |sum, level| sum + sum.shl(2 << level))
    };
    let stage = pipeline.stage("thirds", &[double(positive, 0..doublings / 2), x, half]);
    let third = double(stage[0], doublings / 2..doublings).shr(places);
    let stage = pipeline.stage("third", &[third.truncate(x.width()), stage[1], stage[2]]);
    let wide = x.width() + 1;
    let third = stage[0].extend(wide) - offset;
    let halved = (stage[1].extend(wide) + 1).shr(1);
    let threshold = saturate(stage[2].mux(third, halved), score);
    let threshold = pipeline.stage("threshold", &[threshold])[0];
    (pipeline.valid(), threshold)
}
