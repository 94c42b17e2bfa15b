//! Rule 3 of the stream contract: a source must not wait for its sink.

use crate::error::HdlError;
use crate::netlist::{Direction, Module, NodeId, StreamPort};

/// Outgoing streams whose `valid` depends on their own `ready` within a cycle.
pub(crate) fn valid_waits_for_ready(module: &Module) -> Vec<HdlError> {
    let outgoing = module.streams.iter().filter(|stream| stream.direction == Direction::Out);
    outgoing.filter_map(|stream| waits(module, stream)).collect()
}

fn waits(module: &Module, stream: &StreamPort) -> Option<HdlError> {
    let port = |ports: &[crate::netlist::Port], name: &str| {
        ports.iter().position(|port| *port.name == *name)
    };
    let valid = port(&module.outputs, &stream.port("valid"))?;
    let ready = port(&module.inputs, &stream.port("ready"))?;
    if !module.combinational[valid].contains(&ready) {
        return None;
    }
    let path = path(module, module.inputs[ready].node, module.outputs[valid].node);
    let name = |id: &NodeId| {
        let node = module.node(*id);
        node.name.as_ref().map_or_else(|| node.kind.word().to_string(), ToString::to_string)
    };
    let path = path.iter().map(name).collect::<Vec<_>>().join(" -> ");
    Some(HdlError::ValidWaitsForReady { at: stream.place, stream: stream.name.to_string(), path })
}

/// A shortest combinational path from one node to another.
fn path(module: &Module, from: NodeId, to: NodeId) -> Vec<NodeId> {
    let mut reached_by = vec![None; module.nodes.len()];
    let mut frontier = vec![to];
    while !frontier.is_empty() && reached_by[from.index()].is_none() {
        let mut next = vec![];
        for user in frontier {
            for dependency in module.dependencies(user) {
                if reached_by[dependency.index()].is_none() && dependency != to {
                    reached_by[dependency.index()] = Some(user);
                    next.push(dependency);
                }
            }
        }
        frontier = next;
    }
    let mut path = vec![from];
    while let Some(next) = reached_by[path[path.len() - 1].index()] {
        path.push(next);
    }
    path
}
