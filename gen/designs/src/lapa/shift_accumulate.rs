//! MRSA: one key's score, refined by one slice: shift, negate, add up, accumulate.

use super::{LapaSpec, cost};
use crate::wiring::{quiet, unpack};
use hwgen_hdl::lib::adder_tree::pipelined_adder_tree;
use hwgen_hdl::{Module, ModuleBuilder, s, u};
use std::sync::Arc;

/// The datapath of one key in round `round`; never stalls.
///
/// In, all in one cycle: `live` (the key takes part), `keys` (the slices of its elements, element
/// 0 low), `codes` (leading-one codes of the query), and after round 0 `previous` (its score so
/// far); a cycle later: `exponents` (of the same codes). Out, [`cost::row_cycles`] after: `live`,
/// `score`, which is that of an earlier key for a key that is not live: its lanes hold still.
pub(super) fn module(spec: &LapaSpec, round: usize) -> Arc<Module> {
    let width = spec.key_slices[round];
    let m = ModuleBuilder::new(format!("lapa_row_{round}"));
    m.doc(format!(
        "Round {round} score of one key: sum of sign * (key slice << exponent){}.",
        if round > 0 { ", added to the shifted score before" } else { "" }
    ));
    let live = m.input("live", u(1));
    let keys = m.input("keys", u(spec.head_dim * width));
    let codes = m.input("codes", u(spec.head_dim * spec.lo_code_bits()));
    let exponents = m.input("exponents", u(spec.head_dim * spec.exponent_bits()));

    // signs first: negating the narrow slice is cheaper than negating the shifted one
    let mut pipeline = quiet(live);
    let keys = unpack(keys, u(width), spec.head_dim);
    let codes = unpack(codes, u(spec.lo_code_bits()), spec.head_dim);
    let signed: Vec<_> = (keys.iter().zip(&codes).enumerate())
        .map(|(d, (key, code))| {
            let slice = if round == 0 { key.as_signed() } else { key.to_signed() };
            let key = slice.named(format!("slice_{d}")).extend(width + 1);
            let (negative, zero) = (code.msb(), code.bit(spec.exponent_bits()));
            zero.mux(m.lit(key.ty(), 0), negative.mux(-key, key))
        })
        .collect();
    let signed = pipeline.stage("signed", &signed);

    let exponents = unpack(exponents, u(spec.exponent_bits()), spec.head_dim);
    let shifted: Vec<_> = (signed.iter().zip(exponents).enumerate())
        .map(|(d, (key, exponent))| {
            let key = key.extend(width + 1 + spec.max_exponent());
            key.shl(exponent).named(format!("term_{d}"))
        })
        .collect();
    let sum = pipelined_adder_tree(&mut pipeline, &shifted, cost::LEVELS_PER_STAGE);

    let score_type = s(spec.score_bits(round));
    let mut score = sum.resize(score_type.width);
    if round > 0 {
        let previous = m.input("previous", s(spec.score_bits(round - 1)));
        let mut beside = quiet(live);
        let previous = (0..pipeline.latency())
            .fold(previous, |previous, _| beside.stage("previous_score", &[previous])[0]);
        let refined = previous.extend(score_type.width).shl(width) + score;
        score = pipeline.stage("score", &[refined])[0];
    }
    assert_eq!(pipeline.latency(), cost::row_cycles(spec, round));
    m.output("live_out", pipeline.valid());
    m.output("score", score);
    m.finish()
}
