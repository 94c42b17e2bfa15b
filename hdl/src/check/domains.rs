//! What belongs to which clock: no memory that two clocks write, nothing looked at by a clock that
//! is not its own.

use crate::error::HdlError;
use crate::netlist::{ClockId, Kind, Module, NodeId};
use crate::place::Place;
use std::collections::{BTreeSet, HashSet};

/// A promise or stream whose author named no domain.
pub(crate) struct Unnamed {
    /// What it is, for messages.
    pub(crate) what: String,
    /// The node that its clock must fit.
    pub(crate) node: NodeId,
    /// The author's line.
    pub(crate) place: Place,
}

/// Memories with write ports of two clocks: at simultaneous edges Verilog leaves the order open.
pub(crate) fn memory_writers(module: &Module) -> impl Iterator<Item = HdlError> {
    let name = |clock: ClockId| module.clocks[clock.index()].name.to_string();
    module.memories.iter().filter_map(move |memory| {
        let first = memory.writes.first()?;
        let other = memory.writes.iter().find(|write| write.clock != first.clock)?;
        Some(HdlError::MemoryWriters {
            at: other.place,
            name: memory.name.to_string(),
            clock: name(other.clock),
            other: name(first.clock),
            first: first.place,
        })
    })
}

/// Those that read state of other domains alone: looked at by the default clock they would be seen
/// too seldom or too often.
pub(crate) fn of_other_domains(
    module: &Module,
    default: ClockId,
    unnamed: Vec<Unnamed>,
) -> Vec<HdlError> {
    let name = |clock: &ClockId| format!("`{}`", module.clocks[clock.index()].name);
    let other = |Unnamed { what, node, place }| {
        let clocks = clocks_read(module, node);
        let lost = !clocks.is_empty() && !clocks.contains(&default);
        lost.then(|| HdlError::OtherDomain {
            at: place,
            what,
            default: module.clocks[default.index()].name.to_string(),
            others: clocks.iter().map(name).collect::<Vec<_>>().join(", "),
        })
    };
    unnamed.into_iter().filter_map(other).collect()
}

/// The clocks of the state that a node reads within an instant.
fn clocks_read(module: &Module, node: NodeId) -> BTreeSet<ClockId> {
    let (mut clocks, mut seen, mut pending) = (BTreeSet::new(), HashSet::new(), vec![node]);
    while let Some(id) = pending.pop() {
        if !seen.insert(id) {
            continue;
        }
        match &module.node(id).kind {
            Kind::Register(register) => {
                clocks.insert(module.registers[register.index()].clock);
                continue;
            }
            Kind::MemoryRead { memory, port } => {
                let memory = &module.memories[memory.index()];
                match memory.reads[*port].sync {
                    Some((clock, _)) => clocks.extend([clock]),
                    None => clocks.extend(memory.writes.iter().map(|write| write.clock)),
                }
            }
            Kind::InstanceOutput { instance, .. } => {
                clocks.extend(&module.instances[instance.index()].clocks);
            }
            Kind::LeafOutput { leaf, .. } => clocks.extend(&module.leaves[leaf.index()].clocks),
            _ => {}
        }
        pending.extend(module.dependencies(id));
    }
    clocks
}
