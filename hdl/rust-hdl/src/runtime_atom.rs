//! A rust-hdl signal whose width is known only at run time.

use crate::{Port, PortDirection};
use num_bigint::BigUint;
use rust_hdl::core::signal::get_signal_id;
use rust_hdl::prelude::*;

/// One port: its value now, and the one it takes at the next update.
pub(crate) struct RuntimeAtom {
    pub(crate) port: Port,
    pub(crate) value: BigUint,
    pub(crate) next: BigUint,
    pub(crate) changed: bool,
    id: usize,
}

impl RuntimeAtom {
    pub(crate) fn new(port: Port) -> Self {
        let (value, next) = (BigUint::ZERO, BigUint::ZERO);
        Self {
            port,
            value,
            next,
            changed: false,
            id: get_signal_id(),
        }
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
        self.port.width
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
        let width = self.port.width;
        let (name, kind) = match (self.port.direction, self.port.signed) {
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
        match self.port.width {
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
        let mut low = 0_u128;
        for (index, digit) in self.value.iter_u64_digits().take(2).enumerate() {
            low |= u128::from(digit) << (64 * index);
        }
        low.into()
    }

    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}
