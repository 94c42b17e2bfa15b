//! Cyclic redundancy checks.
//!
//! One description gives the software model ([`Crc::of`]), the step for a bit ([`Crc::step`]) and
//! the circuit ([`crc`]).

use super::naming::check_range;
use crate::Place;
use crate::build::{ModuleBuilder, Signal};
use crate::netlist::Module;
use crate::ty::u;
use std::sync::Arc;

/// A cyclic redundancy check of at most 64 bits, after Williams' model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Crc {
    /// Bits of the check.
    pub width: u32,
    /// The polynomial without its highest term, the bit of x^0 lowest.
    pub polynomial: u64,
    /// The register before the first bit, as in the catalogues: not reflected.
    pub initial: u64,
    /// Bytes go in with their lowest bit first, and the check comes out reflected.
    pub reflected: bool,
    /// What the register is combined with at the end.
    pub final_xor: u64,
}

impl Crc {
    /// CRC-32 of IEEE 802.3.
    pub const CRC32: Crc = Crc {
        width: 32,
        polynomial: 0x04c1_1db7,
        initial: 0xffff_ffff,
        reflected: true,
        final_xor: 0xffff_ffff,
    };

    /// CRC-16 of X.25 and HDLC.
    pub const CRC16_X25: Crc =
        Crc { width: 16, polynomial: 0x1021, initial: 0xffff, reflected: true, final_xor: 0xffff };

    /// CRC-8 of SMBus.
    pub const CRC8: Crc =
        Crc { width: 8, polynomial: 0x07, initial: 0, reflected: false, final_xor: 0 };

    fn mask(&self) -> u64 {
        u64::MAX >> (64 - self.width)
    }

    /// The polynomial as the register sees it.
    fn taps(&self) -> u64 {
        if self.reflected { self.reflect(self.polynomial) } else { self.polynomial }
    }

    /// The register before the first bit.
    fn start(&self) -> u64 {
        if self.reflected { self.reflect(self.initial) } else { self.initial }
    }

    fn reflect(&self, value: u64) -> u64 {
        value.reverse_bits() >> (64 - self.width)
    }

    /// The register after one more bit.
    fn after(&self, register: u64, bit: bool) -> u64 {
        let (out, shifted) = match self.reflected {
            true => (register & 1 == 1, register >> 1),
            false => (register >> (self.width - 1) & 1 == 1, register << 1),
        };
        (shifted ^ if out != bit { self.taps() } else { 0 }) & self.mask()
    }

    /// The register after these bytes.
    fn register(&self, bytes: &[u8]) -> u64 {
        let bits = bytes.iter().flat_map(|byte| {
            (0..8).map(move |bit| byte >> if self.reflected { bit } else { 7 - bit } & 1 == 1)
        });
        bits.fold(self.start(), |register, bit| self.after(register, bit))
    }

    /// The check of these bytes.
    pub fn of(&self, bytes: &[u8]) -> u64 {
        self.register(bytes) ^ self.final_xor
    }

    /// The check that bytes have behind which their own stands, whatever they are: lowest byte first
    /// if reflected, else highest.
    pub fn residue(&self) -> u64 {
        let own = self.of(&[]);
        let bytes = u64::from(self.width / 8);
        let shift = |at: u64| 8 * if self.reflected { at } else { bytes - 1 - at };
        self.of(&(0..bytes).map(|at| (own >> shift(at)) as u8).collect::<Vec<_>>())
    }

    /// The register after one more bit.
    #[track_caller]
    pub fn step<'m>(&self, register: Signal<'m>, bit: Signal<'m>) -> Signal<'m> {
        let _caller = Place::of_caller();
        let (m, width) = (register.module(), self.width);
        let zero = m.lit(u(1), 0);
        let (out, shifted) = match self.reflected {
            true => (register.bit(0), zero.cat(register.slice(width - 1, 1))),
            false => (register.bit(width - 1), register.slice(width - 2, 0).cat(zero)),
        };
        let taps = (out ^ bit).repeat(width) & m.lit(u(width), self.taps());
        shifted ^ taps
    }
}

/// The circuit, `bits` of data a cycle: in `clear`, `valid`, `data`; out `check`, that of all data since
/// the latest `clear`. Data beside `clear` is not seen. The first bit is the lowest if the check is
/// reflected, else the highest.
///
/// # Panics
/// If the width is outside `2..=64` or `bits` outside `1..=64`.
pub fn crc(crc: &Crc, bits: u32) -> Arc<Module> {
    check_range("crc", "width", crc.width, 2..=64);
    check_range("crc", "bits", bits, 1..=64);
    let Crc { width, polynomial, initial, reflected, final_xor } = *crc;
    let order = if reflected { "_reflected" } else { "" };
    let name = format!("crc{width}_{polynomial:x}_{initial:x}_{final_xor:x}{order}_b{bits}");
    let m = ModuleBuilder::new(name);
    m.doc("Cyclic redundancy check of all data since clear.");
    m.parameter("width", width);
    m.parameter("polynomial", format!("{polynomial:x}"));
    m.parameter("reflected", reflected);
    m.parameter("bits", bits);
    let (clear, valid) = (m.input("clear", u(1)), m.input("valid", u(1)));
    let data = m.input("data", u(bits));
    let register = m.reg("register", u(width)).reset_to(crc.start()).clear(clear).enable(valid);
    let order = (0..bits).map(|bit| if reflected { bit } else { bits - 1 - bit });
    let next = order.fold(*register, |after, bit| crc.step(after, data.bit(bit)));
    register.next(next);
    m.output("check", *register ^ m.lit(u(width), final_xor));
    m.finish()
}

pub(super) fn samples() -> Vec<Arc<Module>> {
    vec![crc(&Crc::CRC8, 8), crc(&Crc::CRC16_X25, 4), crc(&Crc::CRC32, 1), crc(&Crc::CRC32, 32)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib::testing::{Random, simulate};

    /// An unusual one: odd width, not reflected, all fields in use.
    const ODD: Crc = Crc {
        width: 24,
        polynomial: 0x86_4cfb,
        initial: 0xb7_04ce,
        reflected: false,
        final_xor: 5,
    };

    #[test]
    fn the_catalogues_check_values() {
        let digits = b"123456789";
        assert_eq!(Crc::CRC32.of(digits), 0xcbf4_3926);
        assert_eq!(Crc::CRC16_X25.of(digits), 0x906e);
        assert_eq!(Crc::CRC8.of(digits), 0xf4);
        // CRC-24 of OpenPGP
        assert_eq!(Crc { final_xor: 0, ..ODD }.of(digits), 0x21_cf02);
        assert_eq!(Crc::CRC32.residue() ^ 0xffff_ffff, 0xdebb_20e3);
    }

    #[test]
    fn the_circuit_is_the_model_at_every_rate() {
        let mut random = Random::new(3);
        for kind in [Crc::CRC32, Crc::CRC16_X25, Crc::CRC8, ODD] {
            for bits in [1, 2, 4, 8, 16, 64] {
                let mut sim = simulate(&crc(&kind, bits));
                for _ in 0..4 {
                    let bytes: Vec<u8> = (0..16).map(|_| random.below(256) as u8).collect();
                    sim.poke("clear", 1);
                    sim.poke("valid", u32::from(random.percent(50)));
                    sim.step();
                    sim.poke("clear", 0);
                    assert_eq!(sim.peek_u64("check"), kind.of(&[]));
                    // bytes in the order in which their bits go in
                    let all = bytes.iter().fold(0u128, |all, byte| match kind.reflected {
                        true => all >> 8 | u128::from(*byte) << 120,
                        false => all << 8 | u128::from(*byte),
                    });
                    for at in 0..128 / bits {
                        let low = bits * if kind.reflected { at } else { 128 / bits - 1 - at };
                        let word = (all >> low) as u64 & (u64::MAX >> (64 - bits));
                        while random.percent(30) {
                            sim.poke("valid", 0);
                            sim.step();
                        }
                        sim.poke("valid", 1);
                        sim.poke("data", word);
                        sim.step();
                    }
                    sim.poke("valid", 0);
                    assert_eq!(sim.peek_u64("check"), kind.of(&bytes), "{kind:?} {bits}");
                }
            }
        }
    }

    #[test]
    fn a_check_behind_its_bytes_leaves_the_residue() {
        let mut bytes = b"any bytes".to_vec();
        bytes.extend((Crc::CRC32.of(&bytes) as u32).to_le_bytes());
        assert_eq!(Crc::CRC32.of(&bytes), Crc::CRC32.residue());
        let mut bytes = b"any bytes".to_vec();
        bytes.extend(&(ODD.of(&bytes) as u32).to_be_bytes()[1..]);
        assert_eq!(ODD.of(&bytes), ODD.residue());
    }
}
