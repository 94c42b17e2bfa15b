//! Random netlists of all kinds of node, widths 1 to 200, memories and two clocks: every output
//! of every cycle equal on the interpreter, the compiled engine, Verilator and Icarus.

use hwgen_hdl::fuzz::{Shape, random_bundle};
use hwgen_verify::cosim::{Comparison, Engine, compare};

const ENGINES: [Engine; 4] = [Engine::Interpreter, Engine::Jit, Engine::Verilator, Engine::Icarus];

/// Runs bundles of netlists until `checks` outputs were compared, and prints what was done.
fn fuzz(first_seed: u64, netlists: usize, cycles: u64, checks: u64) {
    let (mut done, mut nodes, mut unknown, mut compared) = (0, 0, 0, 0);
    for seed in first_seed.. {
        if compared >= checks {
            break;
        }
        let bundle = random_bundle(seed, netlists, Shape::default());
        // Long enough for what is reset to reach what is not.
        let plan = Comparison {
            cycles,
            seed,
            reset_cycles: 16,
            ..Comparison::new(&*bundle.name, &ENGINES)
        };
        let report = compare(&bundle, &plan).unwrap();
        if let Some(first) = &report.first {
            panic!("bundle of seed {seed}: {first}");
        }
        done += netlists;
        nodes += bundle.instances.iter().map(|i| i.module.nodes.len()).sum::<usize>();
        compared += report.checks;
        unknown += report.unknown_bits;
    }
    println!(
        "fuzz: {compared} outputs compared on {done} netlists ({nodes} nodes), 0 mismatches; \
         {unknown} bits unknown to Icarus"
    );
    assert!(compared >= checks);
}

#[test]
fn engines_agree_on_a_few_random_netlists() {
    fuzz(1, 6, 60, 8_000);
}

#[test]
#[ignore = "minutes: `cargo xtask bars fuzz`"]
fn engines_agree_on_200_000_outputs() {
    fuzz(100, 12, 120, 200_000);
}
