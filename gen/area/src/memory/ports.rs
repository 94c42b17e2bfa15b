//! Registers that belong to a read port, as Yosys' `memory_dff` finds them.

use super::super::circuit::Origin;
use super::super::graph::Bit;
use super::super::lower::Lowering;
use hwgen_hdl::netlist::{Kind, Module, NodeId, ResetKind};
use std::collections::HashMap;

/// A read port: a memory and the port's number.
type Port = (usize, usize);

/// Reads at once whose word only a register takes: the register becomes the port's.
pub(super) fn output_registers(module: &Module) -> HashMap<Port, usize> {
    let mut users: HashMap<NodeId, usize> = HashMap::new();
    let mut count = |id: NodeId| *users.entry(id).or_default() += 1;
    for (_, node) in module.ids() {
        node.kind.operands().into_iter().for_each(&mut count);
    }
    module.outputs.iter().for_each(|output| count(output.node));
    for register in &module.registers {
        count(register.next);
        register.enable.iter().chain(&register.clear).for_each(|&id| count(id));
    }
    for memory in &module.memories {
        for write in &memory.writes {
            [write.address, write.data, write.enable].into_iter().for_each(&mut count);
            write.mask.into_iter().for_each(&mut count);
        }
        for read in &memory.reads {
            count(read.address);
            read.sync.into_iter().for_each(|(_, enable)| count(enable));
        }
    }
    let mut merged = HashMap::new();
    for (number, register) in module.registers.iter().enumerate() {
        let mut id = register.next;
        let mut alone = users[&id] == 1;
        while let Kind::Wire(Some(driver)) = module.node(id).kind {
            id = driver;
            alone &= users[&id] == 1;
        }
        let plain = register.reset_value.is_none() && register.clear.is_none();
        if let Kind::MemoryRead { memory, port } = module.node(id).kind
            && alone
            && plain
            && module.memories[memory.index()].reads[port].sync.is_none()
            && module.memories[memory.index()].depth.is_power_of_two()
        {
            merged.insert((memory.index(), port), number);
        }
    }
    merged
}

/// Clocks of the other reads at once whose address is what a register holds: the RAM may take
/// what the register takes, an edge earlier.
pub(super) fn address_registers(
    module: &Module,
    merged: &HashMap<Port, usize>,
) -> HashMap<Port, usize> {
    let registers: HashMap<NodeId, usize> =
        (0..).zip(&module.registers).map(|(number, register)| (register.node, number)).collect();
    let mut early = HashMap::new();
    for (number, memory) in module.memories.iter().enumerate() {
        for (port, read) in memory.reads.iter().enumerate() {
            let mut id = read.address;
            while let Kind::Wire(Some(of)) | Kind::Slice { of, .. } = module.node(id).kind {
                id = of;
            }
            let Some(register) = registers.get(&id).map(|&at| &module.registers[at]) else {
                continue;
            };
            let clock = &module.clocks[register.clock.index()];
            let reset = clock.reset.as_ref().map(|reset| reset.kind);
            let asynchronous = register.reset_value.is_some() && reset == Some(ResetKind::Async);
            let at_once = read.sync.is_none() && !merged.contains_key(&(number, port));
            if at_once && !asynchronous {
                early.insert((number, port), register.clock.index());
            }
        }
    }
    early
}

/// What flip-flops take at the next edge, given their contents.
pub(super) fn before(lowering: &mut Lowering<'_>, bits: &[Bit]) -> Vec<Bit> {
    let circuit = &mut lowering.circuit;
    let mut next = vec![];
    for &bit in bits {
        let Some(&Origin::FlipFlop(at)) = circuit.origins.get(&bit.gate()) else {
            next.push(bit);
            continue;
        };
        let flip_flop = circuit.flip_flops[at];
        let value = Bit::known(flip_flop.value);
        let (graph, mut d) = (&mut circuit.graph, flip_flop.d);
        if flip_flop.enable_first {
            d = graph.mux(flip_flop.reset, value, d);
        }
        d = graph.mux(flip_flop.enable, d, flip_flop.q);
        if !flip_flop.enable_first {
            d = graph.mux(flip_flop.reset, value, d);
        }
        next.push(if bit.inverted() { !d } else { d });
    }
    next
}
