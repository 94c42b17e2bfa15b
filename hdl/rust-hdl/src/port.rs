//! The ports of a rust-hdl block, learned by walking it with a `Probe`.

use crate::verilog::plain_name;
use hwgen_hdl::{Type, s, u};
use num_bigint::BigUint;
use rust_hdl::prelude::*;

/// Which way a port points, seen from the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortDirection {
    /// Driven from outside, and a clock.
    Clock,
    /// Driven from outside.
    Input,
    /// Driven by the block.
    Output,
    /// Either; rust-hdl's tristate, which the bridge refuses.
    InOut,
}

/// One port of a rust-hdl block, named as its Verilog prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    /// Verilog name; a field of an interface reads `interface__field`.
    pub(crate) name: String,
    /// Width, and whether it is two's complement (`Signed<N>`) or plain bits.
    pub(crate) ty: Type,
    /// Direction, and whether it is a clock.
    pub(crate) direction: PortDirection,
}

/// A port and the identity of the rust-hdl signal behind it, in declaration order.
pub(crate) struct ProbedPort {
    pub(crate) port: Port,
    pub(crate) id: usize,
}

/// Walks `block` and returns the ports of its own level.
pub(crate) fn probe_ports(block: &dyn Block) -> Vec<ProbedPort> {
    let mut probe = PortProbe::default();
    block.accept("top", &mut probe);
    probe.ports
}

/// The bit pattern an atom holds now. rust-hdl shows it only as a Verilog literal, `8'h3f`.
pub(crate) fn atom_bits(atom: &dyn Atom) -> BigUint {
    let literal = format!("{:x}", atom.verilog());
    let digits = literal.rsplit("'h").next().unwrap_or_default();
    BigUint::parse_bytes(digits.as_bytes(), 16).unwrap_or_default()
}

#[derive(Default)]
struct PortProbe {
    depth: usize,
    interfaces: Vec<String>,
    ports: Vec<ProbedPort>,
}

impl Probe for PortProbe {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.interfaces.push(name.to_string());
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.interfaces.pop();
    }

    fn visit_atom(&mut self, name: &str, atom: &dyn Atom) {
        if self.depth != 1 {
            return;
        }
        let descriptor = atom.descriptor();
        let direction = match atom.kind() {
            AtomKind::InputParameter if descriptor.name == "clock" => PortDirection::Clock,
            AtomKind::InputParameter => PortDirection::Input,
            AtomKind::OutputParameter | AtomKind::OutputPassthrough => PortDirection::Output,
            AtomKind::InOutParameter => PortDirection::InOut,
            _ => return,
        };
        let width = u32::try_from(atom.bits()).unwrap_or(u32::MAX);
        let ty = match descriptor.kind {
            TypeKind::Signed(_) => s(width),
            _ => u(width),
        };
        let path = self.interfaces.iter().map(String::as_str).chain([name]);
        let path: Vec<_> = path.collect();
        let port = Port { name: plain_name(&path.join("$")), ty, direction };
        self.ports.push(ProbedPort { port, id: atom.id() });
    }
}

/// A rust-hdl value that can be made from a bit pattern, so that a port can be driven with it.
pub trait FromBits: Synth {
    /// The value whose bits are `bits`, which fits the type's width.
    fn from_bits(bits: &BigUint) -> Self;
}

impl FromBits for Bit {
    fn from_bits(bits: &BigUint) -> Self {
        bits.bit(0)
    }
}

impl FromBits for Clock {
    fn from_bits(bits: &BigUint) -> Self {
        Clock { clk: bits.bit(0) }
    }
}

impl<const N: usize> FromBits for Bits<N> {
    fn from_bits(bits: &BigUint) -> Self {
        Bits::from(bits.clone())
    }
}

impl<const N: usize> FromBits for Signed<N> {
    fn from_bits(bits: &BigUint) -> Self {
        // `signed_cast` keeps the pattern; `From<BigInt>` would panic on the smallest number.
        signed_cast(Bits::from(bits.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(LogicBlock, Default)]
    struct Sample {
        pub clock: Signal<In, Clock>,
        pub x: Signal<In, Signed<7>>,
        pub wide: Signal<Out, Bits<70>>,
        inner: DFF<Bits<70>>,
        spare: Signal<Local, Bit>,
    }

    impl Logic for Sample {
        #[hdl_gen]
        fn update(&mut self) {
            dff_setup!(self, clock, inner);
            self.wide.next = self.inner.q.val();
            self.spare.next = false;
        }
    }

    #[test]
    fn ports_are_those_of_the_top_level_in_order() {
        let ports: Vec<Port> =
            probe_ports(&Sample::default()).into_iter().map(|probed| probed.port).collect();
        let port = |name: &str, ty, direction| Port { name: name.into(), ty, direction };
        assert_eq!(
            ports,
            [
                port("clock", u(1), PortDirection::Clock),
                port("x", s(7), PortDirection::Input),
                port("wide", u(70), PortDirection::Output),
            ]
        );
    }

    #[test]
    fn every_pattern_survives_the_way_in_and_out() {
        for value in 0_u32..128 {
            let mut x: Signal<In, Signed<7>> = Signal::default();
            x.next = FromBits::from_bits(&value.into());
            x.update_all();
            assert_eq!(atom_bits(&x), value.into());
        }
        let mut wide: Signal<In, Bits<70>> = Signal::default();
        wide.next = FromBits::from_bits(&(BigUint::from(5_u32) << 67));
        wide.update_all();
        assert_eq!(atom_bits(&wide), BigUint::from(5_u32) << 67);
    }
}
