//! MRSA: one key's score, refined by one slice: shift, add up, accumulate; no negation, no sign.
//!
//! A slice k of w bits counts from its lowest value up, and down where the query is negative:
//!
//! ```text
//! raw(key) = sum over d, q[d] not 0, of up[d] << exponent[d]
//!     up[d] = k[d] - lowest               query positive: the bits, the sign bit inverted
//!             highest - k[d]              query negative: the bits, the others inverted
//! sum of sign * (k[d] << exponent[d]) = raw(key) - raw(0)
//! ```
//!
//! Terms are four bits wide somewhere in a word of zeros, where signed ones would fill it with
//! their signs: the adders are narrower and fewer of their bits change. raw(0) is the row's alone.

use super::{LapaPredictorSpec, cost};
use crate::wiring::{quiet, unpack};
use hwgen_hdl::lib::adder_tree::{pipelined_adder_tree, sum_type};
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::{Module, ModuleBuilder, Signal, Type, s, u};
use std::sync::Arc;

/// The datapath of one key in round `round`; never stalls.
///
/// In, all in one cycle: `live` (the key takes part), `keys` (the slices of its elements, element
/// 0 low), `codes` (leading-one codes of the query), and after round 0 `previous` (its score so
/// far); a cycle before the score comes out: `zero`, the row's [`zero_module`]. Out,
/// [`cost::row_cycles`] after: `live_out`, `score`, which is an earlier key's for a key that is
/// not live: its lanes hold still.
pub(super) fn module(spec: &LapaPredictorSpec, round: usize) -> Arc<Module> {
    let width = spec.key_slices[round];
    let m = ModuleBuilder::new(format!("lapa_row_{round}"));
    m.doc(format!(
        "Round {round} score of one key: sum of sign * (key slice << exponent){}.",
        if round > 0 { ", added to the shifted score before" } else { "" }
    ));
    let live = m.input("live", u(1));
    let keys = unpack(m.input("keys", u(spec.head_dim * width)), u(width), spec.head_dim);
    let mut pipeline = quiet(live);
    let raw = raw(&m, spec, round, &mut pipeline, &keys);

    let score = s(spec.score_bits(round));
    let wide = score.width + 1;
    let zero = m.input("zero", raw_type(spec, round));
    let mut sum = raw.to_signed().resize(wide) - zero.to_signed().resize(wide);
    if round > 0 {
        let previous = m.input("previous", s(spec.score_bits(round - 1)));
        let mut beside = quiet(live);
        let previous = (0..pipeline.latency())
            .fold(previous, |previous, _| beside.stage("previous_score", &[previous])[0]);
        sum = previous.resize(wide).shl(width) + sum;
    }
    let score = pipeline.stage("score", &[sum.truncate(score.width)])[0];
    assert_eq!(pipeline.latency(), cost::row_cycles(spec));
    m.output("live_out", pipeline.valid());
    m.output("score", score);
    m.finish()
}

/// What a row's keys are to be compared with in round `round`: the raw sum of a key of zeros.
///
/// In: `valid`, `codes`. Out, [`cost::raw_cycles`] after and until the next row's: `zero`.
pub(super) fn zero_module(spec: &LapaPredictorSpec, round: usize) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("lapa_zero_{round}"));
    m.doc(format!("The raw sum of a key of zeros in round {round}."));
    let mut pipeline = quiet(m.input("valid", u(1)));
    let keys = vec![m.lit(u(spec.key_slices[round]), 0); spec.head_dim as usize];
    m.output("zero", raw(&m, spec, round, &mut pipeline, &keys));
    m.finish()
}

/// Type of a raw sum in round `round`.
pub(super) fn raw_type(spec: &LapaPredictorSpec, round: usize) -> Type {
    sum_type(u(spec.key_slices[round] + spec.max_exponent()), spec.head_dim as usize)
}

/// The raw sum of a key, of input `codes` and its slices.
fn raw<'m>(
    m: &'m ModuleBuilder,
    spec: &LapaPredictorSpec,
    round: usize,
    pipeline: &mut Pipeline<'m>,
    keys: &[Signal<'m>],
) -> Signal<'m> {
    let (width, exponent_bits) = (spec.key_slices[round], spec.exponent_bits());
    let codes = m.input("codes", u(spec.head_dim * spec.lo_code_bits()));
    let codes = unpack(codes, u(spec.lo_code_bits()), spec.head_dim);
    // only the first slice is signed: there the lowest value is a sign bit alone
    let lowest = if round == 0 { 1i64 << (width - 1) } else { 0 };
    let terms: Vec<_> = (keys.iter().zip(codes).enumerate())
        .map(|(d, (key, code))| {
            let (negative, zero) = (code.msb(), code.bit(exponent_bits));
            let up = (*key ^ lowest).called(format!("offset_key_{d}"));
            let up = zero.mux(m.lit(key.ty(), 0), negative.mux(!up, up));
            let up = up.named(format!("up_{d}")).extend(width + spec.max_exponent());
            up.shl(code.truncate(exponent_bits)).named(format!("term_{d}"))
        })
        .collect();
    let sum = pipelined_adder_tree(pipeline, &terms, cost::ADDERS_PER_STAGE);
    assert_eq!(pipeline.latency(), cost::raw_cycles(spec));
    sum
}
