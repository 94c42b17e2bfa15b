//! The top level around a design: a serial line or SPI, the link of `docs/link.md`, the design, four kinds of LEDs.
//!
//! ```text
//! uart_rx --> receiver --> listen ----> packet buffer (512 bytes) ----> speak --> transmitter --> uart_tx
//!                            |             ^       |                      ^
//!                            +--> check <--|-------|--> check             |
//!                                          |       v                      |
//!                                        answer: header, copy, write, read, finish
//!                                                  |          ^
//!                                                  v          |
//!                                places of channels --> design --> channels
//! ```
//!
//! One question at a time goes through one buffer: its lower half holds the question, its upper half the
//! latest answer, and between them, where no packet reaches, the board's identity.

mod buffer;
mod carry;
mod channels;
mod check;
mod leds;
mod line;
mod listen;
pub mod live;
mod question;
mod speak;
mod state;

use crate::link::channel::{ChannelError, Channels};
use crate::link::identity::Identity;
use hwgen_designs::registry::Configured;
use hwgen_hdl::{Module, ModuleBuilder};
pub use line::{LEAST_DIVISOR, Line};
use state::State;
use std::sync::Arc;
use thiserror::Error;

/// log2 of the least patience: a packet whose beats are taken at once takes fewer cycles.
pub const LEAST_PATIENCE_BITS: u32 = 10;

/// What stands behind the link, as the host is to know it.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The design.
    pub module: Arc<Module>,
    /// Its name.
    pub design: String,
    /// [`spec_hash`](crate::link::identity::spec_hash) of its specification.
    pub spec_hash: u32,
    /// The bytes of its first outgoing channel are scores of so many classes, up to `last`.
    pub classes: Option<u32>,
}

impl Payload {
    /// A design of the registry, by its name.
    pub fn new(design: &str, configured: &dyn Configured) -> Payload {
        Payload {
            module: configured.build(),
            design: design.to_owned(),
            spec_hash: crate::link::identity::spec_hash(&configured.json()),
            classes: None,
        }
    }
}

/// The board around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopSpec {
    /// Of the one clock.
    pub clock_hz: u32,
    /// What goes to the host.
    pub line: Line,
    /// 2^ cycles that a question may wait for the design.
    pub patience_bits: u32,
}

impl TopSpec {
    /// A board whose serial line has so many bits a second.
    pub fn new(clock_hz: u32, baud: u32) -> TopSpec {
        TopSpec::over(Line::uart(clock_hz, baud), clock_hz)
    }

    /// A board with such a line.
    pub fn over(line: Line, clock_hz: u32) -> TopSpec {
        TopSpec { clock_hz, line, patience_bits: 11 }
    }
}

/// Why there is no top.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TopError {
    /// The design does not go behind the link.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The serial line is too fast for the clock, or far too slow.
    #[error(
        "a bit of the serial line takes {divisor} cycles of the clock; it must be {LEAST_DIVISOR} to 16777216: choose another baud rate"
    )]
    Divisor {
        /// Cycles of a bit.
        divisor: u32,
    },
    /// A patience that is none, or none that a counter has.
    #[error("patience of 2^{bits} cycles is outside 2^{LEAST_PATIENCE_BITS}..=2^24")]
    Patience {
        /// log2 of it.
        bits: u32,
    },
    /// A design whose reset the link cannot drive.
    #[error("module `{module}` must have one reset, synchronous and active high")]
    Reset {
        /// The module.
        module: String,
    },
}

/// What the board says of itself.
///
/// # Errors
/// The design does not go behind the link.
pub fn identity(spec: &TopSpec, payload: &Payload) -> Result<Identity, ChannelError> {
    let channels = Channels::of(&payload.module)?;
    Ok(Identity::new(&payload.design, payload.spec_hash, spec.clock_hz, &channels))
}

/// Module `hwgen_top`: in `clk`, `rst`; in `uart_rx`, out `uart_tx`, or in `spi_sclk`, `spi_mosi`,
/// `spi_cs_n`, out `spi_miso`; out `led_alive` (blinks), `led_busy`
/// (the design works, or if it does not tell, the link does), `led_error` (the latest frame was
/// damaged), `led_result` (4 bits: the class, or the highest bits of the latest byte read),
/// `link_listens` (no question is being worked on; boards leave it open).
///
/// # Errors
/// The design does not go behind the link, or the line is too fast.
pub fn hwgen_top(spec: &TopSpec, payload: &Payload) -> Result<Arc<Module>, TopError> {
    let channels = Channels::of(&payload.module)?;
    spec.line.check()?;
    if !(LEAST_PATIENCE_BITS..=24).contains(&spec.patience_bits) {
        return Err(TopError::Patience { bits: spec.patience_bits });
    }
    let identity = Identity::new(&payload.design, payload.spec_hash, spec.clock_hz, &channels);
    let m = ModuleBuilder::new("hwgen_top");
    m.doc("A design behind a line to a host; the protocol is docs/link.md.");
    m.parameter("design", &payload.design);
    m.parameter("clock_hz", spec.clock_hz);
    m.parameter("patience_bits", spec.patience_bits);
    let line = spec.line.transceiver(&m);
    let link = state::Link::new(&m);
    let check = check::Check::new(&m, &link);
    listen::listen(&m, &link, &check, &line.stream_from("out"));
    let in_turn = question::question(&m, &link, &channels);
    let core = channels::Core::new(&m, &link, payload, &channels)?;
    let carried = carry::carry(&m, &link, &core, spec.patience_bits);
    buffer::buffer(&m, &link, &core, &carried, in_turn, &identity);
    let (goes, gone) = speak::speak(&m, &link, &check);
    let steps = [State::Header, State::Copy, State::Write, State::Finish].map(|s| link.is(s));
    let steps = hwgen_hdl::reduce(&steps, |a, b| a | b);
    link.uses.drive(*link.fetched & (steps | (link.is(State::Send) & gone)));
    line.stream_into("in", goes);
    leds::leds(&m, &link, spec, payload, &core);
    link.finish();
    Ok(m.finish())
}
