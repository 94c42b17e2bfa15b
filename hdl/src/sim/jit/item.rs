//! The steps that programs are made of, and what they use.

use super::layout::limbs;
use crate::netlist::{ClockId, Kind, Module, NodeId, Reset, ResetKind};
use std::sync::Arc;

/// A step of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    /// Computes a node.
    Node(NodeId),
    /// Sets a register as its clock rises.
    Register(usize),
    /// Lets a register keep what its asynchronous reset made of it.
    Hold(usize),
    /// Sets what a registered read port (memory, port) shows.
    Read(usize, usize),
    /// Writes a memory through all its ports whose clocks rise.
    Write(usize),
    /// Looks at an assertion.
    Check(usize),
    /// Puts a node's value where it can be seen.
    View(NodeId),
    /// Counts how many bits of a node changed since the last tick.
    Count(NodeId),
    /// What follows, up to [`Item::Close`], is only done while this enable is 1.
    Open(NodeId),
    /// Ends what [`Item::Open`] began.
    Close,
    /// Lets a leaf see its settled inputs.
    LeafSettle(usize),
    /// Lets a leaf see a rising edge.
    LeafEdge(usize),
}

/// State that is overwritten in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    Register(usize),
    Read(usize, usize),
}

/// What a program is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Goal {
    /// Rising edges of these flat clocks; if `running`, with all synchronous resets that are
    /// inputs released. Changes of the nodes are counted.
    Tick { clocks: Vec<bool>, running: bool, counted: Arc<[NodeId]> },
    /// Makes the outputs visible and lets asynchronous resets act; `running` as above.
    Settle { outputs: Vec<NodeId>, running: bool },
    /// Makes these nodes visible.
    Show(Vec<NodeId>),
}

/// Whether a node is a value in a slot or a constant, not an item.
pub(super) fn is_source(module: &Module, id: NodeId) -> bool {
    match &module.node(id).kind {
        Kind::Input | Kind::Constant(_) => true,
        Kind::Register(_) => async_reset(module, id).is_none(),
        Kind::MemoryRead { memory, port } => {
            module.memories[memory.index()].reads[*port].sync.is_some()
        }
        _ => false,
    }
}

/// The asynchronous reset of a register's node.
pub(super) fn async_reset(module: &Module, id: NodeId) -> Option<&Reset> {
    let Kind::Register(register) = module.node(id).kind else {
        return None;
    };
    let register = &module.registers[register.index()];
    register.reset_value.as_ref()?;
    let reset = module.clocks[register.clock.index()].reset.as_ref()?;
    (reset.kind == ResetKind::Async).then_some(reset)
}

/// The state a node reads.
pub(super) fn state_of(module: &Module, id: NodeId) -> Option<State> {
    match module.node(id).kind {
        Kind::Register(register) => Some(State::Register(register.index())),
        Kind::MemoryRead { memory, port } => {
            let sync = module.memories[memory.index()].reads[port].sync.is_some();
            sync.then_some(State::Read(memory.index(), port))
        }
        _ => None,
    }
}

impl Item {
    /// The state an item overwrites.
    pub(super) fn overwrites(self) -> Option<State> {
        match self {
            Item::Register(register) | Item::Hold(register) => Some(State::Register(register)),
            Item::Read(memory, port) => Some(State::Read(memory, port)),
            _ => None,
        }
    }

    /// The nodes an item uses.
    pub(super) fn operands(self, module: &Module, ticks: &dyn Fn(ClockId) -> bool) -> Vec<NodeId> {
        match self {
            Item::Node(id) => {
                let mut nodes = module.dependencies(id);
                if let Kind::Register(_) = module.node(id).kind {
                    // An asynchronously reset register reads its own state.
                    nodes.push(id);
                }
                nodes
            }
            Item::Register(index) => {
                let register = &module.registers[index];
                let clock = &module.clocks[register.clock.index()];
                let reset = clock.reset.as_ref().filter(|_| register.reset_value.is_some());
                let held = register.enable.is_some().then_some(register.node);
                let nodes = [
                    Some(register.next),
                    register.clear,
                    register.enable,
                    held,
                    reset.map(|reset| reset.signal),
                ];
                nodes.into_iter().flatten().collect()
            }
            Item::Hold(index) => vec![module.registers[index].node],
            Item::Read(memory, port) => {
                let read = &module.memories[memory].reads[port];
                let enable = read.sync.map(|(_, enable)| enable);
                [Some(read.address), enable].into_iter().flatten().collect()
            }
            Item::Write(memory) => {
                let writes = module.memories[memory].writes.iter();
                let writes = writes.filter(|write| ticks(write.clock));
                writes
                    .flat_map(|write| {
                        [Some(write.address), Some(write.data), Some(write.enable), write.mask]
                    })
                    .flatten()
                    .collect()
            }
            Item::Check(index) => vec![module.assertions[index].condition],
            Item::View(id) | Item::Count(id) | Item::Open(id) => vec![id],
            Item::Close => vec![],
            Item::LeafSettle(leaf) | Item::LeafEdge(leaf) => module.leaves[leaf].inputs.clone(),
        }
    }

    /// About how many instructions an item becomes.
    pub(super) fn weight(self, module: &Module) -> usize {
        match self {
            Item::Node(id) => {
                let operands = module.node(id).kind.operands();
                let width = operands.iter().map(|&a| limbs(module.ty(a))).max().unwrap_or(1);
                width.max(limbs(module.ty(id))).max(operands.len())
            }
            Item::Register(index) => limbs(module.ty(module.registers[index].node)),
            Item::Read(memory, _) => limbs(module.memories[memory].word),
            Item::Write(memory) => {
                let memory = &module.memories[memory];
                2 * limbs(memory.word) * memory.writes.len()
            }
            Item::Count(id) => 4 * limbs(module.ty(id)),
            _ => 1,
        }
    }
}
