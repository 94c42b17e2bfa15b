//! Work that only an enable makes necessary, behind a branch.
//!
//! Registers with one enable, and the nodes that nothing but them uses, are brought together where
//! the last of them stood. Later is always possible: who reads a register's old content has read it.

use super::item::Item;
use crate::netlist::{Kind, Module, NodeId};
use std::collections::HashMap;

/// Who uses a node.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Nobody,
    /// Only registers with this enable.
    Gate(NodeId),
    Many,
}

/// Puts [`Item::Open`] and [`Item::Close`] around work of at least `worth` instructions.
pub(super) fn gate(module: &Module, items: Vec<Item>, worth: usize) -> Vec<Item> {
    let uses = uses(module, &items);
    let gate_of = |item: &Item| match *item {
        Item::Register(index) => enable(module, index),
        Item::Node(id) => match uses[id.index()] {
            Use::Gate(enable) => Some(enable),
            _ => None,
        },
        _ => None,
    };
    let mut gates: HashMap<NodeId, (usize, usize)> = HashMap::new();
    for (position, item) in items.iter().enumerate() {
        if let Some(enable) = gate_of(item) {
            let (weight, last) = gates.entry(enable).or_default();
            (*weight, *last) = (*weight + item.weight(module), position);
        }
    }
    gates.retain(|_, (weight, _)| *weight >= worth);
    let mut waiting: HashMap<NodeId, Vec<Item>> = HashMap::new();
    let mut gated = vec![];
    for (position, item) in items.into_iter().enumerate() {
        let gate = gate_of(&item).and_then(|enable| Some((enable, gates.get(&enable)?.1)));
        let Some((enable, last)) = gate else {
            gated.push(item);
            continue;
        };
        let inside = waiting.entry(enable).or_default();
        inside.push(item);
        if position == last {
            gated.push(Item::Open(enable));
            gated.append(inside);
            gated.push(Item::Close);
        }
    }
    gated
}

/// The enable without which a register keeps its content whatever happens.
pub(super) fn enable(module: &Module, register: usize) -> Option<NodeId> {
    let register = &module.registers[register];
    let resets =
        register.reset_value.is_some() && module.clocks[register.clock.index()].reset.is_some();
    let plain = register.clear.is_none() && !resets;
    register.enable.filter(|&enable| plain && module.constant(enable).is_none())
}

fn uses(module: &Module, items: &[Item]) -> Vec<Use> {
    let mut uses = vec![Use::Nobody; module.nodes.len()];
    let mark = |uses: &mut [Use], id: NodeId, by: Use| {
        let known = &mut uses[id.index()];
        *known = if *known == Use::Nobody || *known == by { by } else { Use::Many };
    };
    for &item in items.iter().rev() {
        let (by, operands) = match item {
            Item::Node(id) => {
                // a leaf must see its inputs whatever becomes of its outputs
                if let Kind::LeafOutput { .. } = module.node(id).kind {
                    uses[id.index()] = Use::Many;
                }
                (uses[id.index()], module.dependencies(id))
            }
            Item::Register(index) => match enable(module, index) {
                Some(enable) => {
                    mark(&mut uses, enable, Use::Many);
                    (Use::Gate(enable), vec![module.registers[index].next])
                }
                None => (Use::Many, item.operands(module, &|_| true)),
            },
            _ => (Use::Many, item.operands(module, &|_| true)),
        };
        operands.into_iter().for_each(|operand| mark(&mut uses, operand, by));
    }
    uses
}
