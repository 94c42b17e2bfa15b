//! The predictors that LAPA is compared with, alone and in whole engines, against their golden
//! models.

mod attention;
mod engine;
mod fact;
mod predictor;
mod sanger;

use hwgen_designs::attention::engine::drive::{Head, Stalls};
use hwgen_designs::attention::predictor::drive::Predict;
use hwgen_designs::drive::Values;
use hwgen_designs::spec::{Spec, load};
use hwgen_hdl::Module;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use rand::Rng;
use std::sync::Arc;

/// The specification with these overrides, separated by blanks.
fn spec<S: Spec>(overrides: &str) -> S {
    let overrides: Vec<String> = overrides.split_whitespace().map(str::to_owned).collect();
    load(None, &overrides).unwrap_or_else(|error| panic!("{error}"))
}

/// One of a list.
fn pick<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())]
}

/// Random heads with fewer than `rows` rows each.
fn random_heads(spec: &impl Predict, rng: &mut impl Rng, heads: usize, rows: usize) -> Vec<Head> {
    let head = |_| {
        let keys = rng.random_range(1..=spec.size().max_keys as usize);
        let rows = rng.random_range(1..rows);
        let values = pick(rng, &[Values::Uniform, Values::Corner, Values::Small]);
        Head::random(spec, rng, keys, rows, values).unwrap()
    };
    (0..heads).map(head).collect()
}

/// Streams that stall at random, some hardly ever.
fn random_stalls(rng: &mut impl Rng, seed: u64) -> Stalls {
    let mut chance = || pick(rng, &[0.0, 0.1, 0.5, 0.9]);
    Stalls { keys: chance(), queries: chance(), out: chance(), seed }
}

/// Our simulator, its registers random at the start.
fn simulator(module: &Arc<Module>, seed: u64) -> Simulator {
    let options = SimOptions {
        engine: Engine::default(),
        initial: Initial::Random(seed),
        ..SimOptions::default()
    };
    Simulator::with_options(module, options)
}
