//! The FPGA's top module: the PLL, the reset, the levels of LEDs and button, and the design.
//!
//! The design inside has ports `clk`, `rst`; `uart_rx`, `uart_tx` or `spi_sclk`, `spi_mosi`, `spi_cs_n`,
//! `spi_miso`; outputs whose names begin with `led`, and with a microphone `mic_clk` and `mic_data`; all it drives or reads is active high and in the
//! domain `clk`. Its LEDs go to the board's in their order, as many as there are.
//! `rst` is 1 from the start until the clock is good (the PLL has locked) and the button has been up
//! for 255 cycles: at 100 MHz still 2.5 us, by when the block RAMs of an iCE40 have their contents.

mod pll;

pub use pll::stand_ins;

use crate::board::{Active, Board, Spi, Uses};
use crate::clocking::{Clocking, megahertz};
use hwgen_hdl::Module;
use hwgen_hdl::verilog::reserved;

/// Ports of the lines to the host, the one that goes there last.
const UART: &[&str] = &["uart_rx", "uart_tx"];
const SPI: &[&str] = &["spi_sclk", "spi_mosi", "spi_cs_n", "spi_miso"];

/// The name of the FPGA's top module.
pub const TOP: &str = "hwgen_board";

/// A finished design with the ports of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner {
    /// Its top module.
    pub top: String,
    /// Its Verilog, every module once.
    pub verilog: String,
    /// Its outputs for LEDs, the first at the lowest.
    pub leds: Vec<Out>,
    /// Outputs that nothing on a board reads.
    pub open: Vec<Out>,
    /// Which of a board's parts it has ports for.
    pub uses: Uses,
    /// Whether what Yosys makes of its products and sums in iCE40's DSP blocks was seen to be right:
    /// `ice40_dsp` of Yosys 0.23 and 0.70 forgets a term of sums that pass from block to block.
    pub dsp_blocks: bool,
}

/// An output of a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Out {
    /// The port.
    pub port: String,
    /// Its bits.
    pub width: u32,
}

impl Inner {
    /// A finished module with a board's ports; outputs that a board has no use for stay open.
    pub fn of(module: &Module) -> Result<Inner, WrapError> {
        let top = module.name.to_string();
        let wrong = |name: &str| WrapError::Port { top: top.clone(), name: name.into() };
        let input = |name: &str| module.inputs.iter().any(|port| &*port.name == name);
        let known = ["clk", "rst", "uart_rx", "mic_data", "spi_sclk", "spi_mosi", "spi_cs_n"];
        if let Some(other) = module.inputs.iter().find(|port| !known.contains(&&*port.name)) {
            return Err(wrong(&other.name));
        }
        let spi = input("spi_sclk");
        let line = if spi { SPI } else { UART };
        let mut others = UART.iter().chain(SPI).filter(|name| !line.contains(name));
        if let Some(other) = others.find(|name| input(name)) {
            return Err(wrong(other));
        }
        let to_host = line[line.len() - 1];
        if let Some(missing) = line.iter().find(|name| **name != to_host && !input(name)) {
            return Err(wrong(missing));
        }
        let (mut leds, mut open) = (vec![], vec![]);
        let [mut answers, mut mic_clk] = [false; 2];
        for port in &module.outputs {
            let out = || Out { port: port.name.to_string(), width: port.ty.width };
            match &*port.name {
                name if name == to_host => answers = true,
                "mic_clk" => mic_clk = true,
                name if name.starts_with("led") => leds.push(out()),
                _ => open.push(out()),
            }
        }
        if !answers {
            return Err(wrong(to_host));
        }
        let microphone = input("mic_data");
        if microphone != mic_clk {
            return Err(wrong("mic_clk"));
        }
        let verilog = module.verilog().map_err(|error| WrapError::Print(error.to_string()))?;
        let uses = Uses { microphone, spi };
        Ok(Inner { top, verilog, leds, open, uses, dsp_blocks: false })
    }

    /// How many LEDs it drives.
    fn lit(&self) -> usize {
        self.leds.iter().map(|out| out.width as usize).sum()
    }
}

/// Why a design does not go onto a board.
#[derive(Debug, thiserror::Error)]
pub enum WrapError {
    /// A name that Verilog would not read as one.
    #[error(
        "`{0}` cannot be the design's top module or its port: letters, digits and _, a letter first, no keyword, not {TOP}"
    )]
    Name(String),
    /// It has ports that a board does not have, or lacks one.
    #[error(
        "module `{top}`, port `{name}`: a board has clk, rst, uart_rx, uart_tx (or spi_sclk, spi_mosi, spi_cs_n, spi_miso), and mic_clk with mic_data"
    )]
    Port {
        /// The module.
        top: String,
        /// The port.
        name: String,
    },
    /// It cannot be printed.
    #[error("cannot print the Verilog: {0}")]
    Print(String),
    /// It drives none or too many.
    #[error("the design drives {0} LEDs: 1 to 64 are possible")]
    Leds(usize),
    /// It wants what the board has not.
    #[error("the design wants a microphone, and board `{0}` has no header for one")]
    Microphone(String),
    /// It wants what the board has not.
    #[error("the design talks over SPI, and board `{0}` has none to a host")]
    Spi(String),
}

/// The top module around a design.
pub fn wrap(board: &Board, inner: &Inner, clocking: &Clocking) -> Result<String, WrapError> {
    check(board, inner)?;
    let mut ports = vec!["input wire clk_in".to_string()];
    if board.reset.is_some() {
        ports.push("input wire button".into());
    }
    let spi = board.spi.as_ref().filter(|_| inner.uses.spi);
    let line = if spi.is_some() { SPI } else { UART };
    let way = |name: &str| if name == line[line.len() - 1] { "output" } else { "input" };
    ports.extend(line.iter().map(|name| format!("{} wire {name}", way(name))));
    let holds_flash = spi.is_some_and(|spi| spi.flash_cs_n.is_some());
    ports.extend(holds_flash.then(|| "output wire spi_flash_cs_n".into()));
    let pins = board.led_pins(inner.uses).len();
    let many = if pins > 1 { range(pins) } else { String::new() };
    ports.push(format!("output wire {many}leds"));
    if inner.uses.microphone {
        ports.extend(["output wire mic_clk".into(), "input wire mic_data".into()]);
    }
    ports.extend(board.ties.iter().map(|tie| format!("output wire tie_{}", tie.name)));

    let mut text = format!(
        "// {} around {}, clock {} MHz.\nmodule {TOP} (\n  {}\n);\n",
        board.title,
        inner.top,
        megahertz(clocking.hertz),
        ports.join(",\n  ")
    );
    text += &pll::instance(board, clocking);
    text += &reset(board);
    text += &leds(board.leds.active, pins, inner.lit());
    text += &spi.map(to_host).unwrap_or_default();
    for tie in &board.ties {
        text += &format!("  assign tie_{} = 1'b{};\n", tie.name, tie.level);
    }
    let mut connections = vec![];
    for port in ["clk", "rst"].iter().chain(line) {
        let net = if *port == "spi_miso" { "miso" } else { port };
        connections.push(format!(".{port}({net})"));
    }
    let mut low = 0;
    for Out { port, width } in &inner.leds {
        let high = low + *width as usize - 1;
        let bits = if high == low { low.to_string() } else { format!("{high}:{low}") };
        connections.push(format!(".{port}(lit[{bits}])"));
        low = high + 1;
    }
    for Out { port, width } in &inner.open {
        text += &format!("  wire {}unused_{port};\n", range(*width as usize));
        connections.push(format!(".{port}(unused_{port})"));
    }
    if inner.uses.microphone {
        connections.extend([".mic_clk(mic_clk)".into(), ".mic_data(mic_data)".into()]);
    }
    text +=
        &format!("  {} inner (\n    {}\n  );\nendmodule\n", inner.top, connections.join(",\n    "));
    Ok(text)
}

fn check(board: &Board, inner: &Inner) -> Result<(), WrapError> {
    let outs = || inner.leds.iter().chain(&inner.open);
    for name in outs().map(|out| &out.port).chain([&inner.top]) {
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= 200
            && name.chars().all(fine);
        if !is_name || name == TOP || reserved(name).is_some() {
            let shown = name.chars().take(60).flat_map(char::escape_debug).collect();
            return Err(WrapError::Name(shown));
        }
    }
    if let Some(out) = outs().find(|out| !(1..=4096).contains(&out.width)) {
        return Err(WrapError::Port { top: inner.top.clone(), name: out.port.clone() });
    }
    if !(1..=64).contains(&inner.lit()) {
        return Err(WrapError::Leds(inner.lit()));
    }
    if inner.uses.microphone && board.microphone.is_none() {
        return Err(WrapError::Microphone(board.name.clone()));
    }
    if inner.uses.spi && board.spi.is_none() {
        return Err(WrapError::Spi(board.name.clone()));
    }
    Ok(())
}

/// `[3:0] `, or nothing for a single bit of a vector that has but one: `leds[0]` stays an index.
fn range(bits: usize) -> String {
    format!("[{}:0] ", bits - 1)
}

/// Two flip-flops bring what is asynchronous into the domain, a counter holds the reset. All of
/// them start at 0 in every family; none is near a DSP block, where Yosys forgets initial values.
fn reset(board: &Board) -> String {
    let up = match board.reset.as_ref().map(|button| button.active) {
        None => "",
        Some(Active::High) => " & ~button",
        Some(Active::Low) => " & button",
    };
    format!(
        "
  // the reset: 1 until the clock is good and the button has been up for 255 cycles
  reg [1:0] good = 2'd0;
  reg [7:0] held = 8'd0;
  reg running = 1'b0;
  always @(posedge clk) begin
    good <= {{good[0], locked{up}}};
    held <= !good[1] ? 8'd0 : held == 8'd255 ? held : held + 8'd1;
    running <= held == 8'd255;
  end
  wire rst = ~running;
"
    )
}

/// Others share the wire to the host: it is driven only while the host means us.
fn to_host(spi: &Spi) -> String {
    let mut text = "\n  wire miso;\n  assign spi_miso = spi_cs_n ? 1'bz : miso;\n".to_string();
    if spi.flash_cs_n.is_some() {
        text += "  assign spi_flash_cs_n = 1'b1;\n";
    }
    text
}

/// The LEDs the board has and the design drives; the board's others are dark.
fn leds(active: Active, pins: usize, driven: usize) -> String {
    let shown = match driven {
        _ if driven == pins => "lit".to_string(),
        _ if driven > pins => format!("lit[{}:0]", pins - 1),
        _ => format!("{{{}'d0, lit}}", pins - driven),
    };
    let not = if active == Active::Low { "~" } else { "" };
    let mut text = format!("\n  wire {}lit;\n  assign leds = {not}{shown};\n", range(driven));
    if driven > pins {
        text += &format!("  wire unused_lit = &{{1'b0, lit[{}:{pins}]}};\n", driven - 1);
    }
    text
}
