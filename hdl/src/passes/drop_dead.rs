//! Drops what nothing looks at.

use super::{map_kind, map_references};
use crate::netlist::{Kind, MemoryId, Module, NodeId, RegisterId};

/// What counts as looked at, besides ports, instances and leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Promises too: for simulation.
    Promises,
    /// Ports only: for text, where promises are not printed.
    Ports,
    /// Promises and every named signal: for waves.
    Names,
}

/// Removes nodes, registers and memories that reach no port, instance or leaf (nor what `keep`
/// adds). Ports, clocks and instances stay.
pub fn drop_dead(module: &Module, keep: Keep) -> Module {
    let live = Liveness::of(module, keep);
    let mut kept = module.clone();
    if keep == Keep::Ports {
        kept.assertions.clear();
    }
    let nodes = renumber(&live.nodes);
    let registers = renumber(&live.registers);
    let memories = renumber(&live.memories);
    let node = |id: NodeId| NodeId::new(kept_as(&nodes, id.index(), "node"));
    retain(&mut kept.nodes, &live.nodes);
    retain(&mut kept.registers, &live.registers);
    retain(&mut kept.memories, &live.memories);
    for (index, _) in live.memories.iter().enumerate().filter(|(_, live)| **live) {
        // A dead read port of a living memory goes; the others move up.
        let reads: Vec<bool> = live.reads(module, index).collect();
        retain(&mut kept.memories[kept_as(&memories, index, "memory")].reads, &reads);
    }
    for instance in &mut kept.instances {
        for output in &mut instance.outputs {
            *output = output.filter(|id| live.nodes[id.index()]);
        }
    }
    for new in &mut kept.nodes {
        map_kind(&mut new.kind, node);
        match &mut new.kind {
            Kind::Register(id) => {
                *id = RegisterId::new(kept_as(&registers, id.index(), "register"));
            }
            Kind::MemoryRead { memory, port } => {
                let before = live.reads(module, memory.index()).take(*port);
                *port = before.filter(|live| *live).count();
                *memory = MemoryId::new(kept_as(&memories, memory.index(), "memory"));
            }
            _ => {}
        }
    }
    map_references(&mut kept, node);
    kept
}

fn retain<T>(items: &mut Vec<T>, live: &[bool]) {
    let mut keep = live.iter();
    items.retain(|_| *keep.next().unwrap_or(&false));
}

fn renumber(live: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0;
    let number = |live: &bool| {
        next += usize::from(*live);
        live.then(|| next - 1)
    };
    live.iter().map(number).collect()
}

/// The new position of what lives on. What lives refers to what lives: [`Liveness`] sees to it.
fn kept_as(positions: &[Option<usize>], old: usize, what: &str) -> usize {
    positions[old].unwrap_or_else(|| unreachable!("{what} {old} is in use and was dropped"))
}

struct Liveness {
    nodes: Vec<bool>,
    registers: Vec<bool>,
    memories: Vec<bool>,
    pending: Vec<NodeId>,
}

impl Liveness {
    fn of(module: &Module, keep: Keep) -> Liveness {
        let mut live = Liveness {
            nodes: vec![false; module.nodes.len()],
            registers: vec![false; module.registers.len()],
            memories: vec![false; module.memories.len()],
            pending: vec![],
        };
        let ports = module.inputs.iter().chain(&module.outputs).map(|port| port.node);
        let inside = module.instances.iter().flat_map(|instance| instance.inputs.iter().copied());
        let leaves = module.leaves.iter().flat_map(|leaf| leaf.inputs.iter().copied());
        ports.chain(inside).chain(leaves).for_each(|id| live.mark(id));
        for stream in &module.streams {
            live.mark(stream.valid);
            live.mark(stream.ready);
            stream.payload.iter().for_each(|(_, field)| live.mark(*field));
        }
        if keep != Keep::Ports {
            module.assertions.iter().for_each(|promise| live.mark(promise.condition));
        }
        if keep == Keep::Names {
            module.ids().filter(|(_, n)| n.name.is_some()).for_each(|(id, _)| live.mark(id));
        }
        while let Some(id) = live.pending.pop() {
            live.reach(module, id);
        }
        live
    }

    /// Which read ports of a memory live: a read folded to a constant is no port any more.
    fn reads(&self, module: &Module, memory: usize) -> impl Iterator<Item = bool> {
        module.memories[memory].reads.iter().map(|read| {
            let is_read = matches!(module.node(read.node).kind, Kind::MemoryRead { .. });
            is_read && self.nodes[read.node.index()]
        })
    }

    fn mark(&mut self, id: NodeId) {
        if !self.nodes[id.index()] {
            self.nodes[id.index()] = true;
            self.pending.push(id);
        }
    }

    fn reach(&mut self, module: &Module, id: NodeId) {
        match &module.node(id).kind {
            Kind::Register(register) => {
                self.registers[register.index()] = true;
                let register = &module.registers[register.index()];
                let reset = &module.clocks[register.clock.index()].reset;
                let reset = reset.as_ref().map(|reset| reset.signal);
                self.mark(register.next);
                [register.clear, register.enable, reset].into_iter().flatten().for_each(|id| {
                    self.mark(id);
                });
            }
            Kind::MemoryRead { memory, port } => {
                let index = memory.index();
                let memory = &module.memories[index];
                self.mark(memory.reads[*port].address);
                memory.reads[*port].sync.iter().for_each(|(_, enable)| self.mark(*enable));
                if !self.memories[index] {
                    self.memories[index] = true;
                    for write in &memory.writes {
                        let mask = write.mask.into_iter();
                        [write.address, write.data, write.enable]
                            .into_iter()
                            .chain(mask)
                            .for_each(|id| self.mark(id));
                    }
                }
            }
            kind => kind.operands().into_iter().for_each(|operand| self.mark(operand)),
        }
    }
}
