//! What the components' tests share: patterns to try, and streams driven with random stalls.

use crate::netlist::{Direction, Module, StreamPort};
use crate::sim::{Engine, Simulator};
use crate::ty::{Int, Type, u};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// The module under the reference interpreter, after a reset.
pub(super) fn simulate(module: &Arc<Module>) -> Simulator {
    let mut sim = Simulator::new(module, Engine::Interpreter);
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
        return (0..1u32 << ty.width)
            .map(|bits| ty.wrap(bits.into()))
            .collect();
    }
    let mut random = Random::new(u64::from(ty.width));
    let one = Int::from(1);
    let mut values = vec![
        ty.min(),
        ty.min() + 1,
        Int::ZERO,
        one.clone(),
        ty.max() - 1,
        ty.max(),
    ];
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

/// The stream of that name among the module's ports.
pub(super) fn stream<'a>(module: &'a Module, name: &str) -> &'a StreamPort {
    module
        .streams
        .iter()
        .find(|stream| *stream.name == *name)
        .expect("there is such a stream")
}

/// Sends payloads through a module's `in` and collects as many from `out`; source and sink pause
/// in `stall` percent of the cycles.
pub(super) fn pass(module: &Arc<Module>, inputs: &[Vec<Int>], stall: u64) -> Run {
    let mut sim = simulate(module);
    pass_through(&mut sim, module, inputs, stall)
}

/// [`pass`], in a simulation under way.
pub(super) fn pass_through(
    sim: &mut Simulator,
    module: &Module,
    inputs: &[Vec<Int>],
    stall: u64,
) -> Run {
    let mut random = Random::new(stall + 7);
    let mut source = Source::new(module, "in", inputs);
    let mut sink = Sink::new(module, "out");
    let mut cycles = 0;
    while sink.received.len() < inputs.len() {
        assert!(
            cycles < 1000 + 300 * inputs.len() as u64,
            "{} is stuck",
            module.name
        );
        source.drive(sim, !random.percent(stall));
        sink.drive(sim, !random.percent(stall));
        source.sample(sim);
        sink.sample(sim);
        sim.step();
        cycles += 1;
    }
    source.drive(sim, false);
    sink.drive(sim, false);
    Run {
        outputs: std::mem::take(&mut sink.received),
        cycles,
    }
}

/// Offers payloads one after the other; what is offered stays until it is taken.
pub(super) struct Source<'a> {
    name: String,
    fields: Vec<String>,
    rest: &'a [Vec<Int>],
    offering: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(module: &Module, name: &str, payloads: &'a [Vec<Int>]) -> Source<'a> {
        let port = stream(module, name);
        assert_eq!(port.direction, Direction::In);
        let fields = port
            .payload
            .iter()
            .map(|(field, _)| format!("{name}_{field}"))
            .collect();
        Source {
            name: name.to_string(),
            fields,
            rest: payloads,
            offering: false,
        }
    }

    /// Starts an offer if it may.
    pub(super) fn drive(&mut self, sim: &mut Simulator, may: bool) {
        self.offering = (self.offering || may) && !self.rest.is_empty();
        sim.poke(&format!("{}_valid", self.name), u32::from(self.offering));
        for (index, field) in self.fields.iter().enumerate() {
            let value = self
                .rest
                .first()
                .map_or(Int::ZERO, |payload| payload[index].clone());
            sim.poke(field, value);
        }
    }

    /// Notes whether the offer passes at the coming edge.
    pub(super) fn sample(&mut self, sim: &mut Simulator) -> bool {
        let passes = self.offering && sim.peek_u64(&format!("{}_ready", self.name)) == 1;
        if passes {
            self.rest = &self.rest[1..];
            self.offering = false;
        }
        passes
    }
}

/// Collects payloads.
pub(super) struct Sink {
    name: String,
    fields: Vec<String>,
    ready: bool,
    pub(super) received: Vec<Vec<Int>>,
}

impl Sink {
    pub(super) fn new(module: &Module, name: &str) -> Sink {
        let port = stream(module, name);
        assert_eq!(port.direction, Direction::Out);
        let fields = port
            .payload
            .iter()
            .map(|(field, _)| format!("{name}_{field}"))
            .collect();
        Sink {
            name: name.to_string(),
            fields,
            ready: false,
            received: vec![],
        }
    }

    /// Says whether a payload would be taken.
    pub(super) fn drive(&mut self, sim: &mut Simulator, ready: bool) {
        self.ready = ready;
        sim.poke(&format!("{}_ready", self.name), u32::from(ready));
    }

    /// Takes the payload that passes at the coming edge, if one does.
    pub(super) fn sample(&mut self, sim: &mut Simulator) -> bool {
        let passes = self.ready && sim.peek_u64(&format!("{}_valid", self.name)) == 1;
        if passes {
            self.received
                .push(self.fields.iter().map(|field| sim.peek(field)).collect());
        }
        passes
    }
}
