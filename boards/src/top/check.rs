//! The CRC of what comes and goes, a bit a cycle.

use super::state::{Link, State};
use hwgen_hdl::lib::{Crc, crc};
use hwgen_hdl::{ModuleBuilder, Signal, Wire, u};

/// The check of the bytes that went in.
pub(super) struct Check<'m> {
    /// Its value.
    pub(super) value: Signal<'m>,
    /// The byte before is in.
    pub(super) idle: Signal<'m>,
    /// A byte that was sent goes in.
    pub(super) sends: Wire<'m>,
    /// That byte.
    pub(super) sent: Wire<'m>,
}

impl<'m> Check<'m> {
    pub(super) fn new(m: &'m ModuleBuilder, link: &Link<'m>) -> Check<'m> {
        let (sends, sent) = (m.wire("check_sends", u(1)), m.wire("check_sent", u(8)));
        let bits_left = m.reg("check_bits_left", u(4));
        let idle = bits_left.eq(0).named("check_idle");
        let begins = (*link.stores | *sends).named("check_begins");
        let byte = m.reg("check_byte", u(8)).no_reset();
        let shifted = m.lit(u(1), 0).cat(byte.slice(7, 1));
        byte.next(begins.mux(sends.mux(*sent, *link.stored), shifted));
        bits_left.next(begins.mux(m.lit(u(4), 8), *bits_left - 1)).enable(begins | !idle);
        let register = m.instance("checksum", &crc(&Crc::CRC32, 1));
        register.input("clear", link.begins_anew() | link.is(State::Begin));
        register.input("valid", !idle);
        register.input("data", byte.bit(0));
        m.promise("a byte goes into the check after the one before", idle | !begins);
        Check { value: register.output("check"), idle, sends, sent }
    }

    /// Whether the latest four bytes were the check of all before them.
    pub(super) fn fits(&self) -> Signal<'m> {
        self.value.eq(Crc::CRC32.residue())
    }
}
