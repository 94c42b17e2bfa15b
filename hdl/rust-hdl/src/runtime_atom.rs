//! A rust-hdl signal whose width is known only at run time.

use crate::port::{Port, PortDirection};
use hwgen_hdl::Int;
use rust_hdl::core::signal::get_signal_id;
use rust_hdl::prelude::*;

/// One port: its value now, and the one it takes at the next update.
pub(crate) struct RuntimeAtom {
    pub(crate) port: Port,
    pub(crate) value: Int,
    pub(crate) next: Int,
    pub(crate) changed: bool,
    id: usize,
}

impl RuntimeAtom {
    pub(crate) fn new(port: Port) -> Self {
        let (value, next) = (Int::ZERO, Int::ZERO);
        Self { port, value, next, changed: false, id: get_signal_id() }
    }

    /// Takes the next value; says whether that changed anything.
    pub(crate) fn step(&mut self) -> bool {
        self.changed = self.value != self.next;
        if self.changed {
            self.value.clone_from(&self.next);
        }
        self.changed
    }
}

impl Atom for RuntimeAtom {
    fn bits(&self) -> usize {
        self.port.ty.width as usize
    }

    fn connected(&self) -> bool {
        true
    }

    fn changed(&self) -> bool {
        self.changed
    }

    fn kind(&self) -> AtomKind {
        match self.port.direction {
            PortDirection::Clock | PortDirection::Input => AtomKind::InputParameter,
            PortDirection::Output => AtomKind::OutputParameter,
            PortDirection::InOut => AtomKind::InOutParameter,
        }
    }

    fn descriptor(&self) -> TypeDescriptor {
        let width = self.bits();
        let (name, kind) = match (self.port.direction, self.port.ty.signed) {
            (PortDirection::Clock, _) => ("clock".into(), TypeKind::Bits(1)),
            (_, true) => (format!("Signed::<{width}>"), TypeKind::Signed(width)),
            (_, false) => (format!("Bits::<{width}>"), TypeKind::Bits(width)),
        };
        TypeDescriptor { name, kind }
    }

    fn vcd(&self) -> VCDValue {
        // rust-hdl does not export the type of a single VCD bit, only ways to make one.
        let bit = |index: usize| match VCDValue::from(self.value.bit(index as u64)) {
            VCDValue::Single(bit) => Some(bit),
            _ => None,
        };
        match self.bits() {
            1 => VCDValue::from(self.value.bit(0)),
            width => VCDValue::Vector((0..width).rev().filter_map(bit).collect()),
        }
    }

    fn id(&self) -> usize {
        self.id
    }

    /// rust-hdl asks this of constants only, and its literals cannot have a run-time width: the
    /// low 128 bits.
    fn verilog(&self) -> VerilogLiteral {
        let low = (0..128).filter(|&index| self.value.bit(index));
        low.fold(0_u128, |bits, index| bits | (1 << index)).into()
    }

    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}
