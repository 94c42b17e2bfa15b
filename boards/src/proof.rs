//! Proof without a board.
//!
//! - iCE40: a bitstream is read back as a circuit ([`read_back`]), and the source and what was read
//!   back are asked the same in Icarus, over a serial line ([`talk`]) or SPI ([`select`]);
//! - ECP5: a bitstream is unpacked and packed again, to the same bytes ([`repack`]);
//! - Gowin: a bitstream is unpacked, and every lookup table is where it was placed, with its
//!   function ([`compare_tables`]).

mod round_trip;
mod spi;

pub use round_trip::{Tables, compare_tables, read_back, repack};
pub use spi::select;

use crate::board::{Active, Board};
use hwgen_files::Scratch;
use hwgen_tools::{ToolError, require, run};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

/// How long a tool may take.
const LIMIT: Duration = Duration::from_secs(600);
/// The module that a bitstream is read back as.
pub const CHIP: &str = "chip";

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// A tool is missing or failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The disk.
    #[error("cannot write to a temporary folder: {0}")]
    Disk(#[from] io::Error),
    /// It is another family's proof.
    #[error("this proof is for {0}, board `{1}` has another FPGA")]
    Family(&'static str, String),
    /// A tool printed what cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The bitstream is not what was placed.
    #[error("the bitstream is not what was placed: {0}")]
    Differs(String),
    /// The circuit said something that is no byte.
    #[error("a byte of the circuit's answer is not known: `{0}`")]
    Unknown(String),
}

/// Bytes that are sent one behind the other, and how many have to come back before the next ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is sent; at least one.
    pub bytes: Vec<u8>,
    /// Bytes of the answer.
    pub answer: usize,
}

/// Asks questions over the serial line of a board's top module in Icarus, and returns what comes
/// back until all answers have come or the line was silent for four hundred bytes' time.
///
/// `divisor` is the number of cycles a bit. The button, if there is one, is up.
pub fn talk(
    board: &Board,
    top: &str,
    verilog: &[&str],
    divisor: u32,
    questions: &[Question],
) -> Result<Vec<u8>, ProofError> {
    let folder = Scratch::new()?;
    compile(folder.path(), &bench(board, top, divisor, questions), verilog)?;
    let output = run(
        require("vvp")?.command().args([Path::new("-n"), &folder.path().join("bench.vvp")]),
        LIMIT,
    )?;
    let said = output.stdout.lines().filter_map(|line| line.strip_prefix("byte "));
    said.map(|byte| u8::from_str_radix(byte, 16).map_err(|_| ProofError::Unknown(byte.into())))
        .collect()
}

/// Module `bench` with other texts becomes `bench.vvp` in the folder.
fn compile(folder: &Path, bench: &str, verilog: &[&str]) -> Result<(), ProofError> {
    fs::write(folder.join("bench.v"), bench)?;
    let mut compile = require("iverilog")?.command();
    let arguments = ["-g2005", "-s", "bench", "-o", "bench.vvp", "bench.v"];
    compile.current_dir(folder).args(arguments);
    for (n, text) in verilog.iter().enumerate() {
        let name = format!("part_{n}.v");
        fs::write(folder.join(&name), text)?;
        compile.arg(name);
    }
    run(&mut compile, LIMIT)?;
    Ok(())
}

/// The button, if there is one, not pressed.
fn up(board: &Board) -> Option<&'static str> {
    board.reset.as_ref().map(|button| match button.active {
        Active::High => ".button(1'b0)",
        Active::Low => ".button(1'b1)",
    })
}

/// A host at the other end of the line: it sends, and samples each bit of what comes in its middle.
fn bench(board: &Board, top: &str, divisor: u32, questions: &[Question]) -> String {
    let mut pins = vec![".clk_in(clk)", ".uart_rx(rx)", ".uart_tx(tx)"];
    pins.extend(up(board));
    let mut contents = String::new();
    let (mut count, mut expected) = (0, 0);
    for Question { bytes, answer } in questions {
        for (n, byte) in bytes.iter().enumerate() {
            // behind a question's last byte all answers up to its own are waited for
            let waits = if n + 1 == bytes.len() { expected + answer } else { 0 };
            let _ =
                writeln!(contents, "    bytes[{count}] = 8'h{byte:02x}; waits[{count}] = {waits};");
            count += 1;
        }
        expected += answer;
    }
    let last = count.max(1) - 1;
    format!(
        "\
`timescale 1 ns / 1 ps
module bench;
  reg clk = 0;
  reg rx = 1;
  wire tx;
  reg [7:0] bytes [0:{last}];
  integer waits [0:{last}];
  reg [9:0] frame;
  reg [7:0] got;
  integer n, bit_sent, bit_got, come = 0, silent = 0;
  {top} dut ({});
  always #5 clk = ~clk;
  initial begin
{contents}    repeat (400) @(posedge clk);
    for (n = 0; n < {count}; n = n + 1) begin
      frame = {{1'b1, bytes[n], 1'b0}};
      for (bit_sent = 0; bit_sent < 10; bit_sent = bit_sent + 1) begin
        #1 rx = frame[bit_sent];
        repeat ({divisor}) @(posedge clk);
      end
      while (come < waits[n]) @(posedge clk);
    end
  end
  initial begin
    repeat (300) @(posedge clk); // what starts at 0 is no start bit
    forever begin
    @(negedge tx);
    silent = 0;
    repeat ({}) @(posedge clk);
    for (bit_got = 0; bit_got < 8; bit_got = bit_got + 1) begin
      repeat ({divisor}) @(posedge clk);
      got[bit_got] = tx;
    end
    repeat ({divisor}) @(posedge clk);
    if (tx === 1'b1) $display(\"byte %h\", got);
    else $display(\"byte framing\");
    come = come + 1;
    if (come == {expected}) $finish;
    end
  end
  always @(posedge clk) begin
    silent = silent + 1;
    if (silent > 4000 * {divisor} + 1000) $finish;
  end
endmodule
",
        pins.join(", "),
        divisor / 2
    )
}
