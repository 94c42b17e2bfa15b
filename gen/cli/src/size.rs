//! What a netlist is made of, counted.

use hwgen_hdl::Module;
use hwgen_hdl::netlist::{BinaryOp, Kind};

/// Totals over a module and everything inside it, before any optimization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Instances of modules, the top not counted.
    pub(crate) instances: u64,
    /// Bits in registers.
    pub(crate) register_bits: u64,
    /// Bits in memories.
    pub(crate) memory_bits: u64,
    /// Products of two signals.
    pub(crate) multipliers: u64,
}

/// Counts a module.
pub(crate) fn totals(module: &Module) -> Totals {
    let width = |node| u64::from(module.ty(node).width);
    let is_product = |kind: &Kind| match *kind {
        Kind::Binary(BinaryOp::Mul, a, b) => {
            module.constant(a).is_none() && module.constant(b).is_none()
        }
        _ => false,
    };
    let memories = module.memories.iter();
    let products = module.nodes.iter().filter(|node| is_product(&node.kind));
    let own = Totals {
        instances: 0,
        register_bits: module.registers.iter().map(|r| width(r.node)).sum(),
        memory_bits: memories.map(|m| m.depth as u64 * u64::from(m.word.width)).sum(),
        multipliers: products.count() as u64,
    };
    module.instances.iter().fold(own, |sum, instance| {
        let inner = totals(&instance.module);
        Totals {
            instances: sum.instances + inner.instances + 1,
            register_bits: sum.register_bits + inner.register_bits,
            memory_bits: sum.memory_bits + inner.memory_bits,
            multipliers: sum.multipliers + inner.multipliers,
        }
    })
}
