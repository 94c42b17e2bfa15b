//! Every pass keeps the behavior of random netlists, cycle by cycle, on the reference engine.

use hwgen_hdl::fuzz::{Shape, random_module, random_value};
use hwgen_hdl::passes::{Keep, drop_dead, fold_constants, share_common, simplify};
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Int, Module};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

const NETLISTS: u64 = 40;
const CYCLES: usize = 30;

/// Runs both modules on the same random inputs and compares every output at every cycle.
fn assert_same(before: &Arc<Module>, after: Module, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let after = Arc::new(after);
    let mut old = Simulator::new(before, Engine::Interpreter);
    let mut new = Simulator::new(&after, Engine::Interpreter);
    old.reset();
    new.reset();
    for cycle in 0..CYCLES {
        for port in &before.inputs {
            // Resets come seldom, so that state gets somewhere.
            let value = match &*port.name {
                "rst_a" => Int::from(u8::from(rng.random_ratio(1, 20))),
                "rst_b_n" => Int::from(u8::from(!rng.random_ratio(1, 20))),
                _ => random_value(&mut rng, port.ty),
            };
            old.poke(&port.name, value.clone());
            new.poke(&port.name, value);
        }
        for port in &before.outputs {
            let (old, new) = (old.peek(&port.name), new.peek(&port.name));
            assert_eq!(old, new, "seed {seed}, cycle {cycle}, output `{}`", port.name);
        }
        let clocks: &[&str] =
            [&["clk_a"][..], &["clk_b"], &["clk_a", "clk_b"]][rng.random_range(0..3)];
        old.tick(clocks);
        new.tick(clocks);
    }
}

fn holds_for(pass: impl Fn(&Module) -> Module) {
    for seed in 0..NETLISTS {
        let module = random_module(seed, Shape::default());
        assert_same(&module, pass(&module), seed);
    }
}

#[test]
fn fold_constants_keeps_behavior() {
    holds_for(fold_constants);
}

#[test]
fn share_common_keeps_behavior() {
    holds_for(share_common);
}

#[test]
fn drop_dead_keeps_behavior() {
    holds_for(|module| drop_dead(module, Keep::Ports));
}

#[test]
fn simplify_keeps_behavior() {
    holds_for(|module| simplify(module, Keep::Promises));
}

#[test]
fn passes_do_something() {
    let nodes = |module: &Module| module.nodes.len();
    let modules: Vec<_> = (0..NETLISTS).map(|seed| random_module(seed, Shape::default())).collect();
    let before: usize = modules.iter().map(|module| nodes(module)).sum();
    let after: usize = modules.iter().map(|module| nodes(&simplify(module, Keep::Ports))).sum();
    println!("simplify: {before} nodes become {after}");
    assert!(after < before);
    let m = hwgen_hdl::ModuleBuilder::new("folds");
    let x = m.input("x", hwgen_hdl::u(8));
    let zero = m.lit(hwgen_hdl::u(8), 0);
    let same = (x + zero) | (x & zero);
    m.output("y", same.slice(7, 4).cat(same.slice(3, 0)).eq(x.slice(7, 4).cat(x.slice(3, 0))));
    assert_eq!(nodes(&simplify(&m.finish(), Keep::Ports)), 2, "`x` and the constant 1");
}

/// What lives refers to what lives; a netlist of other makers where it does not is no silent node 0.
#[test]
#[should_panic(expected = "is in use and was dropped")]
fn a_reference_to_what_was_dropped_is_loud() {
    let m = hwgen_hdl::ModuleBuilder::new("torn");
    let r = m.reg("r", hwgen_hdl::u(1));
    r.next(r);
    m.output("y", r);
    let mut torn = (*m.finish()).clone();
    torn.inputs.clear();
    torn.outputs.clear();
    drop_dead(&torn, Keep::Ports);
}
