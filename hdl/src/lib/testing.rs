//! What the components' tests share: patterns to try, and streams driven with random stalls.

use crate::netlist::Module;
use crate::sim::{Bench, Engine, Initial, SimOptions, Simulator};
use crate::ty::{Int, Type, u};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// The module under the reference interpreter, after a reset. State starts at random: components
/// must not rely on a value at power-up.
pub(super) fn simulate(module: &Arc<Module>) -> Simulator {
    let options = SimOptions {
        engine: Engine::Interpreter,
        initial: Initial::Random(1),
        ..Default::default()
    };
    let mut sim = Simulator::with_options(module, options);
    sim.reset();
    sim
}

/// Seeded random numbers.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Any value of the type.
    pub(super) fn value(&mut self, ty: Type) -> Int {
        let limbs = (0..ty.width.div_ceil(64)).map(|_| Int::from(self.0.random::<u64>()));
        ty.wrap(limbs.fold(Int::ZERO, |bits, limb| (bits << 64) | limb))
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// All values of a narrow type; corners and random ones (of all magnitudes) of a wide one.
pub(super) fn values(ty: Type) -> Vec<Int> {
    if ty.width <= 8 {
        return (0..1u32 << ty.width).map(|bits| ty.wrap(bits.into())).collect();
    }
    let mut random = Random::new(u64::from(ty.width));
    let one = Int::from(1);
    let mut values = vec![ty.min(), ty.min() + 1, Int::ZERO, one.clone(), ty.max() - 1, ty.max()];
    for bit in 0..ty.width {
        values.push(ty.wrap(one.clone() << bit));
        values.push(ty.wrap((one.clone() << bit) - 1));
        values.push(ty.wrap(random.value(ty) >> bit));
    }
    values
}

/// Calls `check` with [`values`] of `u(width)`.
pub(super) fn for_each_pattern(width: u32, check: impl FnMut(Int)) {
    values(u(width)).into_iter().for_each(check);
}

/// What came out of a stream module.
pub(super) struct Run {
    /// Payloads in order.
    pub(super) outputs: Vec<Vec<Int>>,
    /// Cycles from the first offer until the last payload left.
    pub(super) cycles: u64,
}

/// Sends payloads through a module's `in` and collects as many from `out`; source and sink pause
/// in `stall` percent of the cycles.
pub(super) fn pass(module: &Arc<Module>, inputs: &[Vec<Int>], stall: u64) -> Run {
    let mut sim = simulate(module);
    let mut bench = Bench::new(&mut sim);
    let driver = bench.driver("in", share(stall), 1);
    bench.monitor("out", share(stall), 2);
    inputs.iter().for_each(|payload| bench.drivers[driver].push(payload.clone()));
    let limit = 1000 + 300 * inputs.len() as u64;
    let all_out = |bench: &Bench| bench.monitors[0].received.len() == inputs.len();
    let cycles = bench.run_until(limit, &module.name, all_out).unwrap();
    Run { outputs: std::mem::take(&mut bench.monitors[0].received), cycles }
}

/// Percent as a fraction of 1.
pub(super) fn share(percent: u64) -> f64 {
    percent as f64 / 100.0
}
