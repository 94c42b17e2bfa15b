//! Many streams into one: an arbiter that is fair, and a multiplexer that is told.

use super::naming::{check_range, shape};
use super::priority_encoder::one_hot_index;
use super::round_robin::round_robin;
use crate::Place;
use crate::build::{Fields, ModuleBuilder, Signal, Stream, cat, reduce};
use crate::netlist::Module;
use crate::ty::{index_bits, u};
use std::sync::Arc;

/// The stream among `inputs` that the one-hot `grant` (bit `i` for input `i`) points at.
#[track_caller]
fn granted<'m>(m: &'m ModuleBuilder, inputs: &[Stream<'m>], grant: Signal<'m>) -> Stream<'m> {
    let _caller = Place::of_caller();
    let any = |signals: Vec<Signal<'m>>| reduce(&signals, |a, b| a | b);
    let each = || inputs.iter().zip(0..).map(|(input, i)| (input, grant.bit(i)));
    let valid = any(each().map(|(input, chosen)| input.valid & chosen).collect());
    let payload = inputs[0].payload.map(|field, value| {
        let masked = each()
            .map(|(input, chosen)| input.get(field).as_unsigned() & chosen.repeat(value.width()));
        any(masked.collect()).cast(value.ty())
    });
    let output = Stream::source(m, "out", valid, payload);
    for (input, chosen) in each() {
        input.ready.drive(chosen & *output.ready);
    }
    output
}

fn inputs<'m>(m: &'m ModuleBuilder, count: usize, fields: &Fields) -> Vec<Stream<'m>> {
    (0..count).map(|i| m.stream_in(&format!("in{i}"), fields)).collect()
}

/// A fair arbiter: streams `in0`, `in1`, .. of the given fields, stream `out` of the same fields
/// and `source`, the number of the input it came from.
///
/// Latency 0, throughput 1 a cycle. An offer at `out` stays until it is taken, whoever comes
/// meanwhile. While all inputs offer, each gets every `count`-th payload through. `ready` of an
/// input depends on the valid of all and on `out`'s ready.
///
/// # Panics
/// If `count` is outside `1..=256`.
pub fn stream_arbiter(count: usize, fields: &Fields) -> Arc<Module> {
    check_range("stream_arbiter", "count", count, 1..=256);
    let m = ModuleBuilder::new(format!("stream_arbiter_n{count}_{}", shape(fields)));
    m.doc("Round-robin arbiter of streams; source says which input a payload came from.");
    m.parameter("count", count);
    m.parameter("fields", shape(fields));
    let inputs = inputs(&m, count, fields);
    let served = m.wire("served", u(1));
    let requests: Vec<_> = inputs.iter().rev().map(|input| input.valid).collect();
    let turn = round_robin("turn", cat(&requests).named("requests"), *served);
    // An offer that had to wait is made again, so that it does not change under way.
    let waits = m.reg("waits", u(1));
    let waiting_grant = m.reg("waiting_grant", turn.ty()).no_reset();
    let grant = waits.mux(*waiting_grant, turn).named("grant");
    let output = granted(&m, &inputs, grant);
    // Served when offered: a waiting offer is served already, whatever comes.
    served.drive(output.valid & !waits);
    waits.next(output.valid & !*output.ready);
    waiting_grant.next(grant).enable(!waits);
    let payload = output.payload.clone().with("source", one_hot_index(grant));
    m.stream_out("out", &output.with_payload(payload));
    m.finish()
}

/// A multiplexer: streams `in0`, `in1`, .. of the given fields, in `select`, stream `out`.
///
/// Latency 0, throughput 1 a cycle. `select` must stay while an offer at `out` waits; beyond
/// `count` it selects nothing.
///
/// # Panics
/// If `count` is outside `1..=256`.
pub fn stream_mux(count: usize, fields: &Fields) -> Arc<Module> {
    check_range("stream_mux", "count", count, 1..=256);
    let m = ModuleBuilder::new(format!("stream_mux_n{count}_{}", shape(fields)));
    m.doc("Passes the stream that select names.");
    m.parameter("count", count);
    m.parameter("fields", shape(fields));
    let select = m.input("select", u(index_bits(count)));
    let inputs = inputs(&m, count, fields);
    let chosen: Vec<_> = (0..count).rev().map(|i| select.eq(i)).collect();
    let output = granted(&m, &inputs, cat(&chosen).named("chosen"));
    m.stream_out("out", &output);
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use super::naming::data;
    use crate::build::fields;
    use crate::ty::s;
    let wide = fields([("value", s(12)), ("last", u(1))]);
    vec![
        stream_arbiter(1, &data(8)),
        stream_arbiter(2, &data(8)),
        stream_arbiter(5, &wide),
        stream_mux(1, &data(8)),
        stream_mux(2, &data(8)),
        stream_mux(5, &wide),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::naming::data;
    use crate::lib::testing::{Random, share, simulate};
    use crate::sim::Bench;
    use crate::ty::Int;

    fn payloads(source: usize, count: usize) -> Vec<Vec<Int>> {
        (0..count).map(|i| vec![Int::from(source * 1000 + i)]).collect()
    }

    #[test]
    fn arbiter_passes_all_in_order() {
        for count in [1, 2, 3, 5] {
            for stall in [0, 40, 70] {
                let mut sim = simulate(&stream_arbiter(count, &data(16)));
                let mut bench = Bench::new(&mut sim);
                bench.monitor("out", share(stall), 99);
                let all: Vec<_> = (0..count).map(|i| payloads(i, 40)).collect();
                for (i, payloads) in all.iter().enumerate() {
                    bench.driver(&format!("in{i}"), share(stall), i as u64);
                    payloads.iter().for_each(|payload| bench.drivers[i].push(payload.clone()));
                }
                let all_out = |bench: &Bench| bench.monitors[0].received.len() == 40 * count;
                bench.run_until(2000, "the arbiter", all_out).unwrap();
                let received = &bench.monitors[0].received;
                for (source, sent) in all.iter().enumerate() {
                    let from_it = |payload: &&Vec<Int>| payload[1] == Int::from(source);
                    let received = received.iter().filter(from_it);
                    let received: Vec<_> = received.map(|payload| payload[..1].to_vec()).collect();
                    assert_eq!(&received, sent);
                }
                if stall == 0 {
                    let turns = received.iter().map(|payload| payload[1].clone());
                    let in_turn = (0..40 * count).map(|i| Int::from(i % count));
                    assert!(turns.eq(in_turn), "everybody offers, so they take turns");
                }
            }
        }
    }

    #[test]
    fn mux_passes_the_selected() {
        for count in [1, 2, 5] {
            let module = stream_mux(count, &data(16));
            let mut sim = simulate(&module);
            let mut random = Random::new(count as u64);
            let mut select = 0;
            let mut held = false;
            for round in 0..300u32 {
                if !held {
                    select = random.below(1 << index_bits(count));
                }
                sim.poke("select", select);
                for i in 0..count {
                    sim.poke(&format!("in{i}_valid"), 1);
                    sim.poke(&format!("in{i}_data"), i);
                }
                let ready = u64::from(round % 3 != 0);
                sim.poke("out_ready", ready);
                let exists = select < count as u64;
                assert_eq!(sim.peek_u64("out_valid") == 1, exists);
                for i in 0..count {
                    let turn = select == i as u64;
                    assert_eq!(sim.peek_u64(&format!("in{i}_ready")), ready * u64::from(turn));
                }
                if exists {
                    assert_eq!(sim.peek_u64("out_data"), select);
                }
                held = exists && ready == 0;
                sim.step();
            }
        }
    }
}
