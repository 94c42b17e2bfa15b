//! The order of the transform's turns: stage after stage, in place.

use super::MfccSpec;
use super::turn::Reads;
use hwgen_hdl::lib::barrel_shifter::{Shift, barrel_shift};
use hwgen_hdl::{ModuleBuilder, Signal, cat, index_bits, u};

/// Cycles between a stage's last turn and the next one's first, in which the last results are
/// written.
pub(super) const STAGE_GAP: u32 = 7;

/// The turns of the transform.
pub(super) struct Walk<'m> {
    /// It is at work.
    pub(super) transforming: Signal<'m>,
    /// It ends at this edge.
    pub(super) ends: Signal<'m>,
    /// What it reads.
    pub(super) reads: Reads<'m>,
}

/// Walks when `starts`, each turn in `spec.turn_cycles()`.
pub(super) fn walk<'m>(m: &'m ModuleBuilder, spec: &MfccSpec, starts: Signal<'m>) -> Walk<'m> {
    let stages = spec.stages();
    let beat_bits = spec.turn_cycles().trailing_zeros();
    let op_bits = stages - 1;
    let transforming = m.reg("transforming", u(1));
    let stage = m.reg("stage", u(index_bits(stages as usize)));
    let step = m.reg("step", u(op_bits + beat_bits + 1));
    let stage_ends = step.eq(spec.stage_cycles() - 1) & *transforming;
    let stage_ends = stage_ends.named("stage_ends");
    let ends = (stage_ends & stage.eq(stages - 1)).named("transform_ends");
    transforming.next(starts).enable(starts | ends);
    step.next(step + 1).enable(*transforming).clear(stage_ends);
    stage.next(stage + 1).enable(stage_ends).clear(ends);

    // a stage's pairs differ in the bit of its number; the bits below it tell the angle
    let op = step.slice(op_bits + beat_bits - 1, beat_bits).named("pair");
    let beat = step.truncate(beat_bits);
    let below = m.reg("angle_bits", u(op_bits)).clear(ends);
    below.next(cat(&[m.lit(u(1), 1), below.slice(op_bits - 1, 1)])).enable(stage_ends);
    let issues = (*transforming & !step.msb()).named("issues");
    let first = (issues & beat.eq(0)).named("reads_even");
    let second = (issues & beat.eq(1)).named("reads_odd");
    let address = op.cat(beat.bit(0)).called("point");
    let address = barrel_shift(Shift::RotateLeft, address, *stage).called("point_turned");
    let angle = (op & *below).called("bits_of_angle").extend(stages + 1).shl(1).named("pair_angle");
    let reads = Reads { first, second, address, angle };
    Walk { transforming: *transforming, ends, reads }
}
