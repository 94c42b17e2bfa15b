//! The top with the ports that every board has.

use super::{Payload, TopError, TopSpec, hwgen_top};
use hwgen_hdl::{Module, ModuleBuilder, cat, u};
use std::sync::Arc;

/// Module `hwgen_on_board`: [`hwgen_top`] with its lights as one port `leds`, the lowest first: the
/// heart beat, busy, error, four of the result.
///
/// # Errors
/// As [`hwgen_top`].
pub fn on_board(spec: &TopSpec, payload: &Payload) -> Result<Arc<Module>, TopError> {
    let top = hwgen_top(spec, payload)?;
    let m = ModuleBuilder::new("hwgen_on_board");
    m.doc("A design behind a serial line, with the ports of a board.");
    let inner = m.instance("top", &top);
    inner.input("uart_rx", m.input("uart_rx", u(1)));
    m.output("uart_tx", inner.output("uart_tx"));
    let lights = ["led_result", "led_error", "led_busy", "led_alive"];
    m.output("leds", cat(&lights.map(|light| inner.output(light))));
    Ok(m.finish())
}
