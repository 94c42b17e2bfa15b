//! Designs behind AXI against golden models of rows, registers and byte layouts.

mod cocotb;
mod layer;
mod mutants;
mod wrapper;

use hwgen_designs::attention::axi::lapa_check::access_registers;
use hwgen_designs::attention::axi::lapa_drive::{Load, expected, run_loads};
use hwgen_designs::attention::axi::{AxiSpec, Engine as Core, LapaAttentionAxiSpec, build};
use hwgen_designs::attention::engine;
use hwgen_designs::axi::drive::{Host, Stalls};
use hwgen_designs::drive::Values;
use hwgen_hdl::sim::{Bench, Device, Engine, Initial, Simulator};
use hwgen_hdl::{Int, Module};
use hwgen_verify::cosim;
use hwgen_verify::suite::{self, GATES, PRINTED, check, pick, stall};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn spec(overrides: &str) -> LapaAttentionAxiSpec {
    suite::spec(overrides)
}

/// The smallest that still cuts payloads and knows groups of keys.
const SMALL: &str = "head_dim=5 max_keys=9 rows=2 lanes=4 bus_bits=32";

fn random_spec(rng: &mut impl Rng) -> LapaAttentionAxiSpec {
    let mut pick = |list: &[&str]| pick(rng, list).to_owned();
    let all = [
        pick(&["head_dim=1 lanes=1", "head_dim=3 lanes=2", "head_dim=8 lanes=8", "head_dim=20"]),
        pick(&["max_keys=1", "max_keys=7", "max_keys=16", "max_keys=40"]),
        pick(&["rows=1", "rows=2", "rows=4"]),
        pick(&["mean_max", "sigma", "radius", "top_k"].map(|mode| mode)),
        pick(&["queries=1", "queries=16"]),
        pick(&["bus_bits=32", "bus_bits=64", "bus_bits=128", "bus_bits=512"]),
        pick(&["counters=true", "counters=false"]),
    ];
    let all = all.map(|set| if set.contains('=') { set } else { format!("filter.mode={set}") });
    spec(&all.join(" "))
}

fn random_loads(spec: &LapaAttentionAxiSpec, rng: &mut impl Rng, count: usize) -> Vec<Load> {
    let mut load = |_| {
        let keys = rng.random_range(1..=spec.engine.shape().max_keys as usize);
        let values = Values::any(rng);
        Load::random(spec, rng, keys, values).unwrap()
    };
    (0..count).map(&mut load).collect()
}

fn random_stalls(rng: &mut impl Rng, seed: u64) -> Stalls {
    Stalls { registers: stall(rng), inputs: stall(rng), outputs: stall(rng), seed }
}

/// A simulator that panics on a broken promise or contract of any stream, AXI4-Lite's channels
/// among them.
fn simulator<E: Core>(spec: &AxiSpec<E>, seed: u64) -> Simulator {
    suite::simulator(&build(spec).module, seed)
}

#[test]
fn random_specifications_loads_and_stalls() {
    for seed in 0..16 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(&mut rng);
        let loads = random_loads(&spec, &mut rng, 4);
        let stalls = random_stalls(&mut rng, seed);
        let must = expected(&spec, &loads).unwrap();
        let mut simulator = simulator(&spec, seed);
        let mut host = Host::new(&mut simulator, &build(&spec).map, stalls);
        let rows = run_loads(&mut host, &spec, &loads)
            .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"));
        assert_eq!(rows, must, "{spec:?}, {stalls:?}");
        let misframed: usize = loads.iter().map(Load::misframed).sum();
        assert_eq!(host.read("misframed").unwrap(), misframed as u32);
        if spec.engine.buffers.counters {
            assert_eq!(host.read("rows").unwrap(), must.len() as u32);
            let kept: usize = loads.iter().map(|load| load.head.kept()).sum();
            assert_eq!(host.read("survivors").unwrap(), kept as u32);
        }
        host.write(&[("control", 2)]).unwrap();
        assert_eq!(host.read("misframed").unwrap(), 0);
        assert_eq!(host.read("status").unwrap(), 0, "nothing waits, nothing was cut");
    }
}

#[test]
fn registers_keep_to_the_model() {
    let mut compared = 0;
    let spec = spec(SMALL);
    let (mut simulator, map) = (simulator(&spec, 8), build(&spec).map);
    for seed in 0..30 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let stalls = random_stalls(&mut rng, seed);
        let mut host = Host::new(&mut simulator, &map, stalls);
        compared += access_registers(&mut host, &map, &mut rng)
            .unwrap_or_else(|error| panic!("seed {seed}, {stalls:?}: {error}"));
    }
    assert!(compared > 2000, "{compared}");
}

#[test]
fn the_printed_verilog() {
    elsewhere(&PRINTED);
}

#[test]
#[ignore = "a minute of synthesis"]
fn the_synthesized_gates() {
    elsewhere(&GATES);
}

/// Engines that are not ours; nothing unknown comes out of a four-state one.
fn elsewhere(engines: &[cosim::Engine]) {
    let spec = spec(SMALL);
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let loads = random_loads(&spec, &mut rng, 4);
    let must = expected(&spec, &loads).unwrap();
    let built = build(&spec);
    for engine in engines {
        let mut device = engine.open(&built.module, Initial::Zero).unwrap();
        let stalls = Stalls { registers: 0.3, inputs: 0.1, outputs: 0.3, seed: 1 };
        let mut host = Host::new(&mut *device, &built.map, stalls);
        access_registers(&mut host, &built.map, &mut rng).unwrap();
        let rows = run_loads(&mut host, &spec, &loads).unwrap();
        assert_eq!((host.unknown(), rows), (0, must.clone()), "{engine}");
    }
}

#[test]
fn a_reset_in_mid_run_leaves_nothing_behind() {
    let spec = spec(SMALL);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let loads = random_loads(&spec, &mut rng, 2);
    let must = expected(&spec, &loads).unwrap();
    let map = build(&spec).map;
    let mut simulator = simulator(&spec, 1);
    for seed in 0..12 {
        let stalls = Stalls { registers: 0.2, inputs: 0.1, outputs: 0.4, seed };
        let mut host = Host::new(&mut simulator, &map, stalls);
        start(&mut host, &spec, &loads[0]);
        (0..seed * 7).for_each(|_| host.bench.step());
        let mut host = Host::new(&mut simulator, &map, stalls);
        assert_eq!(run_loads(&mut host, &spec, &loads).unwrap(), must, "seed {seed}");
    }
}

/// Begins a load and does not wait for it.
fn start(host: &mut Host<'_>, spec: &LapaAttentionAxiSpec, load: &Load) {
    host.write(&load.settings()).unwrap();
    host.send("keys", load.key_transfers(spec));
    host.send("queries", load.query_transfers(spec));
}

/// Holds the engine in reset until all that is offered has been taken, and longer.
fn flush(host: &mut Host<'_>) {
    host.write(&[("control", 1)]).unwrap();
    let flushed = |bench: &Bench<'_>| bench.drivers.iter().all(|driver| driver.pending() == 0);
    host.bench.run_until(5000, "the flush", flushed).unwrap();
    (0..200).for_each(|_| host.bench.step());
}

/// What was on its way in is dropped, what was offered stays (the contracts watch), and the next
/// loads find nothing of it.
#[test]
fn a_soft_reset_in_mid_run_leaves_nothing_behind() {
    let spec = spec(SMALL);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let loads = random_loads(&spec, &mut rng, 2);
    let must = expected(&spec, &loads).unwrap();
    let map = build(&spec).map;
    let mut simulator = simulator(&spec, 2);
    for seed in 0..24 {
        let outputs = [0.0, 0.5, 0.95][seed as usize % 3];
        let stalls = Stalls { registers: 0.2, inputs: 0.1, outputs, seed };
        let mut host = Host::new(&mut simulator, &map, stalls);
        start(&mut host, &spec, &loads[0]);
        (0..seed * 9).for_each(|_| host.bench.step());
        let settings = host.read("scale").unwrap();
        flush(&mut host);
        assert_eq!(host.read("scale").unwrap(), settings, "registers stay");
        let before = host.received("out").len();
        host.write(&[("control", 0)]).unwrap();
        (0..50).for_each(|_| host.bench.step());
        assert_eq!(host.received("out").len(), before, "nothing is left, seed {seed}");
        assert_eq!(run_loads(&mut host, &spec, &loads).unwrap(), must, "seed {seed}");
        assert_eq!(
            host.read("misframed").unwrap(),
            loads.iter().map(Load::misframed).sum::<usize>() as u32
        );
    }
}

#[test]
fn valids_are_low_in_reset_whatever_comes() {
    let mut simulator = simulator(&spec(SMALL), 3);
    let module = simulator.module().clone();
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for reset in [1, 0, 0, 0, 1, 1, 1, 0, 0] {
        for (input, port) in module.inputs.iter().enumerate() {
            let value = match &*port.name {
                "aresetn" => Int::from(reset),
                _ => port.ty.wrap(Int::from(rng.random::<u64>())),
            };
            Device::poke(&mut simulator, input, &value);
        }
        // contracts of what comes in do not matter here: nothing is taken in reset
        if reset == 0 {
            simulator.step();
            for (output, port) in module.outputs.iter().enumerate() {
                if port.name.ends_with("valid") {
                    assert_eq!(simulator.peek_index(output), Int::ZERO, "{}", port.name);
                }
            }
        }
    }
}

/// What the top costs where the bus is as wide as its payloads: a slice in, a slice out.
#[test]
fn results_come_two_cycles_later_than_from_the_engine() {
    let spec = spec("head_dim=4 max_keys=16 rows=2 lanes=4 bus_bits=64");
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let mut load = Load::random(&spec, &mut rng, 16, Values::Uniform).unwrap();
    while load.head.rows.len() < 6 {
        load = Load::random(&spec, &mut rng, 16, Values::Uniform).unwrap();
    }
    let mut engine = Simulator::new(&engine::build(&spec.engine), Engine::Jit);
    let heads = std::slice::from_ref(&load.head);
    let alone = check(&mut engine, &spec.engine, heads, Default::default());
    let mut simulator = simulator(&spec, 1);
    let mut host = Host::new(&mut simulator, &build(&spec).map, Stalls::default());
    host.write(&load.settings()).unwrap();
    let start = host.bench.cycle;
    host.send("keys", load.key_transfers(&spec));
    host.send("queries", load.query_transfers(&spec));
    for (row, cycle) in alone.cycles.iter().enumerate() {
        host.await_transfers("out", row + 1).unwrap();
        assert_eq!(host.bench.cycle - 1 - start, cycle + 2, "row {row}");
    }
}

fn is_registered(module: &Module) {
    for (port, inputs) in module.outputs.iter().zip(&module.combinational) {
        assert!(inputs.is_empty(), "{} depends on {inputs:?}", port.name);
    }
}

/// Register slices everywhere: AXI forbids combinational paths between its ports.
#[test]
fn no_output_depends_on_an_input_within_a_cycle() {
    for bus_bits in [32, 1024] {
        is_registered(&build(&spec(&format!("{SMALL} bus_bits={bus_bits}"))).module);
    }
}
