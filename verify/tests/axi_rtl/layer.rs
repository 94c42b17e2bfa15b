//! Attention whole behind AXI.

use super::{flush, is_registered, random_stalls, simulator};
use hwgen_designs::attention::axi::lapa_check::access_registers;
use hwgen_designs::attention::axi::layer_drive::{Buses, expected, run_jobs};
use hwgen_designs::attention::axi::{LapaAxiSpec, build};
use hwgen_designs::attention::lapa::drive as layer;
use hwgen_designs::attention::lapa::drive::random_job;
use hwgen_designs::attention::lapa::golden::Job;
use hwgen_designs::axi::drive::{Host, Stalls};
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::{Engine, Initial, Simulator};
use hwgen_verify::suite::{PRINTED, pick, spec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The smallest that still cuts payloads and knows groups of keys.
const SMALL: &str = "inputs=5 head_dim=3 max_keys=5 rows=2 lanes=4 log_lanes=2 query_lanes=4 \
                     key_value_lanes=2 max_heads=3 hidden=4 first_lanes=2 second_lanes=2 bus_bits=32";

fn random_spec(rng: &mut impl Rng) -> LapaAxiSpec {
    let mut pick = |list: &[&str]| pick(rng, list).to_owned();
    let all = [
        SMALL.to_owned(),
        pick(&["head_dim=1 lanes=1", "head_dim=4 lanes=8", "head_dim=9"]),
        pick(&["inputs=1", "inputs=8", "inputs=21"]),
        pick(&["max_keys=1", "max_keys=7", "max_keys=12"]),
        pick(&["rows=1", "rows=4", "rows=16"]),
        pick(&["filter.mode=mean_max", "filter.mode=radius", "filter.mode=top_k"]),
        pick(&["log_lanes=1", "log_lanes=16"]),
        pick(&["query_lanes=1", "query_lanes=8"]),
        pick(&["queries_per_key=1", "queries_per_key=2"]),
        pick(&["predict_keys=true", "predict_keys=false"]),
        pick(&["hidden=0", "hidden=3", "hidden=9 first_lanes=8"]),
        pick(&["bus_bits=32", "bus_bits=64", "bus_bits=512"]),
        pick(&["counters=true", "counters=false"]),
    ];
    spec(&all.join(" "))
}

fn random_jobs(spec: &LapaAxiSpec, rng: &mut impl Rng, count: usize) -> Vec<Job> {
    let mut job = |_| {
        let tokens = rng.random_range(1..=spec.engine.shape().max_keys as usize);
        let heads = rng.random_range(1..=spec.engine.max_heads as usize);
        random_job(&spec.engine, rng, tokens, heads)
    };
    (0..count).map(&mut job).collect()
}

#[test]
fn random_specifications_jobs_and_stalls() {
    for seed in 0..8 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = random_spec(&mut rng);
        let jobs = random_jobs(&spec, &mut rng, 2);
        let stalls = random_stalls(&mut rng, seed);
        let must = expected(&spec, &jobs).unwrap();
        let (mut simulator, built) = (simulator(&spec, seed), build(&spec));
        let mut host = Host::new(&mut simulator, &built.map, stalls);
        let results = run_jobs(&mut host, &spec, &jobs)
            .unwrap_or_else(|error| panic!("{spec:?}, {stalls:?}: {error}"));
        assert_eq!(results, must, "{spec:?}, {stalls:?}");
        if spec.engine.attention.buffers.counters {
            assert_eq!(host.read("rows").unwrap(), must.rows.len() as u32);
            let heads = jobs.iter().map(|job| job.heads.len() * job.tokens.len());
            assert_eq!(host.read("columns").unwrap(), heads.sum::<usize>() as u32);
            if spec.engine.hidden > 0 {
                assert_eq!(host.read("feed_tokens").unwrap(), must.feed.len() as u32);
            }
            let kept: u64 = must.importance.iter().flat_map(|group| &group.counts).sum();
            assert_eq!(u64::from(host.read("survivors").unwrap()), kept);
            host.write(&[("control", 2)]).unwrap();
            assert_eq!(host.read("rows").unwrap(), 0);
        }
        assert_eq!(host.read("status").unwrap(), 0, "nothing waits, nothing was cut");
        if built.map.get("cut").is_some() {
            assert_eq!(host.read("cut").unwrap(), 0);
        }
    }
}

/// What was on its way in is dropped, what was offered stays (the contracts watch), and the next
/// jobs find nothing of it.
#[test]
fn a_soft_reset_in_mid_run_leaves_nothing_behind() {
    let spec: LapaAxiSpec = spec(SMALL);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (map, buses) = (build(&spec).map, Buses::new(&spec));
    let mut simulator = simulator(&spec, 2);
    let mut interrupted = 0;
    for seed in 0..16 {
        let jobs = random_jobs(&spec, &mut rng, 2);
        let must = expected(&spec, &jobs).unwrap();
        let outputs = [0.0, 0.5, 0.95][seed as usize % 3];
        let stalls = Stalls { registers: 0.2, inputs: 0.1, outputs, seed };
        let mut host = Host::new(&mut simulator, &map, stalls);
        buses.send(&mut host, &spec, &jobs);
        (0..seed * 40).for_each(|_| host.bench.step());
        let all = must.rows.len() * buses.transfers("out");
        interrupted += u32::from(host.received("out").len() < all);
        flush(&mut host);
        let before = ["out", "importance", "feed_out"].map(|stream| host.received(stream).len());
        host.write(&[("control", 0)]).unwrap();
        (0..50).for_each(|_| host.bench.step());
        let after = ["out", "importance", "feed_out"].map(|stream| host.received(stream).len());
        assert_eq!(after, before, "nothing is left, seed {seed}");
        assert_eq!(run_jobs(&mut host, &spec, &jobs).unwrap(), must, "seed {seed}");
    }
    assert!(interrupted > 8, "{interrupted} runs were still going on");
}

#[test]
fn results_come_two_cycles_later_than_from_the_engine() {
    let spec: LapaAxiSpec = spec(&format!("{SMALL} bus_bits=512"));
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let jobs = [random_job(&spec.engine, &mut rng, 5, 3)];
    let rows = expected(&spec, &jobs).unwrap().rows.len();
    let mut engine = Simulator::new(&spec.engine.build(), Engine::Jit);
    let alone = layer::run(&mut engine, &spec.engine, &jobs, Default::default(), rows, 1).unwrap();
    let mut simulator = simulator(&spec, 1);
    let mut host = Host::new(&mut simulator, &build(&spec).map, Stalls::default());
    let start = host.bench.cycle;
    Buses::new(&spec).send(&mut host, &spec, &jobs);
    for (row, cycle) in alone.cycles.iter().enumerate() {
        host.await_transfers("out", row + 1).unwrap();
        assert_eq!(host.bench.cycle - 1 - start, cycle + 2, "row {row}");
    }
}

#[test]
fn no_output_depends_on_an_input_within_a_cycle() {
    is_registered(&build(&spec::<LapaAxiSpec>(SMALL)).module);
}

/// Engines that are not ours; nothing unknown comes out of a four-state one.
#[test]
fn the_printed_verilog() {
    let spec: LapaAxiSpec = spec(SMALL);
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let jobs = random_jobs(&spec, &mut rng, 2);
    let must = expected(&spec, &jobs).unwrap();
    let built = build(&spec);
    for engine in PRINTED {
        let mut device = engine.open(&built.module, Initial::Zero).unwrap();
        let stalls = Stalls { registers: 0.3, inputs: 0.1, outputs: 0.3, seed: 1 };
        let mut host = Host::new(&mut *device, &built.map, stalls);
        access_registers(&mut host, &built.map, &mut rng).unwrap();
        let results = run_jobs(&mut host, &spec, &jobs).unwrap();
        assert_eq!((host.unknown(), &results), (0, &must), "{engine}");
    }
}
