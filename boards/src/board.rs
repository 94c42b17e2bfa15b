//! What a board is: its FPGA, clock, button, serial line, SPI, LEDs, and the pins they are at.
//!
//! A board is one file, `boards/boards/NAME.toml`; to add one, add the file and a line to
//! [`FILES`]. Pins come from public constraint files that its first lines name, never from memory.

mod check;

pub use check::BoardError;

use hwgen_files::printable;
use serde::Deserialize;
use std::path::Path;

/// A board.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// What it is asked for by: lower-case letters, digits and `_`.
    pub name: String,
    /// What its maker calls it.
    pub title: String,
    /// RAM and flash beside the logic.
    #[serde(default)]
    pub memory: String,
    /// What of it nobody has tried, if anything beyond "not run on the board".
    pub untested: Option<String>,
    /// The FPGA.
    pub fpga: Fpga,
    /// The oscillator, and the clock that designs run at.
    pub clock: Clock,
    /// The button that resets, if there is one.
    pub reset: Option<Input>,
    /// The serial line to the host.
    pub uart: Uart,
    /// SPI to the host, where a bridge that speaks it is wired to the FPGA.
    pub spi: Option<Spi>,
    /// Light-emitting diodes.
    pub leds: Leds,
    /// Where a microphone goes, if there is a header for one.
    pub microphone: Option<Microphone>,
    /// Pins held at a level so that the rest of the board leaves us alone.
    #[serde(default, rename = "tie")]
    pub ties: Vec<Tie>,
    /// How a bitstream gets onto it.
    pub program: Program,
}

/// A family of FPGAs: one way from Verilog to a bitstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Lattice iCE40: Yosys, nextpnr-ice40, icepack.
    Ice40,
    /// Lattice ECP5: Yosys, nextpnr-ecp5, ecppack.
    Ecp5,
    /// Gowin LittleBee and Arora: Yosys, nextpnr-himbaechel, gowin_pack.
    Gowin,
    /// Xilinx 7 series: a script for Vivado.
    Xilinx7,
}

/// Which FPGA it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fpga {
    /// Its family.
    pub family: Family,
    /// The die, as the tools name it: `up5k`, `85k`, `GW1N-9C`, `xc7a35t`.
    pub device: String,
    /// The package; for Gowin and Xilinx the whole name of the part.
    pub package: String,
    /// The speed grade, where the tools want it apart.
    #[serde(default)]
    pub speed: String,
    /// The electrical standard of pins that have none of their own; iCE40 has no choice.
    #[serde(default)]
    pub standard: String,
}

/// The oscillator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Its pin.
    pub pin: String,
    /// Its frequency in Hz.
    pub hertz: u32,
    /// The frequency designs run at unless told otherwise; the oscillator's without.
    pub run_hertz: Option<u32>,
    /// iCE40: the pin is the PLL's own input.
    #[serde(default)]
    pub pll_at_pin: bool,
}

/// Which level means "pressed" or "lit".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Active {
    /// 1.
    High,
    /// 0.
    Low,
}

/// A resistor inside the FPGA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// To the supply.
    Up,
    /// To ground.
    Down,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its pin.
    pub pin: String,
    /// Its level when pressed.
    pub active: Active,
    /// Its resistor, where the board has none.
    pub pull: Option<Pull>,
    /// Its electrical standard, if it differs.
    pub standard: Option<String>,
}

/// The serial line, seen from the FPGA.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uart {
    /// From the host.
    pub rx: String,
    /// To the host.
    pub tx: String,
}

/// SPI to the host, seen from the FPGA, which is the slave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spi {
    /// Clock, from the host.
    pub sclk: String,
    /// Data, from the host.
    pub mosi: String,
    /// Data, to the host.
    pub miso: String,
    /// Select, from the host, active low. An LED at the same pin is not driven.
    pub cs_n: String,
    /// The select of a flash memory at the same wires, if it has one of its own: held high.
    pub flash_cs_n: Option<String>,
    /// The bit of the low byte of the host's FTDI bridge that is `cs_n`: 3 is its `ADBUS3`.
    pub ftdi_select: u8,
}

/// What a design uses of a board, beside clock, button and LEDs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// The microphone.
    pub microphone: bool,
    /// SPI to the host, not the serial line.
    pub spi: bool,
}

/// The LEDs, the first bit 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leds {
    /// Their pins.
    pub pins: Vec<String>,
    /// Their level when lit.
    pub active: Active,
    /// Their electrical standard, if it differs.
    pub standard: Option<String>,
    /// Strength of their drivers in mA, where the tools are to be told.
    pub drive: Option<u32>,
}

/// A PDM microphone on a header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Microphone {
    /// The header's name on the board.
    pub header: String,
    /// To the microphone.
    pub clock: String,
    /// From it.
    pub data: String,
}

/// A pin held at a level.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tie {
    /// What the board calls it.
    pub name: String,
    /// The pin.
    pub pin: String,
    /// 0 or 1.
    pub level: u32,
}

/// How it is programmed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Its name in openFPGALoader.
    pub openfpgaloader: String,
    /// Whether `iceprog` can do it too.
    #[serde(default)]
    pub iceprog: bool,
}

/// The boards' files, by name.
const FILES: &[(&str, &str)] = &[
    ("arty_a7_35t", include_str!("../boards/arty_a7_35t.toml")),
    ("colorlight_i5", include_str!("../boards/colorlight_i5.toml")),
    ("hx8k", include_str!("../boards/hx8k.toml")),
    ("icebreaker", include_str!("../boards/icebreaker.toml")),
    ("orangecrab_25f", include_str!("../boards/orangecrab_25f.toml")),
    ("orangecrab_85f", include_str!("../boards/orangecrab_85f.toml")),
    ("tang_nano_20k", include_str!("../boards/tang_nano_20k.toml")),
    ("tang_nano_9k", include_str!("../boards/tang_nano_9k.toml")),
    ("ulx3s", include_str!("../boards/ulx3s.toml")),
];

/// The names of the boards we have.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// Every board we have.
///
/// # Panics
/// If a file of ours is wrong; a test reads them all.
pub fn boards() -> Vec<Board> {
    let read = |(name, text): &(&str, &str)| {
        Board::parse(text).unwrap_or_else(|error| panic!("boards/{name}.toml: {error}"))
    };
    FILES.iter().map(read).collect()
}

/// The board of that name, or in that file if the name ends in `.toml`.
pub fn find(name: &str) -> Result<Board, BoardError> {
    if name.ends_with(".toml") {
        return Board::load(Path::new(name));
    }
    match FILES.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => Board::parse(text),
        None => Err(BoardError::Unknown { name: name.into(), known: names().collect() }),
    }
}

impl Board {
    /// Reads a board from a file's text and checks it.
    pub fn parse(text: &str) -> Result<Board, BoardError> {
        let board: Board = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            BoardError::Syntax { line, what: printable(error.message()) }
        })?;
        board.check()?;
        Ok(board)
    }

    /// Reads a board's file, of 64 KiB at most.
    pub fn load(path: &Path) -> Result<Board, BoardError> {
        Board::parse(&hwgen_files::read_text(path, check::MOST_BYTES)?)
    }

    /// LEDs that nothing else stands in the way of.
    pub fn led_pins(&self, uses: Uses) -> Vec<&str> {
        let select = self.spi.as_ref().filter(|_| uses.spi).map(|spi| &spi.cs_n);
        let pins = self.leds.pins.iter().filter(|pin| Some(*pin) != select);
        pins.map(String::as_str).collect()
    }

    /// A port of the FPGA for each pin that is used, in the order of the wrapper's ports.
    pub fn ports(&self, uses: Uses) -> Vec<Port<'_>> {
        let usual = (!self.fpga.standard.is_empty()).then_some(self.fpga.standard.as_str());
        let port = |name: &str, pin| Port {
            name: name.into(),
            bit: None,
            pin,
            standard: usual,
            pull: None,
            drive: None,
        };
        let mut ports = vec![port("clk_in", &self.clock.pin)];
        if let Some(button) = &self.reset {
            let standard = button.standard.as_deref().or(usual);
            ports.push(Port { standard, pull: button.pull, ..port("button", &button.pin) });
        }
        // an adapter that is not plugged in must not look like a start bit, or a selection
        let held_up = |name, pin| Port { pull: Some(Pull::Up), ..port(name, pin) };
        match self.spi.as_ref().filter(|_| uses.spi) {
            None => {
                ports.extend([held_up("uart_rx", &self.uart.rx), port("uart_tx", &self.uart.tx)])
            }
            Some(spi) => {
                ports.extend([port("spi_sclk", &spi.sclk), port("spi_mosi", &spi.mosi)]);
                ports.extend([held_up("spi_cs_n", &spi.cs_n), port("spi_miso", &spi.miso)]);
                ports.extend(spi.flash_cs_n.iter().map(|pin| port("spi_flash_cs_n", pin)));
            }
        }
        let pins = self.led_pins(uses);
        for (bit, pin) in pins.iter().enumerate() {
            // a vector of one bit has a name with and one without an index, a tool each
            let bit = (pins.len() > 1).then_some(bit);
            let standard = self.leds.standard.as_deref().or(usual);
            let drive = self.leds.drive;
            ports.push(Port { bit, standard, drive, ..port("leds", pin) });
        }
        if let Some(here) = self.microphone.as_ref().filter(|_| uses.microphone) {
            ports.extend([port("mic_clk", &here.clock), port("mic_data", &here.data)]);
        }
        ports.extend(self.ties.iter().map(|tie| port(&format!("tie_{}", tie.name), &tie.pin)));
        ports
    }
}

/// A port of the FPGA's top module, or one bit of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port<'a> {
    /// The port.
    pub name: String,
    /// The bit, if the port is a vector.
    pub bit: Option<usize>,
    /// The pin.
    pub pin: &'a str,
    /// Its electrical standard.
    pub standard: Option<&'a str>,
    /// Its resistor.
    pub pull: Option<Pull>,
    /// The strength of its driver in mA.
    pub drive: Option<u32>,
}

impl std::fmt::Display for Port<'_> {
    /// As constraint files name it: `leds[3]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.bit {
            None => f.write_str(&self.name),
            Some(bit) => write!(f, "{}[{bit}]", self.name),
        }
    }
}

impl Family {
    /// What the family is called.
    pub fn title(self) -> &'static str {
        match self {
            Family::Ice40 => "iCE40",
            Family::Ecp5 => "ECP5",
            Family::Gowin => "Gowin",
            Family::Xilinx7 => "Xilinx 7",
        }
    }

    /// The ending of its constraint files.
    pub fn constraints_ending(self) -> &'static str {
        match self {
            Family::Ice40 => "pcf",
            Family::Ecp5 => "lpf",
            Family::Gowin => "cst",
            Family::Xilinx7 => "xdc",
        }
    }
}
