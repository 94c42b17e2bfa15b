//! Flip-flops: enables and resets found in what a register takes, constants and doubles removed.

use super::circuit::{Circuit, FlipFlop, Origin};
use super::graph::{Bit, Graph};
use super::lower::{Lowering, constant};
use hwgen_hdl::netlist::ResetKind;
use std::collections::HashMap;

/// A bit of a register, by register and position.
pub(super) type Place = (usize, usize);

/// What a flip-flop turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Always this value.
    Constant(bool),
    /// Always as this one.
    Same(Place),
}

/// Flip-flops that are not needed.
pub(super) type Known = HashMap<Place, Fate>;

/// Gives registers their bits.
pub(super) fn make_registers(lowering: &mut Lowering<'_>) {
    let module = lowering.module;
    for (number, register) in module.registers.iter().enumerate() {
        for at in 0..module.ty(register.node).width as usize {
            let bit = lowering.place((number, at));
            lowering.bits[register.node.index()].push(bit);
        }
    }
}

/// Tells registers what they take.
pub(super) fn connect(lowering: &mut Lowering<'_>) {
    let module = lowering.module;
    for (number, register) in module.registers.iter().enumerate() {
        let ty = module.ty(register.node);
        if lowering.merged_register(number) {
            continue;
        }
        let one = |id: Option<_>, none| id.map_or(none, |id| lowering.of(id)[0]);
        let (enable, clear) = (one(register.enable, Bit::ONE), one(register.clear, Bit::ZERO));
        let cleared = constant(&register.clear_value, ty);
        let clock = &module.clocks[register.clock.index()];
        let reset = clock.reset.as_ref().zip(register.reset_value.as_ref());
        let reset = reset.map(|(reset, value)| {
            let signal = lowering.of(reset.signal)[0];
            let signal = if reset.active_low { !signal } else { signal };
            (signal, reset.kind, constant(value, ty))
        });
        let (qs, nexts) = (lowering.of(register.node), lowering.of(register.next));
        for (at, (&q, &next)) in qs.iter().zip(&nexts).enumerate() {
            if !lowering.circuit.is_free(q) {
                continue; // known, or another's
            }
            let graph = &mut lowering.circuit.graph;
            let mut d = graph.mux(enable, next, q);
            d = graph.mux(clear, cleared[at], d);
            let mut flip_flop = FlipFlop {
                q,
                d,
                enable: Bit::ONE,
                reset: Bit::ZERO,
                value: false,
                enable_first: false,
                asynchronous: None,
                clock: register.clock.index(),
                register: number,
                at,
                absorbed: false,
            };
            match &reset {
                Some((signal, ResetKind::Sync, value)) => {
                    flip_flop.d = graph.mux(*signal, value[at], d);
                }
                Some((signal, ResetKind::Async, value)) => {
                    (flip_flop.asynchronous, flip_flop.value) =
                        (Some(*signal), value[at] == Bit::ONE);
                }
                None => {}
            }
            lowering.circuit.add(flip_flop);
        }
    }
}

impl Circuit {
    /// Whether a bit is a source without origin yet.
    pub(super) fn is_free(&self, q: Bit) -> bool {
        !q.is_known() && !self.origins.contains_key(&q.gate())
    }

    /// Adds a flip-flop, its enable and reset taken out of what it takes.
    pub(super) fn add(&mut self, mut flip_flop: FlipFlop) {
        while take_reset(&mut self.graph, &mut flip_flop)
            || take_enable(&mut self.graph, &mut flip_flop)
        {}
        self.origins.insert(flip_flop.q.gate(), Origin::FlipFlop(self.flip_flops.len()));
        self.flip_flops.push(flip_flop);
    }

    /// Flip-flops, among the live ones, that are constant or equal to an earlier one.
    pub(super) fn idle(&self, live: &[bool]) -> Known {
        let mut known = Known::new();
        let mut seen: HashMap<FlipFlop, Place> = HashMap::new();
        for flip_flop in self.flip_flops.iter().filter(|f| live[f.q.gate()]) {
            let place = (flip_flop.register, flip_flop.at);
            let value = Bit::known(flip_flop.value);
            let resets = flip_flop.reset != Bit::ZERO || flip_flop.asynchronous.is_some();
            // what never changes and starts from anything may as well have its reset value
            let stays = flip_flop.d == flip_flop.q || flip_flop.enable == Bit::ZERO;
            if flip_flop.d.is_known() && (!resets || flip_flop.d == value) {
                known.insert(place, Fate::Constant(flip_flop.d == Bit::ONE));
                continue;
            }
            if stays {
                known.insert(place, Fate::Constant(resets && flip_flop.value));
                continue;
            }
            let alike = FlipFlop { q: Bit::ZERO, register: 0, at: 0, ..*flip_flop };
            match seen.get(&alike) {
                Some(&first) => {
                    known.insert(place, Fate::Same(first));
                }
                None => {
                    seen.insert(alike, place);
                }
            }
        }
        known
    }
}

/// The choice that makes a bit.
fn choice(graph: &Graph, bit: Bit) -> Option<(Bit, Bit, Bit)> {
    if let Some(&choice) = graph.choices.get(&bit) {
        return Some(choice);
    }
    graph.choices.get(&!bit).map(|&(select, t, f)| (select, !t, !f))
}

/// A constant leg of the outermost choice becomes a synchronous reset.
fn take_reset(graph: &mut Graph, flip_flop: &mut FlipFlop) -> bool {
    let has = flip_flop.reset != Bit::ZERO;
    let enabled = flip_flop.enable != Bit::ONE;
    if flip_flop.asynchronous.is_some() || has && enabled && !flip_flop.enable_first {
        return false;
    }
    let Some((select, on_true, on_false)) = choice(graph, flip_flop.d) else {
        return false;
    };
    let fits = |leg: Bit| leg.is_known() && (!has || leg == Bit::known(flip_flop.value));
    let (when, leg, other) = match () {
        () if fits(on_true) => (select, on_true, on_false),
        () if fits(on_false) => (!select, on_false, on_true),
        () => return false,
    };
    flip_flop.reset = graph.or(flip_flop.reset, when);
    (flip_flop.value, flip_flop.d) = (leg == Bit::ONE, other);
    flip_flop.enable_first = enabled;
    true
}

/// A leg that keeps the content becomes an enable.
fn take_enable(graph: &mut Graph, flip_flop: &mut FlipFlop) -> bool {
    let Some((select, on_true, on_false)) = choice(graph, flip_flop.d) else {
        return false;
    };
    let (when, other) = match () {
        () if on_true == flip_flop.q => (!select, on_false),
        () if on_false == flip_flop.q => (select, on_true),
        () => return take_deep_enable(graph, flip_flop),
    };
    if flip_flop.enable_first && flip_flop.reset != Bit::ZERO && flip_flop.enable != Bit::ONE {
        // the reset is under the old enable alone
        flip_flop.reset = graph.and(flip_flop.reset, flip_flop.enable);
        flip_flop.enable_first = false;
    }
    flip_flop.enable = graph.and(flip_flop.enable, when);
    flip_flop.d = other;
    true
}

/// The same for legs further inside a tree of choices.
fn take_deep_enable(graph: &mut Graph, flip_flop: &mut FlipFlop) -> bool {
    let mut keeps = vec![];
    let d = without(graph, flip_flop.d, flip_flop.q, Bit::ONE, &mut keeps, 8);
    if keeps.is_empty() {
        return false;
    }
    let keep = graph.any(&keeps);
    flip_flop.enable = graph.and(flip_flop.enable, !keep);
    flip_flop.d = d;
    true
}

/// A tree of choices without the legs that are `q`; `keeps` collects when those are taken.
fn without(
    graph: &mut Graph,
    bit: Bit,
    q: Bit,
    when: Bit,
    keeps: &mut Vec<Bit>,
    depth: usize,
) -> Bit {
    let Some((select, on_true, on_false)) = choice(graph, bit).filter(|_| depth > 0) else {
        return bit;
    };
    let known = keeps.len();
    let (yes, no) = (graph.and(when, select), graph.and(when, !select));
    if on_true == q {
        keeps.push(yes);
        return without(graph, on_false, q, no, keeps, depth - 1);
    }
    if on_false == q {
        keeps.push(no);
        return without(graph, on_true, q, yes, keeps, depth - 1);
    }
    let t = without(graph, on_true, q, yes, keeps, depth - 1);
    let f = without(graph, on_false, q, no, keeps, depth - 1);
    if keeps.len() == known { bit } else { graph.mux(select, t, f) }
}
