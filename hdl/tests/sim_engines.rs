//! Both engines on random netlists and on every component: every output, every internal name, every cycle.

use hwgen_hdl::Module;
use hwgen_hdl::fuzz::{Shape, random_module, random_value};
use hwgen_hdl::lib::catalogue;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

fn run(module: &Arc<Module>, seed: u64, cycles: usize) {
    let [mut reference, mut compiled] = [Engine::Interpreter, Engine::Jit].map(|engine| {
        let initial = Initial::Random(seed);
        let collect_violations = true;
        let options = SimOptions { engine, initial, collect_violations, ..SimOptions::default() };
        Simulator::with_options(module, options)
    });
    let names: Vec<String> = (reference.flat().module.nodes.iter())
        .filter_map(|node| Some(node.name.as_ref()?.to_string()))
        .collect();
    let clocks: Vec<String> = module.clocks.iter().map(|clock| clock.name.to_string()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for cycle in 0..cycles {
        for port in &module.inputs {
            let is_reset = port.name.starts_with("rst");
            if rng.random_ratio(1, if is_reset { 6 } else { 2 }) {
                let value = random_value(&mut rng, port.ty);
                reference.poke(&port.name, value.clone());
                compiled.poke(&port.name, value);
            }
        }
        let look = rng.random_ratio(1, 3);
        for port in module.outputs.iter().filter(|_| look) {
            let name = &port.name;
            let (want, got) = (reference.peek(name), compiled.peek(name));
            assert_eq!(want, got, "{}, cycle {cycle}, output `{name}`", module.name);
        }
        if rng.random_ratio(1, 10) {
            for name in &names {
                let (want, got) = (reference.peek(name), compiled.peek(name));
                assert_eq!(want, got, "{}, cycle {cycle}, signal `{name}`", module.name);
            }
        }
        if rng.random_ratio(1, 4) {
            let steps = rng.random_range(1..4);
            reference.steps(steps);
            compiled.steps(steps);
        } else {
            let rise: Vec<&str> =
                clocks.iter().map(String::as_str).filter(|_| rng.random()).collect();
            reference.tick(&rise);
            compiled.tick(&rise);
        }
        assert_eq!(reference.violations(), compiled.violations(), "{}, cycle {cycle}", module.name);
    }
}

#[test]
fn engines_agree_on_small_netlists() {
    for seed in 0..60 {
        run(&random_module(seed, Shape::default()), seed, 30);
    }
}

#[test]
fn engines_agree_on_larger_and_narrower_netlists() {
    for seed in 0..4 {
        let shape = Shape { operations: 3000, max_width: 40, depth: 2 };
        run(&random_module(1000 + seed, shape), 1000 + seed, 20);
    }
}

#[test]
fn engines_agree_on_every_component() {
    for sample in catalogue() {
        run(&sample.module, 1, 40);
    }
}
