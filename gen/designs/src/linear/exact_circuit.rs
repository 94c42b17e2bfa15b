//! `linear`: two small multipliers a lane, for both parts of a weight or for two weights.
//!
//! ```text
//! weights -> nibble banks --+
//! tokens --> token -> chunks --> operands --> products, adder tree --> accumulator --+
//! scales --> memory ---------------------------------- bias -----------^             |
//!               +--- multiplier, shift --> product -> shift, saturate -> table -> result
//! ```

use super::LinearSpec;
use super::batch::Batch;
use super::collect::collect;
use super::cost::LEVELS_PER_STAGE;
use super::load::{Banks, HIGH_BITS, LOW_BITS, Load, Scale, Table, high_nibble, scales};
use super::walk::{Marks, Walk, chunks, step_type};
use crate::wiring::{delayed_while, held, pack, unpack};
use hwgen_hdl::lib::adder_tree::pipelined_adder_tree;
use hwgen_hdl::lib::pipeline::Pipeline;
use hwgen_hdl::lib::rounding::{Rounding, round_shift_by};
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Module, ModuleBuilder, Signal, Stream, fields, s, u};
use std::sync::Arc;

/// Bits of a product of two int8 numbers.
const TERM_BITS: u32 = 16;
/// A four-bit product is as many int8 products.
const NIBBLE_UNIT_BITS: u32 = 8;

/// What differs between the layers that are made of this one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Has the stream `table`; else the activation is the identity.
    pub(super) activation: bool,
    /// `out` has the token's `precise`, for a layer behind this one.
    pub(super) passes_precise: bool,
    /// `tokens` has `empty` before `last`: such a token has no elements and takes one step; its result
    /// says nothing but `last`.
    pub(super) empty_tokens: bool,
}

/// The circuit; top module `name`. Streams as `docs/linear.md` tells, but for its form.
pub(super) fn module(name: &str, spec: &LinearSpec, form: Form) -> Arc<Module> {
    let layer = spec.layer();
    let m = ModuleBuilder::new(name);
    m.doc("Linear layer of int8 tokens and weights; four bits for tokens that are not precise.");
    let data = u(layer.chunk_bits());
    let weights = m.stream_in("weights", &fields([("data", data), ("last", u(1))]));
    let scale = m.stream_in("scales", &spec.scale_fields());
    let table =
        form.activation.then(|| m.stream_in("table", &fields([("value", s(8)), ("last", u(1))])));
    let mut token_fields = spec.token_fields();
    if form.empty_tokens {
        token_fields.insert(2, ("empty".to_owned(), u(1)));
    }
    let tokens = m.stream_in("tokens", &token_fields);
    let (advance, batch_ends) = (m.wire("advance", u(1)), m.wire("batch_done", u(1)));

    let streams =
        [("weights", Some(&weights)), ("scales", Some(&scale)), ("table", table.as_ref())];
    let load = Load::new(&m, streams);
    let batch = Batch::new(&m, load.ends, &tokens, *batch_ends);
    load.taken_while(batch.loading);
    let banks = Banks::new(&m, spec, &weights);
    let table = table.map(|table| Table::new(&m, &table));

    let token = batch.hold(&tokens);
    let precise = token.get("precise");
    let last_step = precise.mux(m.lit(step_type(layer), layer.chunks() - 1), spec.pairs() - 1);
    let empty = form.empty_tokens.then(|| token.get("empty"));
    let walk = Walk::new(&m, layer, &token, |step| step.eq(last_step), empty, *advance);
    let mut pipeline = Pipeline::new(walk.walking, *advance).quiet();
    let sum = sums(&m, spec, &mut pipeline, &banks, &token, &walk);

    let marks = pack(&[walk.marks(), precise]);
    let marks = delayed_while(&m, "marks", marks, pipeline.latency(), *advance);
    let precise = marks.msb();
    let marks = if form.passes_precise { marks } else { marks.truncate(3) };
    let Marks { output_ends, token_ends, .. } = Marks::of(marks);
    let ends = (pipeline.takes() & output_ends).named("sum_ends");
    let scale = scales(&m, spec, &scale, load.ends, (ends, token_ends));
    let takes = pipeline.takes().called("sum_taken");
    let fresh = m.reg("fresh", u(1)).reset_to(1).next(output_ends).enable(takes);
    let accumulator = m.reg("accumulator", s(spec.accumulator_bits())).no_reset();
    let so_far = fresh.mux(scale.bias.extend(accumulator.width()), *accumulator).called("so_far");
    // a tree of more lanes than inputs is wider than any sum
    let sum = sum.resize(accumulator.width());
    let sum = precise.mux(sum, sum.shl(NIBBLE_UNIT_BITS)).named("sum_in_units");
    accumulator.next(so_far + sum).enable(pipeline.takes());
    let summed = m.reg("summed", u(1)).next(pipeline.valid() & output_ends).enable(*advance);
    assert_eq!(pipeline.latency() + 1, spec.sum_cycles());

    let mut results = Pipeline::new(*summed, *advance).quiet();
    let element = element(&m, &mut results, *accumulator, &scale, ends, table.as_ref());
    let marks = delayed_while(&m, "summed_marks", marks, results.latency() + 1, *advance);
    let precise = form.passes_precise.then(|| ("precise", marks.msb()));
    let beside = precise.as_slice();
    let out = collect(&m, layer, results.valid(), element, &Marks::of(marks), beside, advance);
    batch_ends.drive(out.fires() & out.get("last"));
    m.stream_out("out", &out);
    m.finish()
}

/// The sum of a step's products, in the units of the token's precision.
fn sums<'m>(
    m: &'m ModuleBuilder,
    spec: &LinearSpec,
    pipeline: &mut Pipeline<'m>,
    banks: &Banks<'m>,
    token: &Stream<'m>,
    walk: &Walk<'m>,
) -> Signal<'m> {
    let (layer, precise) = (spec.layer(), token.get("precise"));
    let all = chunks(layer, token.get("data"), 2 * spec.pairs());
    let even: Vec<_> = all.iter().step_by(2).copied().collect();
    let odd: Vec<_> = all.iter().skip(1).step_by(2).copied().collect();
    let ends = walk.steps & walk.token_ends;

    let Some(odd_bank) = banks.odd else {
        // a beat an output: the second multiplier has work for precise tokens only
        let address = m.reg("address", banks.even.address_type());
        address.next(address + 1).enable(walk.steps).clear(ends);
        let high = banks.even.read_sync(*address, walk.steps);
        let low = banks.low.read_sync(*address, walk.steps & precise);
        let stage = pipeline.stage("chunk", &[even[0], precise]);
        let (chunk, precise) = (stage[0], stage[1]);
        let low = unpack(low, s(LOW_BITS), layer.lanes);
        let second = low.iter().map(|&low| precise.mux(low, 0)).collect();
        let first = unpack(high, s(HIGH_BITS), layer.lanes);
        return products(spec, pipeline, precise, [chunk; 2], [first, second]);
    };
    let parity = (precise & walk.step.bit(0)).named("parity");
    let pair_ends = ((!precise).called("imprecise") | parity | walk.output_ends).named("pair_ends");
    let pair = match walk.step.width() {
        1 => precise.mux(m.lit(u(1), 0), walk.step),
        bits => precise.mux(walk.step.slice(bits - 1, 1).extend(bits), walk.step),
    };
    let pair = pair.truncate(hwgen_hdl::index_bits(spec.pairs() as usize)).named("pair");
    let address = m.reg("pair_address", banks.even.address_type());
    address.next(address + 1).enable(walk.steps & pair_ends).clear(ends);
    let low_address = m.reg("low_address", banks.low.address_type());
    let reads_low = (walk.steps & precise).called("reads_low");
    low_address.next(low_address + 1).enable(reads_low).clear(ends);

    // an odd number of beats leaves the last even one without a partner
    let alone = match layer.chunks() % 2 {
        0 => m.lit(u(1), 0),
        _ => (!precise & walk.output_ends).called("alone"),
    };
    let reads_odd = (precise.mux(parity, !alone) & walk.steps).named("reads_odd");
    let high_even = banks.even.read_sync(*address, walk.steps & !parity);
    let high_odd = odd_bank.read_sync(*address, reads_odd);
    let low = banks.low.read_sync(*low_address, walk.steps & precise);
    let even = pair.select(&even).called("even_chunk");
    let odd = pair.select(&odd).called("odd_chunk");
    let first = parity.mux(odd, even).called("first_chunk");
    let second = precise.mux(first, odd);
    let stage = pipeline.stage("chunk", &[first, second, precise, parity, alone]);
    let [first, second, precise, parity, alone] = stage[..] else {
        unreachable!("a stage returns as many signals as it is given")
    };
    let high = parity.mux(high_odd, high_even).called("high");
    let highs = unpack(high, s(HIGH_BITS), layer.lanes);
    let odds = unpack(high_odd, s(HIGH_BITS), layer.lanes);
    let lows = unpack(low, s(LOW_BITS), layer.lanes);
    let seconds = (odds.iter().zip(lows)).map(|(odd, low)| {
        let odd = alone.mux(m.lit(s(LOW_BITS), 0), odd.extend(LOW_BITS));
        precise.mux(low, odd)
    });
    products(spec, pipeline, precise, [first, second], [highs, seconds.collect()])
}

/// The sum over lanes of two products each, the first 16 times as much worth if `precise`.
fn products<'m>(
    spec: &LinearSpec,
    pipeline: &mut Pipeline<'m>,
    precise: Signal<'m>,
    chunks: [Signal<'m>; 2],
    weights: [Vec<Signal<'m>>; 2],
) -> Signal<'m> {
    let lanes = spec.lanes as usize;
    let operand = |x: Signal<'m>| {
        let used = precise.mux(x, high_nibble(x).extend(8));
        used.called_in(x, "used")
    };
    let mut operands: Vec<_> = (chunks.into_iter())
        .flat_map(|chunk| unpack(chunk, s(8), spec.lanes))
        .map(operand)
        .collect();
    operands.extend(weights.concat().iter().map(|weight| weight.extend(LOW_BITS)));
    operands.push(precise);
    let operands = pipeline.stage("operand", &operands);
    let (x, weights) = operands[..4 * lanes].split_at(2 * lanes);
    let mut multiplied: Vec<_> = x.iter().zip(weights).map(|(x, w)| x.mul(*w)).collect();
    multiplied.push(operands[4 * lanes]);
    let multiplied = pipeline.stage("product", &multiplied);
    let precise = multiplied[2 * lanes];
    let terms: Vec<_> = (0..lanes)
        .map(|lane| {
            let first = multiplied[lane].extend(TERM_BITS);
            let first = precise.mux(first.shl(HIGH_BITS), first);
            (first + multiplied[lanes + lane].extend(TERM_BITS)).named(format!("term_{lane}"))
        })
        .collect();
    pipelined_adder_tree(pipeline, &terms, LEVELS_PER_STAGE)
}

/// What a sum becomes: scaled, rounded, held to eight bits, looked up.
fn element<'m>(
    m: &'m ModuleBuilder,
    results: &mut Pipeline<'m>,
    sum: Signal<'m>,
    scale: &Scale<'m>,
    sum_ends: Signal<'m>,
    table: Option<&Table<'m>>,
) -> Signal<'m> {
    // the next output's scale shows already
    let multiplier = held(m, "multiplier", scale.multiplier, sum_ends);
    let shift = held(m, "shift", scale.shift, sum_ends);
    let scaled = results.stage("scaled", &[sum.mul(multiplier.to_signed()), shift]);
    let rounded = round_shift_by(scaled[0], scaled[1], Rounding::HalfUp);
    let q = results.stage("quantized", &[saturate(rounded, s(8))])[0];
    let read = |table: &Table<'m>, takes| {
        (table.identity, table.values.read_sync(q.as_unsigned(), takes & !table.identity))
    };
    let read = table.map(|table| read(table, results.takes()));
    let q = results.stage("activated", &[q])[0];
    match read {
        None => q,
        Some((identity, value)) => identity.mux(q, value).named("element"),
    }
}
