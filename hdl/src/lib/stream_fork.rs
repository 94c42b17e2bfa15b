//! One stream into many, and many into one: broadcast, fork and join.
//!
//! Broadcast and fork are eager: each output takes its part as soon as it is ready, and the input
//! passes once the last one has. So no output's valid depends on another's ready, and an offer
//! never goes away.

use super::naming::{check_range, shape};
use crate::Place;
use crate::build::{Bundle, Fields, ModuleBuilder, Stream, field_name, reduce};
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// Sends each payload of `input` to every output once; output `i` gets the fields of `parts[i]`.
///
/// Latency 0, throughput 1 a cycle while all outputs are ready. Registers `{name}{i}_taken`, one an
/// output, remember who has had the payload that is on offer.
#[track_caller]
pub fn fork_stream<'m>(
    m: &'m ModuleBuilder,
    name: &str,
    input: &Stream<'m>,
    parts: Vec<Bundle<'m>>,
) -> Vec<Stream<'m>> {
    let _caller = Place::of_caller();
    assert!(!parts.is_empty(), "fork: there must be at least one output");
    let branch = |(i, part): (usize, Bundle<'m>)| {
        let branch = format!("{name}{i}");
        let taken = m.reg(field_name(&branch, "taken"), u(1));
        (taken, Stream::source(m, &branch, input.valid & !taken, part))
    };
    let branches: Vec<_> = parts.into_iter().enumerate().map(branch).collect();
    let done: Vec<_> = (branches.iter().enumerate())
        .map(|(i, (taken, output))| (*taken | *output.ready).called(format!("{name}{i}_done")))
        .collect();
    let all_done = reduce(&done, |a, b| a & b).named(format!("{name}_all_done"));
    let some_wait = (!all_done).called(format!("{name}_some_wait"));
    for ((taken, _), done) in branches.iter().zip(&done) {
        taken.next(*done & some_wait).enable(input.valid);
    }
    input.ready.drive(all_done);
    branches.into_iter().map(|(_, output)| output).collect()
}

/// Waits for a payload on every stream and passes all their fields at once as stream `name`.
///
/// Latency 0, throughput 1 a cycle; no state. An input's ready depends on the valid of all.
#[track_caller]
pub fn join_streams<'m>(m: &'m ModuleBuilder, name: &str, inputs: &[Stream<'m>]) -> Stream<'m> {
    let _caller = Place::of_caller();
    assert!(!inputs.is_empty(), "join: there must be at least one input");
    let valid = inputs.iter().map(|input| input.valid).collect::<Vec<_>>();
    let all_valid = reduce(&valid, |a, b| a & b).named(format!("{name}_all_valid"));
    let payload = inputs.iter().flat_map(|input| input.payload.iter());
    let output = Stream::source(m, name, all_valid, Bundle::new(payload));
    for input in inputs {
        input.ready.drive(all_valid & *output.ready);
    }
    output
}

/// Every payload of stream `in` goes to each of the streams `out0`, `out1`, ..
///
/// # Panics
/// If `count` is outside `1..=256`.
pub fn broadcast(count: usize, fields: &Fields) -> Arc<Module> {
    check_range("broadcast", "count", count, 1..=256);
    let m = ModuleBuilder::new(format!("broadcast_n{count}_{}", shape(fields)));
    m.doc("Every payload goes to each output once, as soon as that is ready.");
    m.parameter("count", count);
    m.parameter("fields", shape(fields));
    let input = m.stream_in("in", fields);
    let outputs = fork_stream(&m, "out", &input, vec![input.payload.clone(); count]);
    for (i, output) in outputs.iter().enumerate() {
        m.stream_out(&format!("out{i}"), output);
    }
    m.finish()
}

/// Stream `in` has the fields of all `parts`; stream `out0` gets those of the first, and so on.
///
/// # Panics
/// If there is no part. Two fields of one name are a mistake as two ports are.
pub fn fork(parts: &[Fields]) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("fork_{}", shapes(parts)));
    m.doc("Each output takes its part of a payload as soon as it is ready.");
    m.parameter("parts", shapes(parts));
    let input = m.stream_in("in", &parts.concat());
    let part = |part: &Fields| Bundle::new(part.iter().map(|(name, _)| (name, input.get(name))));
    let outputs = fork_stream(&m, "out", &input, parts.iter().map(part).collect());
    for (i, output) in outputs.iter().enumerate() {
        m.stream_out(&format!("out{i}"), output);
    }
    m.finish()
}

/// Streams `in0`, `in1`, .. of the fields in `parts`; stream `out` has all their fields.
///
/// # Panics
/// If there is no part. Two fields of one name are a mistake as two ports are.
pub fn join(parts: &[Fields]) -> Arc<Module> {
    let m = ModuleBuilder::new(format!("join_{}", shapes(parts)));
    m.doc("Passes a payload of every input at once.");
    m.parameter("parts", shapes(parts));
    let inputs: Vec<_> =
        parts.iter().enumerate().map(|(i, part)| m.stream_in(&format!("in{i}"), part)).collect();
    m.stream_out("out", &join_streams(&m, "out", &inputs));
    m.finish()
}

fn shapes(parts: &[Fields]) -> String {
    parts.iter().map(shape).collect::<Vec<_>>().join("_and_")
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    use super::naming::data;
    use crate::build::fields;
    use crate::ty::s;
    let parts = [fields([("value", s(12))]), fields([("index", u(5)), ("last", u(1))]), data(8)];
    vec![
        broadcast(1, &data(8)),
        broadcast(2, &parts[1]),
        broadcast(5, &data(1)),
        fork(&parts[..1]),
        fork(&parts[..2]),
        fork(&parts),
        join(&parts[..1]),
        join(&parts[..2]),
        join(&parts),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::fields;
    use crate::lib::naming::data;
    use crate::lib::testing::{Random, share, simulate};
    use crate::sim::Bench;
    use crate::ty::Int;

    /// What arrives at each of `outputs` when `sent` goes into `inputs`.
    fn run(
        module: &Arc<Module>,
        inputs: &[&str],
        sent: &[Vec<Vec<Int>>],
        outputs: &[&str],
        stall: u64,
    ) -> Vec<Vec<Vec<Int>>> {
        let mut sim = simulate(module);
        let mut bench = Bench::new(&mut sim);
        for (i, (input, sent)) in inputs.iter().zip(sent).enumerate() {
            bench.driver(input, share(stall), i as u64);
            sent.iter().for_each(|payload| bench.drivers[i].push(payload.clone()));
        }
        for (i, output) in outputs.iter().enumerate() {
            bench.monitor(output, share(stall), 50 + i as u64);
        }
        let count = sent[0].len();
        let all_out = |bench: &Bench| bench.monitors.iter().all(|m| m.received.len() == count);
        bench.run_until(5000, &module.name, all_out).unwrap();
        bench.monitors.into_iter().map(|monitor| monitor.received).collect()
    }

    fn payloads(fields: &Fields, seed: u64) -> Vec<Vec<Int>> {
        let mut random = Random::new(seed);
        (0..100).map(|_| fields.iter().map(|(_, ty)| random.value(*ty)).collect()).collect()
    }

    #[test]
    fn broadcast_reaches_everybody_once() {
        for count in [1, 2, 3, 5] {
            for stall in [0, 30, 60] {
                let sent = payloads(&data(8), 1);
                let outputs = &["out0", "out1", "out2", "out3", "out4"][..count];
                let module = broadcast(count, &data(8));
                let received = run(&module, &["in"], std::slice::from_ref(&sent), outputs, stall);
                assert!(received.iter().all(|received| *received == sent));
            }
        }
    }

    #[test]
    fn fork_and_join_split_and_merge_fields() {
        let parts =
            [fields([("a", u(3))]), fields([("b", u(8)), ("c", u(1))]), fields([("d", u(70))])];
        let whole = payloads(&parts.concat(), 2);
        let take = |from: usize, to: usize| -> Vec<Vec<Int>> {
            whole.iter().map(|payload| payload[from..to].to_vec()).collect()
        };
        let split = [take(0, 1), take(1, 3), take(3, 4)];
        for stall in [0, 30, 60] {
            let (one, three) = (["in"], ["out0", "out1", "out2"]);
            let received = run(&fork(&parts), &one, std::slice::from_ref(&whole), &three, stall);
            assert_eq!(received, split);
            let received = run(&join(&parts), &["in0", "in1", "in2"], &split, &["out"], stall);
            assert_eq!(received[0], whole);
        }
    }
}
