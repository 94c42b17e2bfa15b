//! An order in which all nodes can be computed; a combinational loop has none.

use crate::error::HdlError;
use crate::netlist::{Module, NodeId};
use bitvec::vec::BitVec;

/// Every node after the nodes it depends on within an instant.
///
/// # Errors
/// [`HdlError::CombinationalLoop`] with the loop printed as a path of names.
pub fn combinational_order(module: &Module) -> Result<Vec<NodeId>, HdlError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut mark = vec![Mark::New; module.nodes.len()];
    let mut order = Vec::with_capacity(module.nodes.len());
    // Depth first with a stack of our own: netlists are deeper than the call stack.
    let mut stack: Vec<(NodeId, Vec<NodeId>)> = vec![];
    for (root, _) in module.ids() {
        if mark[root.index()] != Mark::New {
            continue;
        }
        mark[root.index()] = Mark::Open;
        stack.push((root, module.dependencies(root)));
        while let Some((node, rest)) = stack.last_mut() {
            let node = *node;
            match rest.pop() {
                None => {
                    mark[node.index()] = Mark::Done;
                    order.push(node);
                    stack.pop();
                }
                Some(next) => match mark[next.index()] {
                    Mark::Done => {}
                    Mark::New => {
                        mark[next.index()] = Mark::Open;
                        stack.push((next, module.dependencies(next)));
                    }
                    Mark::Open => {
                        let start = stack.iter().position(|(id, _)| *id == next).unwrap_or(0);
                        let path: Vec<_> = stack[start..].iter().map(|(id, _)| *id).collect();
                        return Err(loop_error(module, &path));
                    }
                },
            }
        }
    }
    Ok(order)
}

/// `path` lists each node before the one it depends on; the reader wants the signal flow.
fn loop_error(module: &Module, path: &[NodeId]) -> HdlError {
    let name = |id: &NodeId| {
        let node = module.node(*id);
        match &node.name {
            Some(name) => name.to_string(),
            None => format!("({} at {})", node.kind.word(), node.place),
        }
    };
    let mut names: Vec<String> = path.iter().rev().map(name).collect();
    names.push(names[0].clone());
    HdlError::CombinationalLoop { at: module.node(path[0]).place, path: names.join(" -> ") }
}

/// For each output, the positions of the inputs it depends on combinationally.
pub(crate) fn combinational_inputs(module: &Module, order: &[NodeId]) -> Vec<Vec<usize>> {
    let inputs = module.inputs.len();
    let mut reach: Vec<Option<BitVec>> = vec![None; module.nodes.len()];
    for (position, port) in module.inputs.iter().enumerate() {
        let mut own = BitVec::repeat(false, inputs);
        own.set(position, true);
        reach[port.node.index()] = Some(own);
    }
    for &node in order {
        for dependency in module.dependencies(node) {
            // Nodes fed by state alone keep `None`: large modules have few combinational paths.
            let Some(theirs) = reach[dependency.index()].clone() else {
                continue;
            };
            match &mut reach[node.index()] {
                Some(ours) => *ours |= theirs,
                ours => *ours = Some(theirs),
            }
        }
    }
    let positions =
        |id: NodeId| reach[id.index()].as_ref().map_or(vec![], |bits| bits.iter_ones().collect());
    module.outputs.iter().map(|port| positions(port.node)).collect()
}
