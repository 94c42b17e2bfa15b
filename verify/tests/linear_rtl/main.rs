//! The linear layers' circuits against their golden models, beat by beat, and their cycles.

mod exact;
mod feed_forward;
mod importance;
mod log;

use hwgen_hdl::Module;
use hwgen_hdl::sim::{Engine, Initial, SimOptions, Simulator};
use rand::Rng;
use std::sync::Arc;

/// Our fast engine, started from random registers and memories.
fn simulator(module: &Arc<Module>, seed: u64) -> Simulator {
    let initial = Initial::Random(seed);
    let options = SimOptions { engine: Engine::default(), initial, ..SimOptions::default() };
    Simulator::with_options(module, options)
}

fn pick<T: Copy>(rng: &mut impl Rng, list: &[T]) -> T {
    list[rng.random_range(0..list.len())]
}

/// How often a stream stalls.
fn chance(rng: &mut impl Rng) -> f64 {
    pick(rng, &[0.0, 0.1, 0.5, 0.9])
}
