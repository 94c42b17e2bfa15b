//! What carries a board's packets.

use crate::failure::{Failure, wrong};
use clap::ValueEnum;
use hwgen_boards::board;
use hwgen_boards::host::advice::latency;
use hwgen_boards::host::{Ftdi, Serial, Spi, Transport};
use std::time::Duration;

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

/// Where a board is.
#[derive(clap::Args)]
pub(crate) struct Port {
    /// Serial port of the board; or `spi:BOARD`, that board's SPI through its FTDI bridge (docs/boards.md)
    #[arg(long, value_name = "PORT")]
    port: String,
    /// Bits a second; 115,200 of a serial line, 1,000,000 of SPI, whose clock takes four of the board's
    /// cycles at least
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u32).range(1..))]
    baud: Option<u32>,
    /// Seconds that a port that is not there yet is waited for
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=3600))]
    wait: u64,
}

impl Port {
    /// Opens it.
    pub(crate) fn open(&self) -> Result<Box<dyn Transport>, Failure> {
        let Port { port, baud, wait } = self;
        let Some(name) = port.strip_prefix(SPI) else {
            let told = || tell!("waiting up to {wait} s for port {port}");
            let baud = baud.unwrap_or(USUAL[0]);
            let line = Serial::open_within(port, baud, Duration::from_secs(*wait), told);
            let line = line.map_err(anyhow::Error::from)?;
            if let Some((milliseconds, command)) = latency(port) {
                tell!(
                    "{port} keeps answers back for up to {milliseconds} ms each; faster: {command}"
                );
            }
            return Ok(Box::new(line));
        };
        let board = board::find(name)?;
        let Some(spi) = &board.spi else {
            return wrong(format!("--port {port}: board `{name}` has no SPI to a host"));
        };
        let ftdi = Ftdi::open(spi.ftdi_select, baud.unwrap_or(USUAL[1]));
        Ok(Box::new(Spi::new(ftdi.map_err(anyhow::Error::from)?)))
    }
}
