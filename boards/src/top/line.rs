//! The wires between host and board.

use super::TopError;
use crate::link::spi::FILLER;
use hwgen_hdl::lib::{spi, uart};
use hwgen_hdl::{InstanceBuilder, ModuleBuilder, u};

/// The fewest cycles a bit: fewer, and a byte comes before the one before it was worked on.
pub const LEAST_DIVISOR: u32 = 4;

/// What carries the link's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// A serial line.
    Uart {
        /// Cycles of a bit.
        divisor: u32,
    },
    /// SPI, the board the slave: its clock takes [`LEAST_DIVISOR`] cycles a bit or more.
    Spi,
}

impl Line {
    /// A serial line of so many bits a second, nearly.
    pub fn uart(clock_hz: u32, baud: u32) -> Line {
        Line::Uart { divisor: (clock_hz + baud / 2) / baud.max(1) }
    }

    pub(super) fn check(self) -> Result<(), TopError> {
        match self {
            Line::Uart { divisor } if !(LEAST_DIVISOR..=1 << 24).contains(&divisor) => {
                Err(TopError::Divisor { divisor })
            }
            _ => Ok(()),
        }
    }

    /// The transceiver at the board's pins: streams `out`, from the host, and `in`.
    pub(super) fn transceiver(self, m: &ModuleBuilder) -> InstanceBuilder<'_> {
        match self {
            Line::Uart { divisor } => {
                m.parameter("divisor", divisor);
                let line = m.instance("line", &uart::uart(divisor));
                line.input("rx", m.input("uart_rx", u(1)));
                m.output("uart_tx", line.output("tx"));
                line
            }
            Line::Spi => {
                m.parameter("line", "spi");
                let line = m.instance("line", &spi::slave(FILLER.into()));
                for pin in ["sclk", "mosi", "cs_n"] {
                    line.input(pin, m.input(format!("spi_{pin}"), u(1)));
                }
                m.output("spi_miso", line.output("miso"));
                line
            }
        }
    }
}
