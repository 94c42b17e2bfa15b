//! Passes: each takes a module and leaves one that behaves the same.
//!
//! [`simplify`] is what emission and the compiled simulator run: constants folded, equal
//! expressions shared, unused logic dropped. Random netlists prove each pass in
//! `tests/passes.rs`.

mod drop_dead;
mod fold_constants;
mod share_common;

pub use drop_dead::{Keep, drop_dead};
pub use fold_constants::fold_constants;
pub use share_common::share_common;

use crate::netlist::{Kind, Module, NodeId};

/// All passes. Sharing makes operands equal, which folds once more.
pub fn simplify(module: &Module, keep: Keep) -> Module {
    drop_dead(&fold_constants(&share_common(&fold_constants(module))), keep)
}

/// A node that takes another's place carries what that one did.
fn keep_called(module: &mut Module, gone: NodeId, kept: NodeId) {
    if module.node(kept).called.is_none() {
        module.nodes[kept.index()].called = module.nodes[gone.index()].called.clone();
    }
}

/// Applies `map` to every reference to a node inside a node's kind.
pub(crate) fn map_kind(kind: &mut Kind, map: impl Fn(NodeId) -> NodeId) {
    match kind {
        Kind::Unary(_, a) | Kind::Slice { of: a, .. } | Kind::Cast(a) => *a = map(*a),
        Kind::Wire(driver) => *driver = driver.map(map),
        Kind::Binary(_, a, b) => (*a, *b) = (map(*a), map(*b)),
        Kind::Mux { select, on_true, on_false } => {
            (*select, *on_true, *on_false) = (map(*select), map(*on_true), map(*on_false));
        }
        Kind::Concat(parts) => parts.iter_mut().for_each(|part| *part = map(*part)),
        Kind::Input
        | Kind::Constant(_)
        | Kind::Register(_)
        | Kind::MemoryRead { .. }
        | Kind::InstanceOutput { .. }
        | Kind::LeafOutput { .. } => {}
    }
}

/// Applies `map` to every reference to a node that stands outside the nodes' own kinds: ports,
/// state, instances, leaves, promises.
pub(crate) fn map_references(module: &mut Module, map: impl Fn(NodeId) -> NodeId) {
    let to = |id: &mut NodeId| *id = map(*id);
    module.clocks.iter_mut().filter_map(|c| c.reset.as_mut()).for_each(|r| to(&mut r.signal));
    module.inputs.iter_mut().chain(&mut module.outputs).for_each(|port| to(&mut port.node));
    for stream in &mut module.streams {
        to(&mut stream.valid);
        to(&mut stream.ready);
        stream.payload.iter_mut().for_each(|(_, node)| to(node));
    }
    for register in &mut module.registers {
        to(&mut register.node);
        to(&mut register.next);
        register.clear.iter_mut().chain(&mut register.enable).for_each(to);
    }
    for memory in &mut module.memories {
        for write in &mut memory.writes {
            to(&mut write.address);
            to(&mut write.data);
            to(&mut write.enable);
            write.mask.iter_mut().for_each(to);
        }
        for read in &mut memory.reads {
            to(&mut read.node);
            to(&mut read.address);
            read.sync.iter_mut().for_each(|(_, enable)| to(enable));
        }
    }
    for instance in &mut module.instances {
        instance.inputs.iter_mut().chain(instance.outputs.iter_mut().flatten()).for_each(to);
    }
    module.leaves.iter_mut().flat_map(|leaf| &mut leaf.inputs).for_each(to);
    module.assertions.iter_mut().for_each(|promise| to(&mut promise.condition));
}
