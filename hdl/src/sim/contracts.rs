//! Promises and stream contracts as hardware that watches.

use super::flatten::source;
use crate::netlist::*;
use crate::place::Place;
use crate::ty::{Int, Type, u};
use std::collections::HashSet;

/// A promise or a stream of the module at `path`, with flat ids.
pub(super) enum Contract {
    /// A condition that holds outside reset.
    Promise { path: String, promise: Assertion },
    /// A stream that obeys rule 2: what is offered stays until it passes.
    Stream { path: String, stream: StreamPort },
}

impl Contract {
    /// The contracts a module states itself.
    pub(super) fn of(
        module: &Module,
        path: &str,
        clocks: &[ClockId],
        at: impl Fn(NodeId) -> NodeId,
    ) -> Vec<Contract> {
        let promises = module.assertions.iter().map(|promise| Contract::Promise {
            path: path.to_string(),
            promise: Assertion {
                clock: clocks[promise.clock.index()],
                condition: at(promise.condition),
                ..promise.clone()
            },
        });
        let streams = module.streams.iter().map(|stream| Contract::Stream {
            path: path.to_string(),
            stream: StreamPort {
                clock: clocks[stream.clock.index()],
                valid: at(stream.valid),
                ready: at(stream.ready),
                payload: (stream.payload.iter())
                    .map(|(name, node)| (name.clone(), at(*node)))
                    .collect(),
                ..stream.clone()
            },
        });
        promises.chain(streams).collect()
    }
}

/// Adds what watches the contracts. A stream that passes through several levels is watched once.
pub(super) fn expand(flat: &mut Module, contracts: Vec<Contract>) {
    let mut seen = HashSet::new();
    for contract in contracts {
        match contract {
            Contract::Promise { path, promise } => {
                let message = match path.trim_end_matches('.') {
                    "" => promise.message.to_string(),
                    path => format!("`{path}`: {}", promise.message),
                };
                let mut watch = Watch { flat, clock: promise.clock, place: promise.place };
                watch.assert(message, promise.condition);
            }
            Contract::Stream { path, stream } => {
                let payload = stream.payload.iter().map(|(_, node)| *node);
                let wires = [stream.valid, stream.ready].into_iter().chain(payload);
                let wires: Vec<NodeId> = wires.map(|node| source(flat, node)).collect();
                if seen.insert((stream.clock, wires)) {
                    let mut watch = Watch { flat, clock: stream.clock, place: stream.place };
                    watch.stream(&format!("{path}{}", stream.name), &stream);
                }
            }
        }
    }
}

struct Watch<'a> {
    flat: &'a mut Module,
    clock: ClockId,
    place: Place,
}

impl Watch<'_> {
    fn stream(&mut self, name: &str, stream: &StreamPort) {
        let bit = u(1);
        let stalled = self.not(stream.ready);
        let waits = self.binary(BinaryOp::And, stream.valid, stalled);
        let waited = self.register(bit, waits, true);
        let calm = self.not(waited);
        let valid = self.binary(BinaryOp::Or, calm, stream.valid);
        self.assert(format!("stream `{name}`: valid fell before the payload passed"), valid);
        for (field, node) in &stream.payload {
            let before = self.register(self.flat.ty(*node), *node, false);
            let same = self.binary(BinaryOp::Eq, before, *node);
            // A valid that fell is reported by itself.
            let gone = self.not(stream.valid);
            let free = self.binary(BinaryOp::Or, calm, gone);
            let kept = self.binary(BinaryOp::Or, free, same);
            self.assert(format!("stream `{name}`: `{field}` changed before it passed"), kept);
        }
    }

    /// Asserts a condition outside reset.
    fn assert(&mut self, message: String, condition: NodeId) {
        let reset = self.flat.clocks[self.clock.index()].reset.clone();
        let condition = match reset {
            None => condition,
            Some(reset) => {
                let in_reset = if reset.active_low { self.not(reset.signal) } else { reset.signal };
                self.binary(BinaryOp::Or, in_reset, condition)
            }
        };
        let (clock, place) = (self.clock, self.place);
        let message = message.into();
        self.flat.assertions.push(Assertion { message, clock, condition, place });
    }

    fn register(&mut self, ty: Type, next: NodeId, reset: bool) -> NodeId {
        let node = self.node(Kind::Register(RegisterId::new(self.flat.registers.len())), ty);
        let reset = reset && self.flat.clocks[self.clock.index()].reset.is_some();
        self.flat.registers.push(Register {
            node,
            clock: self.clock,
            next,
            reset_value: reset.then_some(Int::ZERO),
            clear: None,
            clear_value: Int::ZERO,
            enable: None,
        });
        node
    }

    fn not(&mut self, a: NodeId) -> NodeId {
        self.node(Kind::Unary(UnaryOp::Not, a), u(1))
    }

    fn binary(&mut self, op: BinaryOp, a: NodeId, b: NodeId) -> NodeId {
        self.node(Kind::Binary(op, a, b), u(1))
    }

    fn node(&mut self, kind: Kind, ty: Type) -> NodeId {
        let id = NodeId::new(self.flat.nodes.len());
        self.flat.nodes.push(Node { kind, ty, name: None, called: None, place: self.place });
        id
    }
}
