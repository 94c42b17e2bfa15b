//! Computes equal expressions once.

use super::{keep_called, map_kind, map_references};
use crate::check::combinational_order;
use crate::netlist::{Kind, Module, NodeId};
use crate::ty::Type;
use std::collections::HashMap;

/// Lets every unnamed node that equals an earlier one be that one. Named nodes keep their nets,
/// state is never merged.
pub fn share_common(module: &Module) -> Module {
    let order = combinational_order(module).expect("a finished module has no loop");
    let mut shared = module.clone();
    let mut same: Vec<NodeId> = module.ids().map(|(id, _)| id).collect();
    let mut seen: HashMap<(Kind, Type), NodeId> = HashMap::new();
    for id in order {
        let node = &mut shared.nodes[id.index()];
        map_kind(&mut node.kind, |operand| same[operand.index()]);
        if !is_expression(&node.kind) {
            continue;
        }
        let first = *seen.entry((node.kind.clone(), node.ty)).or_insert(id);
        if node.name.is_none() {
            same[id.index()] = first;
            keep_called(&mut shared, id, first);
        }
    }
    map_references(&mut shared, |id| same[id.index()]);
    shared
}

fn is_expression(kind: &Kind) -> bool {
    match kind {
        Kind::Constant(_)
        | Kind::Unary(..)
        | Kind::Binary(..)
        | Kind::Mux { .. }
        | Kind::Concat(_)
        | Kind::Slice { .. }
        | Kind::Cast(_) => true,
        Kind::Input
        | Kind::Wire(_)
        | Kind::Register(_)
        | Kind::MemoryRead { .. }
        | Kind::InstanceOutput { .. }
        | Kind::LeafOutput { .. } => false,
    }
}
