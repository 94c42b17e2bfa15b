//! What carries a board's packets.

use crate::failure::{Failure, usage, wrong};
use clap::ValueEnum;
use hwgen_boards::board;
use hwgen_boards::host::{Ftdi, Serial, Spi, Transport};

/// Bits a second where nothing else is said: of a serial line, of SPI.
const USUAL: [u32; 2] = [115_200, 1_000_000];

/// What a port on SPI begins with.
const SPI: &str = "spi:";

/// What a board talks over.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Link {
    /// A serial line
    Uart,
    /// SPI, the board the slave
    Spi,
}

/// Opens a serial port, or `spi:BOARD`: that board's SPI through the FTDI bridge on it.
pub(crate) fn open(port: &str, baud: Option<u32>) -> Result<Box<dyn Transport>, Failure> {
    let Some(name) = port.strip_prefix(SPI) else {
        let baud = baud.unwrap_or(USUAL[0]);
        return Ok(Box::new(Serial::open(port, baud).map_err(anyhow::Error::from)?));
    };
    let board = board::find(name).map_err(usage)?;
    let Some(spi) = &board.spi else {
        return wrong(format!("--port {port}: board `{name}` has no SPI to a host"));
    };
    let ftdi = Ftdi::open(spi.ftdi_select, baud.unwrap_or(USUAL[1]));
    Ok(Box::new(Spi::new(ftdi.map_err(anyhow::Error::from)?)))
}
