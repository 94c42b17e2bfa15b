//! Random inputs that reach corners: extreme values, held controls, resets at any time.

use super::race::resets;
use hwgen_hdl::fuzz::random_value;
use hwgen_hdl::netlist::ClockId;
use hwgen_hdl::sim::Device;
use hwgen_hdl::{Int, Module, Type};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Cycles for which single-bit inputs keep their habits, so that queues fill and drain.
const PHASE_CYCLES: u64 = 24;

/// The inputs of every cycle, the same for the same module and seed.
pub(super) struct Random {
    rng: ChaCha8Rng,
    types: Vec<Type>,
    /// For each input that is a reset, the level that asserts it.
    resets: Vec<Option<bool>>,
    clocks: Vec<ClockId>,
    /// For each input, how often it is 1, if it is a single bit.
    habits: Vec<f64>,
    cycle: u64,
    /// Cycles that the current reset still lasts.
    in_reset: u64,
}

/// What happens in a cycle: inputs are set, outputs compared, then these clocks tick.
pub(super) struct Cycle {
    pub(super) inputs: Vec<Int>,
    pub(super) clocks: Vec<ClockId>,
}

impl Cycle {
    pub(super) fn poke(&self, device: &mut dyn Device) {
        for (input, value) in self.inputs.iter().enumerate() {
            device.poke(input, value);
        }
    }
}

impl Random {
    pub(super) fn new(module: &Module, seed: u64, reset_cycles: u64) -> Random {
        let mut levels = vec![None; module.inputs.len()];
        for (input, active) in resets(module) {
            levels[input] = Some(active);
        }
        Random {
            rng: ChaCha8Rng::seed_from_u64(seed),
            types: module.inputs.iter().map(|port| port.ty).collect(),
            resets: levels,
            clocks: module.clock_ids().collect(),
            habits: vec![0.5; module.inputs.len()],
            cycle: 0,
            in_reset: reset_cycles,
        }
    }

    pub(super) fn next(&mut self) -> Cycle {
        if self.cycle.is_multiple_of(PHASE_CYCLES) {
            let rng = &mut self.rng;
            self.habits.fill_with(|| *[0.0, 0.1, 0.5, 0.9, 1.0].choose(rng).unwrap_or(&0.5));
        }
        if self.in_reset == 0 && self.rng.random_bool(1.0 / 64.0) {
            self.in_reset = self.rng.random_range(1..=3);
        }
        let inputs = (0..self.types.len()).map(|input| self.input(input)).collect();
        // Clocks tick at random, but all of them while in reset: it must reach every domain.
        let (rng, all) = (&mut self.rng, self.in_reset > 0);
        let mut clocks = self.clocks.clone();
        if clocks.len() > 1 && !all {
            clocks.retain(|_| rng.random_bool(0.6));
        }
        self.cycle += 1;
        self.in_reset = self.in_reset.saturating_sub(1);
        Cycle { inputs, clocks }
    }

    fn input(&mut self, input: usize) -> Int {
        let ty = self.types[input];
        if let Some(active) = self.resets[input] {
            return Int::from(u8::from(active == (self.in_reset > 0)));
        }
        if ty.width == 1 {
            let one = self.rng.random_bool(self.habits[input]);
            return ty.wrap(Int::from(u8::from(one)));
        }
        random_value(&mut self.rng, ty)
    }
}
