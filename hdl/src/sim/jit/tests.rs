//! Programs cut in every way.

use super::*;
use crate::fuzz::{Shape, random_module, random_value};
use crate::sim::Initial;
use crate::sim::flatten::flatten;
use crate::sim::interpreter::Interpreter;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Runs a random netlist on both engines; returns how many branches the compiled program had.
fn compare(seed: u64, limits: Limits) -> usize {
    let module = random_module(seed, Shape { operations: 80, max_width: 80, depth: 1 });
    let flat = Arc::new(flatten(&module, false));
    let state = || PowerUp::new(&flat, Initial::Random(seed));
    let mut reference = Interpreter::new(flat.clone(), state());
    let mut jit = Jit::with_limits(flat.clone(), state(), limits).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for cycle in 0..40 {
        for (input, port) in flat.module.inputs.iter().enumerate() {
            let released = port.name.starts_with("rst").then(|| port.name.ends_with("_n"));
            let value = match released {
                Some(level) if rng.random_ratio(9, 10) => Int::from(u8::from(level)),
                _ => random_value(&mut rng, port.ty),
            };
            reference.poke(input, &value);
            jit.poke(input, &value);
        }
        let rising: Vec<bool> = module.clocks.iter().map(|_| rng.random()).collect();
        let ticking: Vec<bool> = flat.roots.iter().map(|root| rising[root.index()]).collect();
        reference.tick(&ticking);
        jit.tick(&ticking);
        for port in &flat.module.outputs {
            let (got, expected) = (jit.peek(port.node), reference.peek(port.node));
            assert_eq!(got, expected, "seed {seed}, cycle {cycle}, {}", port.name);
        }
    }
    let goal =
        Goal::Tick { clocks: vec![true; flat.roots.len()], running: true, counted: Arc::default() };
    let program = jit.running.as_ref().unwrap_or(&jit.any);
    let items = schedule::schedule(program, &goal, limits).functions.into_iter().flatten();
    items.filter(|item| matches!(item, Item::Open(_))).count()
}

#[test]
fn however_a_program_is_cut_it_computes_the_same() {
    for (function, recent) in [(1, 1), (9, 1), (30, 4), (1000, 3)] {
        let limits = Limits { function, branch: 1, recent };
        let branches: usize = (0..40).map(|seed| compare(seed, limits)).sum();
        println!("{function} instructions a function: {branches} branches");
        assert!(branches > 40);
    }
}
