//! The smallest design that shows a board alive: every byte that comes comes back one higher, and
//! the LEDs show the last one. `hwgen build --board B --design echo`.

use crate::wrapper::Inner;
use hwgen_hdl::lib::uart;
use hwgen_hdl::{ModuleBuilder, u};
use std::sync::Arc;

/// LEDs it drives.
pub const LEDS: u32 = 8;

/// The answer to a byte.
pub fn answer(byte: u8) -> u8 {
    byte.wrapping_add(1)
}

/// The design for a line of `divisor` cycles a bit.
///
/// # Panics
/// If `divisor` is outside `4..=2^24`.
pub fn echo(divisor: u32) -> Inner {
    Inner::of(&module(divisor)).unwrap_or_else(|error| panic!("{error}"))
}

fn module(divisor: u32) -> Arc<hwgen_hdl::Module> {
    let m = ModuleBuilder::new("echo");
    m.doc("Bytes that come at uart_rx go back one higher at uart_tx; leds show the last one.");
    m.parameter("divisor", divisor);
    let line = m.instance("line", &uart::uart(divisor));
    line.input("rx", m.input("uart_rx", u(1)));
    let bytes = line.stream_from("out");
    let byte = bytes.get("data");
    let last = m.reg("last", u(LEDS)).enable(bytes.fires());
    last.next(byte);
    let higher = hwgen_hdl::Bundle::new([("data", byte + 1)]);
    line.stream_into("in", bytes.with_payload(higher));
    m.output("uart_tx", line.output("tx"));
    m.output("leds", *last);
    m.finish()
}
