//! The core: a sequencer that fetches jobs and runs them.
//!
//! ```text
//! load --> program --> job --+--> walk --> addresses --> activations --> operands --+
//!      --> weights ----------|----------------------------------------> operands --+--> lanes
//!      --> scales -----------|--> drain: shadow, requantizers <--------------------------+
//! in ---> activations <------|------- bytes <--+
//! out <-- activations <------+
//! ```

use super::CnnSpec;
use super::drain::{Drained, Group, ScaleSource, Term, drain};
use super::fields::{
    ADD, CONVOLVE, FILL, INPUT, JOB_WORDS, JobFields, JobSignals, LOOKUP, OUTPUT, SOFTMAX,
};
use super::fill::Fill;
use super::image::Image;
use super::lane;
use super::load::Load;
use super::memory::{
    Halves, Read, Row, Weights, Write, activations, any, broadcast, select, weights,
};
use super::registers::{Events, registers};
use super::rom::rom;
use super::softmax::{BYTE_CYCLES, ENTRY_BITS, Softmax};
use super::walk::{Walk, group_of};
use crate::wiring::{delayed, delayed_flag, pack, unpack};
use hwgen_hdl::{Bundle, Module, ModuleBuilder, Signal, Stream, cat, fields, index_bits, s, u};
use std::sync::Arc;

/// Cycles from a step to its operands in registers.
const OPERAND_CYCLES: u32 = 3;

/// The circuit, top module `name`. With `contents` its memories hold them from the start and there
/// is no stream `load`.
pub(super) fn module(name: &str, spec: &CnnSpec, contents: Option<&Image>) -> Arc<Module> {
    let m = ModuleBuilder::new(name);
    m.doc("Quantized networks, a job after the other: convolutions, dense layers, pools, sums.");
    let byte = u(8 * spec.results);
    let input = m.stream_in("in", &fields([("data", byte), ("last", u(1))]));

    let (begins, ends) = (m.wire("job_begins", u(1)), m.wire("job_ends", u(1)));
    let waits = m.wire("waits_for_input", u(1));
    let mut load = match contents {
        None => Loading::stream(&m, spec, *waits),
        Some(_) => Loading::none(&m, spec),
    };
    let sequence = Sequence::new(&m, spec, &load, contents, *ends);
    begins.drive(sequence.begins);
    let job = &sequence.job;
    let runs = |kind: u32, name: &str| {
        (sequence.running & job.kind.eq(kind)).named(format!("runs_{name}"))
    };
    let (comes, goes) = (runs(INPUT, "input"), runs(OUTPUT, "output"));
    let (convolves, adds) = (runs(CONVOLVE, "convolve"), runs(ADD, "add"));

    let walk_begins = (*begins & job.kind.eq(CONVOLVE)).called("walk_begins");
    let walk = Walk::new(&m, spec, job, walk_begins, convolves);
    let transfer = Transfer::new(&m, spec, job, *begins, comes, goes);
    let addition = spec.additions.then(|| Addition::new(&m, spec, job, *begins, adds));
    let byte = m.wire("byte_read", s(8));
    let softmax = load.tables.as_ref().map(|rows| {
        let tables = contents.map(|image| &image.tables[..]);
        let runs = runs(SOFTMAX, "softmax") | runs(LOOKUP, "lookup");
        Softmax::new(&m, spec, job, *begins, runs, *byte, (rows, tables))
    });
    let fill = spec.matrices.then(|| Fill::new(&m, spec, job, *begins, runs(FILL, "fill"), *byte));

    // one write port: of beats that come in, or of results
    let drained = Ports::new(&m, spec);
    let taken = input.fires();
    let written = Write {
        enable: (taken | drained.enable).called("bytes_written"),
        address: taken.mux(transfer.address, drained.address).called("bytes_written_at"),
        group: taken.mux(m.lit(drained.group.ty(), 0), drained.group).called("written_group"),
        bytes: (unpack(input.get("data"), s(8), spec.results).iter().zip(&drained.bytes))
            .map(|(come, made)| taken.mux(*come, *made))
            .collect(),
    };
    let mut addresses = walk.addresses.clone();
    if let Some(fill) = &fill {
        load.weights = fill.over(load.weights);
    }
    let units: Vec<_> = [
        softmax.as_ref().map(|it| Unit::new(it.reads, it.read_address, it.done)),
        addition.as_ref().map(|it| Unit::new(it.reads, it.address, it.done)),
        fill.as_ref().map(|it| Unit::new(it.reads, it.address, it.done)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let transfer_or_step = transfer.reads.mux(transfer.address, addresses[0]);
    addresses[0] =
        units.iter().fold(transfer_or_step, |other, unit| unit.reads.mux(unit.address, other));
    let reads_chunk: Vec<_> = units.iter().map(|unit| unit.reads).chain([transfer.reads]).collect();
    let reads_chunk = any(&reads_chunk).named("chunk_reads");
    let reads = (walk.steps | reads_chunk).named("activations_read");
    let halves = spec.nibbles.then(|| {
        let second = addition.as_ref().map(|it| it.reads & it.second);
        let read = match second {
            Some(second) => second.mux(job.second_nibbles, job.input_nibbles),
            None => job.input_nibbles,
        };
        Halves { read: read.named("reads_nibbles"), written: job.output_nibbles }
    });
    let read = activations(&m, spec, written, &addresses, reads, halves);

    let (bits, dual) = (job.weight_bits, spec.dual.then_some(job.dual));
    let wanted = Weights { plane: walk.plane, bits, shared: job.shared, dual, enable: walk.steps };
    let planes = contents.map(|image| &image.planes[..]);
    let weights = weights(&m, spec, &load.weights, &wanted, planes);
    let sums = lanes(&m, spec, job, &walk, &read, &weights);

    let cycles = OPERAND_CYCLES + lane::LATENCY;
    let outputs = walk.outputs.iter().enumerate().map(|(p, output)| {
        let name = if p == 0 { "group_output".into() } else { format!("group_output_{p}") };
        delayed(&m, &name, *output, cycles)
    });
    let group = Group {
        done: delayed_flag(&m, "group_done", walk.steps & walk.ends, cycles),
        block_ends: delayed(&m, "group_block_ends", walk.block_ends, cycles),
        outputs: outputs.collect(),
        whole: delayed(&m, "group_whole", walk.whole, cycles),
        sums: sums.first,
        twins: sums.second,
    };
    let read_chunk = delayed_flag(&m, "chunk_read", reads_chunk, 2);
    let held: Vec<_> = (read[0].chunk.iter().enumerate())
        .map(|(r, byte)| {
            m.reg(format!("chunk_{r}"), s(8)).no_reset().next(*byte).enable(read_chunk)
        })
        .map(|register| *register)
        .collect();
    byte.drive(match read[0].within {
        Some(within) if softmax.is_some() || fill.is_some() => {
            delayed(&m, "byte_within", within, BYTE_CYCLES - 2).select(&held)
        }
        _ => held[0],
    });
    let term = addition.as_ref().map(|addition| Term {
        valid: delayed_flag(&m, "term_valid", addition.reads, OPERAND_CYCLES),
        second: delayed(&m, "term_second", addition.second, OPERAND_CYCLES),
        bytes: held.clone(),
        output: delayed(&m, "term_output", addition.output, OPERAND_CYCLES),
    });
    let contents = contents.map(|image| &image.scales[..]);
    let source = ScaleSource { load: load.scales, contents };
    let Drained { write, busy } = drain(&m, spec, job, *begins, &group, term.as_ref(), &source);
    let write = match &softmax {
        None => write,
        Some(softmax) => softmax.over(&m, spec, write),
    };
    drained.drive(&write);

    let in_flight = m.reg("in_flight", u(cycles));
    in_flight.next(in_flight.truncate(cycles - 1).cat(reads));
    let units_done = units.iter().map(|unit| unit.done);
    let work_done: Vec<_> = units_done.chain([walk.done & sequence.running]).collect();
    let work_done = any(&work_done).named("work_done");
    let drains = m.reg("waits_for_results", u(1));
    let quiet = (*drains & !busy & !in_flight.any()).named("results_are_there");
    drains.next(m.lit(u(1), 1)).enable(work_done).clear(quiet);
    sequence.stops.drive(work_done);
    ends.drive(quiet | transfer.done);

    let idle_input = (comes & transfer.nothing_yet).named("awaits_first_beat");
    waits.drive(idle_input | !sequence.started);
    input.ready.drive(comes & !load.open);
    transfer.takes.drive(taken);
    let last_beat = send(&m, job, &transfer, &held);
    let events = Events {
        started: sequence.started,
        waiting: idle_input,
        first_beat: taken & transfer.nothing_yet,
        last_beat,
        steps: spec.counters.then(|| [walk.steps, walk.steps & job.dual]),
    };
    registers(&m, &events);
    m.output("waiting", idle_input);
    m.finish()
}

/// What runs jobs of its own kind beside the array: one at a time reads activations, its results go the
/// way of all.
struct Unit<'m> {
    reads: Signal<'m>,
    address: Signal<'m>,
    /// It has no more to begin.
    done: Signal<'m>,
}

impl<'m> Unit<'m> {
    fn new(reads: Signal<'m>, address: Signal<'m>, done: Signal<'m>) -> Unit<'m> {
        Unit { reads, address, done }
    }
}

/// What fills the memories, if anything does.
struct Loading<'m> {
    program: Row<'m>,
    weights: Row<'m>,
    scales: Row<'m>,
    tables: Option<Row<'m>>,
    start: Signal<'m>,
    open: Signal<'m>,
}

impl<'m> Loading<'m> {
    fn stream(m: &'m ModuleBuilder, spec: &CnnSpec, allowed: Signal<'m>) -> Loading<'m> {
        let Load { program, weights, scales, tables, start, open } = Load::new(m, spec, allowed);
        Loading { program, weights, scales, tables, start, open }
    }

    fn none(m: &'m ModuleBuilder, spec: &CnnSpec) -> Loading<'m> {
        let row = |depth: usize, bits: u32| Row {
            enable: m.lit(u(1), 0),
            address: m.lit(u(hwgen_hdl::index_bits(depth)), 0),
            data: m.lit(u(bits), 0),
        };
        // out of reset the program starts by itself
        let begun = m.reg("begun", u(1)).next(m.lit(u(1), 1));
        Loading {
            program: row(spec.program_words(), 32),
            weights: row(spec.weight_rows as usize, spec.weight_row_bits()),
            scales: row(spec.scale_rows as usize, spec.scale_row_bits()),
            tables: (spec.softmax_tables > 0)
                .then(|| row(256 * spec.softmax_tables as usize, ENTRY_BITS)),
            start: !*begun,
            open: m.lit(u(1), 0),
        }
    }
}

/// Fetches jobs.
struct Sequence<'m> {
    job: JobSignals<'m>,
    started: Signal<'m>,
    /// The job is in its registers, for one cycle.
    begins: Signal<'m>,
    /// It is at work; its last cycle may have passed but for results.
    running: Signal<'m>,
    /// To be driven: the job has no more to begin.
    stops: hwgen_hdl::Wire<'m>,
}

impl<'m> Sequence<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        load: &Loading<'m>,
        contents: Option<&Image>,
        ends: Signal<'m>,
    ) -> Sequence<'m> {
        let started = m.reg("started", u(1)).next(m.lit(u(1), 1)).enable(load.start);
        let fetched = m.reg("words_fetched", u(hwgen_hdl::bits_for(u64::from(JOB_WORDS))));
        let fetching = m.reg("fetching", u(1));
        let last_word = (*fetching & fetched.eq(JOB_WORDS)).named("last_word_comes");
        let restarts = (load.start | ends).called("fetch_restarts");
        fetching.next(restarts).enable(restarts | last_word);
        fetched.next(*fetched + 1).enable(*fetching).clear(load.start | last_word);
        let reads = (*fetching & !last_word).named("fetches");
        let depth = spec.program_words();
        let word_address = m.reg("next_word", u(index_bits(depth)));
        let word = match contents {
            Some(image) => rom(m, "job_memory", (depth, 32), image.program(), *word_address, reads),
            None => {
                // a core that is started before it has all of a program awaits input: `ready` never
                // depends on what nothing has set
                let memory = m.memory("job_memory", depth, u(32)).init(vec![0; depth]);
                memory.write(load.program.address, load.program.data, load.program.enable);
                memory.read_sync(*word_address, reads)
            }
        };
        let comes = m.reg("word_comes", u(1)).next(reads);
        // each word in registers of its own: those of bits that no one reads are left out
        let held = |index: u32| {
            let register = m.reg(format!("job_word_{index}"), u(32)).no_reset().next(word);
            *register.enable(*comes & fetched.eq(index + 1))
        };
        let words: Vec<_> = (0..JOB_WORDS).rev().map(held).collect();
        let job = JobFields::unpack(cat(&words));
        let to_first = load.start | (ends & job.last);
        word_address.next(*word_address + 1).enable(reads).clear(to_first);
        let begins = delayed_flag(m, "begins", last_word & !load.start, 1);
        let stops = m.wire("job_stops", u(1));
        let running = m.reg("running", u(1));
        running.next(begins).enable(begins | *stops).clear(load.start | ends);
        Sequence { job, started: *started, begins, running: *running, stops }
    }
}

/// Beats that come or go.
struct Transfer<'m> {
    address: Signal<'m>,
    reads: Signal<'m>,
    nothing_yet: Signal<'m>,
    done: Signal<'m>,
    /// To be driven: a beat has come, a beat has gone.
    takes: hwgen_hdl::Wire<'m>,
    sends: hwgen_hdl::Wire<'m>,
    last: Signal<'m>,
}

impl<'m> Transfer<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        input: Signal<'m>,
        output: Signal<'m>,
    ) -> Transfer<'m> {
        let (takes, sends) = (m.wire("beat_comes", u(1)), m.wire("beat_goes", u(1)));
        let moves = (*takes | *sends).named("beat_moves");
        let count = m.reg("beats_moved", u(20)).no_reset();
        let (now, changes) =
            ((*count + 1).called("beats_now"), (begins | moves).called("beats_change"));
        count.next(begins.mux(m.lit(u(20), 0), now)).enable(changes);
        let last = now.eq(job.positions).named("last_beat");
        let address = m.reg("beat_address", u(spec.byte_bits())).no_reset();
        let start = (job.kind.eq(INPUT)).mux(job.output, job.input);
        let start = start.truncate(spec.byte_bits());
        address.next(begins.mux(start, *address + spec.results)).enable(changes);
        let nothing_yet = count.eq(0).named("no_beat_yet");
        // the next is read when there is none on its way, and one is left
        let pending = m.reg("beat_pending", u(1));
        let reads = (output & !*pending).named("beat_reads");
        pending.next(reads).enable(reads | *sends).clear(begins);
        let done = (moves & last & (input | output)).named("transfer_done");
        Transfer { address: *address, reads, nothing_yet, done, takes, sends, last }
    }
}

/// Stream `out`; returns whether the program's last beat goes.
fn send<'m>(
    m: &'m ModuleBuilder,
    job: &JobSignals<'m>,
    transfer: &Transfer<'m>,
    chunk: &[Signal<'m>],
) -> Signal<'m> {
    let valid = m.reg("out_holds", u(1));
    let comes = delayed_flag(m, "out_comes", transfer.reads, 2);
    let bytes: Vec<_> = chunk.iter().map(|byte| byte.as_unsigned()).collect();
    let last = transfer.last & job.last;
    let payload = Bundle::new([("data", pack(&bytes)), ("last", last)]);
    let out = Stream::source(m, "out", *valid, payload);
    let fires = out.fires();
    valid.next(comes).enable(comes | fires);
    transfer.sends.drive(fires);
    m.stream_out("out", &out);
    (fires & last).named("last_beat_goes")
}

/// Reads the terms of an addition, in two of three cycles.
struct Addition<'m> {
    reads: Signal<'m>,
    second: Signal<'m>,
    address: Signal<'m>,
    output: Signal<'m>,
    done: Signal<'m>,
}

impl<'m> Addition<'m> {
    fn new(
        m: &'m ModuleBuilder,
        spec: &CnnSpec,
        job: &JobSignals<'m>,
        begins: Signal<'m>,
        runs: Signal<'m>,
    ) -> Addition<'m> {
        let phase = m.reg("add_phase", u(2));
        let turns = (runs & phase.eq(2)).named("add_turns");
        phase.next(*phase + 1).enable(runs).clear(begins | turns);
        let address = |name: &str, start: Signal<'m>| {
            let register = m.reg(name, u(spec.byte_bits())).no_reset();
            let start = start.truncate(spec.byte_bits());
            register.next(begins.mux(start, *register + spec.results)).enable(begins | turns);
            *register
        };
        let (first, other) =
            (address("first_address", job.input), address("second_address", job.second));
        let output = address("sum_address", job.output);
        let left = m.reg("chunks_to_add", u(20)).no_reset();
        left.next(begins.mux(job.positions, *left - 1)).enable(begins | turns);
        let second = phase.eq(1).named("second_term");
        let reads = (runs & !phase.eq(2)).named("term_reads");
        let done = (turns & left.eq(1)).named("addition_done");
        Addition { reads, second, address: second.mux(other, first), output, done }
    }
}

/// Signals that are driven further down.
struct Ports<'m> {
    enable: Signal<'m>,
    address: Signal<'m>,
    group: Signal<'m>,
    bytes: Vec<Signal<'m>>,
    wires: Vec<hwgen_hdl::Wire<'m>>,
}

impl<'m> Ports<'m> {
    fn new(m: &'m ModuleBuilder, spec: &CnnSpec) -> Ports<'m> {
        let group = hwgen_hdl::bits_for(u64::from(spec.group_most())).max(1);
        let mut wires = vec![
            m.wire("results_write", u(1)),
            m.wire("results_address", u(spec.byte_bits())),
            m.wire("results_group", u(group)),
        ];
        wires.extend((0..spec.results).map(|r| m.wire(format!("result_{r}"), s(8))));
        let bytes = wires[3..].iter().map(|wire| **wire).collect();
        Ports { enable: *wires[0], address: *wires[1], group: *wires[2], bytes, wires }
    }

    fn drive(self, write: &Write<'m>) {
        let values = [write.enable, write.address, write.group];
        let values = values.into_iter().chain(write.bytes.iter().copied());
        for (wire, value) in self.wires.into_iter().zip(values) {
            wire.drive(value);
        }
    }
}

/// Sums by position and lane: of lanes' first weights, and of their second ones.
struct Sums<'m> {
    first: Vec<Vec<Signal<'m>>>,
    second: Vec<Vec<Signal<'m>>>,
}

/// The array.
fn lanes<'m>(
    m: &'m ModuleBuilder,
    spec: &CnnSpec,
    job: &JobSignals<'m>,
    walk: &Walk<'m>,
    read: &[Read<'m>],
    weights: &[Signal<'m>],
) -> Sums<'m> {
    let arrives = delayed_flag(m, "operands_arrive", walk.steps, OPERAND_CYCLES - 1);
    let valid = delayed_flag(m, "operands_valid", arrives, 1);
    let first = delayed(m, "operands_first", walk.first, OPERAND_CYCLES);
    let (padding, depthwise) = (job.padding, job.depthwise);
    let group = group_of(spec, job);
    let seen: Vec<_> = read.iter().map(|read| broadcast(spec, read)).collect();
    let inside: Vec<_> = (walk.inside.iter().enumerate())
        .map(|(p, inside)| delayed(m, &format!("operand_inside_{p}"), *inside, OPERAND_CYCLES - 1))
        .collect();
    let module = lane::module(spec);
    let mut sums = vec![vec![]; spec.pixels as usize];
    let mut twins = vec![vec![]; if spec.dual { spec.pixels as usize } else { 0 }];
    for (l, weight) in weights.iter().enumerate() {
        let held = |name: String, value: Signal<'m>| {
            *m.reg(name, s(8)).no_reset().next(value).enable(arrives)
        };
        let weight = held(format!("weight_{l}"), *weight);
        let mut part = m.instance(format!("lane_{l}"), &module);
        part = part.input("valid", valid).input("first", first).input("weight", weight);
        if spec.maxima {
            part = part.input("largest", job.largest);
        }
        if spec.dual {
            part = part.input("dual", job.dual);
        }
        for p in 0..spec.pixels as usize {
            let dense: Vec<_> = seen[p].iter().map(|bytes| bytes[l % bytes.len()]).collect();
            let value = depthwise.mux(read[p].word[l], select(group, &dense));
            let value = inside[p].mux(value, padding);
            part = part.input(&format!("value_{p}"), held(format!("value_{p}_{l}"), value));
        }
        for (p, sums) in sums.iter_mut().enumerate() {
            sums.push(part.output(&format!("sum_{p}")));
        }
        for (p, twins) in twins.iter_mut().enumerate() {
            twins.push(part.output(&format!("twin_{p}")));
        }
    }
    Sums { first: sums, second: twins }
}
