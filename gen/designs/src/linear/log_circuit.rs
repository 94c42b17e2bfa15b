//! `log_linear`: signs and shifts for products.
//!
//! ```text
//! weights -> codes ----+
//! tokens --> token -> chunk --> signs --> shifts, adder tree --> accumulator --> shift, saturate --> result
//! ```

use super::LogLinearSpec;
use super::batch::{Batch, places};
use super::collect::collect;
use super::cost::LEVELS_PER_STAGE;
use super::walk::{Marks, Walk, chunks};
use crate::wiring::{delayed_while, pack, unpack};
use hwgen_hdl::lib::adder_tree::pipelined_adder_tree;
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Module, ModuleBuilder, Signal, Stream, bits_for, fields, s, u};
use std::sync::Arc;

/// Bits of a code: exponent, zero flag, sign.
const CODE_BITS: u32 = EXPONENT_BITS + 2;
const EXPONENT_BITS: u32 = 3;
const MAX_EXPONENT: u32 = 7;

/// The circuit; top module `log_linear`. Streams as `docs/linear.md` tells.
pub(super) fn module(spec: &LogLinearSpec) -> Arc<Module> {
    let layer = spec.layer();
    let m = ModuleBuilder::new("log_linear");
    m.doc("Linear layer of int8 tokens and weights in leading-one code: shifts for products.");
    let code_bits = u(layer.lanes * CODE_BITS);
    let weights =
        m.stream_in("weights", &fields([("codes", code_bits), ("shift", u(5)), ("last", u(1))]));
    let tokens = m.stream_in("tokens", &layer.token_fields());
    let (advance, batch_ends) = (m.wire("advance", u(1)), m.wire("batch_done", u(1)));

    let load_ends = (weights.fires() & weights.get("last")).named("load_ends");
    let batch = Batch::new(&m, load_ends, &tokens, *batch_ends);
    weights.ready.drive(batch.loading);
    let codes = m.memory("codes", layer.weight_beats() as usize, code_bits);
    let place = places(&m, "weights", &weights, layer.weight_beats());
    codes.write(place.address, weights.get("codes"), place.store);
    let (shift, half) = scale(&m, spec, &weights, load_ends);

    let token = batch.hold(&tokens);
    let walk = Walk::new(&m, layer, &token, |step| step.eq(layer.chunks() - 1), None, *advance);
    let address = m.reg("address", codes.address_type());
    address.next(address + 1).enable(walk.steps).clear(walk.steps & walk.token_ends);
    let mut pipeline = Pipeline::new(walk.walking, *advance).quiet();
    let codes = codes.read_sync(*address, walk.steps);
    let chunk = walk.step.select(&chunks(layer, token.get("data"), layer.chunks()));
    let chunk = pipeline.stage("chunk", &[chunk])[0];
    let sum = products(&m, spec, &mut pipeline, codes, chunk);

    let marks = delayed_while(&m, "marks", walk.marks(), pipeline.latency(), *advance);
    let ends = Marks::of(marks).output_ends;
    let takes = pipeline.takes().called("sum_taken");
    let fresh = m.reg("fresh", u(1)).reset_to(1).next(ends).enable(takes);
    let accumulator = m.reg("accumulator", half.ty()).no_reset();
    let so_far = fresh.mux(half, *accumulator);
    // a tree of more lanes than inputs is wider than any sum
    accumulator.next(so_far + sum.resize(half.width())).enable(pipeline.takes());
    let summed = m.reg("summed", u(1)).next(pipeline.valid() & ends).enable(*advance);
    assert_eq!(pipeline.latency() + 1, spec.sum_cycles());

    let element = saturate(accumulator.shr(shift), s(8)).named("element");
    let marks = Marks::of(delayed_while(&m, "summed_marks", marks, 1, *advance));
    let out = collect(&m, layer, *summed, element, &marks, &[], advance);
    batch_ends.drive(out.fires() & out.get("last"));
    m.stream_out("out", &out);
    m.finish()
}

/// The load's shift, and half of what it divides by: sums start from it, which rounds them.
fn scale<'m>(
    m: &'m ModuleBuilder,
    spec: &LogLinearSpec,
    weights: &Stream<'m>,
    load_ends: Signal<'m>,
) -> (Signal<'m>, Signal<'m>) {
    let (most, asked) = (spec.largest_shift(), weights.get("shift"));
    let shift = asked.gt(most).mux(m.lit(asked.ty(), most), asked).called("shift_bounded");
    let held = shift.truncate(bits_for(most.into()));
    let shift = m.reg("shift", held.ty()).no_reset().next(held).enable(load_ends);
    let half = m.lit(u(spec.accumulator_bits()), 1).shl(held).shr(1).as_signed();
    let half = m.reg("half", half.ty()).no_reset().next(half).enable(load_ends);
    (*shift, *half)
}

/// The sum of a chunk's products.
fn products<'m>(
    m: &'m ModuleBuilder,
    spec: &LogLinearSpec,
    pipeline: &mut Pipeline<'m>,
    codes: Signal<'m>,
    chunk: Signal<'m>,
) -> Signal<'m> {
    let codes = unpack(codes, u(CODE_BITS), spec.lanes);
    let exponents: Vec<_> = codes.iter().map(|code| code.truncate(EXPONENT_BITS)).collect();
    let exponents = pack(&exponents);
    let next = m.reg("exponents", exponents.ty()).no_reset();
    let exponents =
        unpack(*next.next(exponents).enable(pipeline.takes()), u(EXPONENT_BITS), spec.lanes);
    // signs first: negating the narrow number is cheaper than negating the shifted one
    let signed: Vec<_> = (unpack(chunk, s(8), spec.lanes).iter().zip(&codes))
        .map(|(x, code)| {
            let (negative, zero) = (code.msb(), code.bit(EXPONENT_BITS));
            let x = x.extend(9).called_in(*x, "wide");
            zero.mux(m.lit(s(9), 0), negative.mux(-x, x))
        })
        .collect();
    let signed = pipeline.stage("signed", &signed);
    let terms: Vec<_> = (signed.iter().zip(exponents).enumerate())
        .map(|(lane, (x, exponent))| {
            x.extend(9 + MAX_EXPONENT).shl(exponent).named(format!("term_{lane}"))
        })
        .collect();
    pipelined_adder_tree(pipeline, &terms, LEVELS_PER_STAGE)
}
