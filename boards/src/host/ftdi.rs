//! SPI through an FTDI bridge whose channel A has an MPSSE (FT2232H and its like).
//!
//! The commands are those of FTDI's application note AN_108.

use super::{BoardError, Exchange, advice};
use ftdi_nusb::blocking::FtdiDevice;
use ftdi_nusb::{BitMode, DeviceFilter, FTDI_VID, Interface};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// The FT2232H.
const PRODUCT: u16 = 0x6010;

/// How long a bridge may take for a selection beyond its time on the wires.
const PATIENCE: Duration = Duration::from_secs(1);

/// Outputs but for the select: clock and data are bits 0 and 1 of the low byte.
const OUTPUTS: u8 = 0b011;

/// Bytes of an exchange at most: the bridge keeps 4 KiB each way.
const MOST_BYTES: usize = 2048;

mod command {
    /// The low byte's levels and directions.
    pub(super) const SET_LOW: u8 = 0x80;
    /// Bytes out at falling, in at rising edges, most significant bit first.
    pub(super) const EXCHANGE: u8 = 0x31;
    /// What came goes to the host at once.
    pub(super) const SEND_NOW: u8 = 0x87;
    /// The clock is made of 60 MHz.
    pub(super) const FAST: u8 = 0x8a;
    /// It does not wait for an answer to itself.
    pub(super) const NOT_ADAPTIVE: u8 = 0x97;
    /// One edge a bit and phase.
    pub(super) const TWO_PHASES: u8 = 0x8d;
    /// No loop.
    pub(super) const NO_LOOP: u8 = 0x85;
    /// The clock is 60 MHz / (2 (1 + divisor)).
    pub(super) const DIVISOR: u8 = 0x86;
}

/// The first FT2232H of the system.
pub struct Ftdi {
    device: FtdiDevice,
    select: u8,
    hertz: u32,
}

impl Ftdi {
    /// Opens it; `select` is the bit of its low byte that selects the board, `hertz` the clock's
    /// rate at most.
    ///
    /// # Errors
    /// There is none, or another program has it.
    pub fn open(select: u8, hertz: u32) -> Result<Ftdi, BoardError> {
        let failed = |why: io::Error| BoardError::Port {
            port: "FT2232H, channel A".into(),
            advice: advice::usb(),
            why: why.to_string(),
        };
        Ok(Ftdi { device: open(select, hertz).map_err(failed)?, select, hertz })
    }
}

fn open(select: u8, hertz: u32) -> io::Result<FtdiDevice> {
    let filter = DeviceFilter::new(FTDI_VID, PRODUCT);
    let mut device =
        FtdiDevice::open_with_filter(&filter, Interface::A).map_err(io::Error::other)?;
    device.set_latency_timer(1).map_err(io::Error::other)?;
    device.set_bitmode(0, BitMode::Reset).map_err(io::Error::other)?;
    device.flush_all().map_err(io::Error::other)?;
    device.set_bitmode(0, BitMode::Mpsse).map_err(io::Error::other)?;
    // as long as other drivers give it to begin
    std::thread::sleep(Duration::from_millis(50));
    device.write_all(&settings(select, hertz)).map_err(io::Error::other)?;
    Ok(device)
}

/// The clock's divisor for so many Hz at most.
fn divisor(hertz: u32) -> u16 {
    let halves = 30_000_000_u32.div_ceil(hertz.max(1)) - 1;
    u16::try_from(halves).unwrap_or(u16::MAX)
}

fn settings(select: u8, hertz: u32) -> Vec<u8> {
    let [low, high] = divisor(hertz).to_le_bytes();
    let modes = [command::FAST, command::NOT_ADAPTIVE, command::TWO_PHASES, command::NO_LOOP];
    [&modes[..], &[command::DIVISOR, low, high], &level(select, true)].concat()
}

/// The select at a level. The others of the low byte are inputs: another's outputs may be there.
fn level(select: u8, high: bool) -> [u8; 3] {
    let bit = 1 << select;
    [command::SET_LOW, if high { bit } else { 0 }, OUTPUTS | bit]
}

/// A selection. The levels are set several times over: each takes a part of a microsecond, and the board's clock may
/// be slow.
fn commands(select: u8, bytes: &[u8]) -> Vec<u8> {
    let [low, high] = (bytes.len() as u16 - 1).to_le_bytes();
    let mut commands = level(select, false).repeat(4);
    commands.extend([command::EXCHANGE, low, high]);
    commands.extend(bytes);
    commands.extend(level(select, false).repeat(4));
    commands.extend(level(select, true).repeat(4));
    commands.push(command::SEND_NOW);
    commands
}

impl Exchange for Ftdi {
    fn exchange(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        if !(1..=MOST_BYTES).contains(&bytes.len()) {
            let why =
                format!("a selection of {} bytes: 1 to {MOST_BYTES} are possible", bytes.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        Write::write_all(&mut self.device, &commands(self.select, bytes))?;
        let wires = Duration::from_secs(8 * bytes.len() as u64) / self.hertz.max(1);
        let until = Instant::now() + wires + PATIENCE;
        let (mut came, mut count) = (vec![0; bytes.len()], 0);
        while count < came.len() {
            count += Read::read(&mut self.device, &mut came[count..])?;
            if count < came.len() && Instant::now() > until {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(came)
    }

    fn reconnect(&mut self) -> io::Result<()> {
        self.device = open(self.select, self.hertz)?;
        Ok(())
    }

    fn hertz(&self) -> u32 {
        self.hertz
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_never_faster_than_asked() {
        for (hertz, expected) in [
            (30_000_000, 0),
            (29_000_000, 1),
            (6_000_000, 4),
            (3_000_000, 9),
            (1_000_000, 29),
            (1, 65_535),
        ] {
            assert_eq!(divisor(hertz), expected, "{hertz}");
        }
    }

    #[test]
    fn a_selection_in_commands() {
        let low = [0x80, 0x00, 0b1011];
        let high = [0x80, 0x08, 0b1011];
        let transfer = [0x31, 1, 0, 0xff, 0xc0];
        let expected = [&low.repeat(4)[..], &transfer, &low.repeat(4), &high.repeat(4), &[0x87]];
        assert_eq!(commands(3, &[0xff, 0xc0]), expected.concat());
        let settings = settings(4, 6_000_000);
        assert_eq!(settings, [0x8a, 0x97, 0x8d, 0x85, 0x86, 4, 0, 0x80, 0x10, 0b10011]);
    }
}
