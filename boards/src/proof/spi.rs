//! A master at the pins of a board's top module, in Icarus.

use super::{LIMIT, ProofError, compile, up};
use crate::board::Board;
use hwgen_files::Scratch;
use hwgen_tools::{require, run};
use std::fmt::Write;
use std::path::Path;

/// Cycles of half a period of the master's clock: as fast as the link allows.
const HALF_PERIOD: u32 = 2;

/// Cycles between selections, in which a question is worked on: more than a patience of 2^10.
const PAUSE: u32 = 1500;

/// Makes selections of a board's top module over SPI in Icarus; the bytes that came back in each. The button,
/// if there is one, is up.
///
/// # Errors
/// A tool is missing or fails, or a bit that came is not known.
pub fn select(
    board: &Board,
    top: &str,
    verilog: &[&str],
    selections: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, ProofError> {
    let folder = Scratch::new()?;
    compile(folder.path(), &bench(board, top, selections), verilog)?;
    let mut simulate = require("vvp")?.command();
    simulate.args([Path::new("-n"), &folder.path().join("bench.vvp")]);
    let said = run(&mut simulate, LIMIT)?.stdout;
    let mut bytes = said.lines().filter_map(|line| line.strip_prefix("byte "));
    let byte = |text: &str| {
        u8::from_str_radix(text, 16).map_err(|_| ProofError::Unknown(text.to_string()))
    };
    selections.iter().map(|sent| bytes.by_ref().take(sent.len()).map(byte).collect()).collect()
}

fn bench(board: &Board, top: &str, selections: &[Vec<u8>]) -> String {
    let lines = ["clk_in(clk)", "spi_sclk(sclk)", "spi_mosi(mosi)", "spi_cs_n(cs_n)"];
    let mut pins: Vec<_> = lines.map(|pin| format!(".{pin}")).into();
    pins.push(".spi_miso(miso)".into());
    pins.extend(up(board).map(String::from));
    let mut selected = String::new();
    for bytes in selections {
        let _ = writeln!(selected, "    #1 cs_n = 0; repeat (3) @(posedge clk);");
        for byte in bytes {
            let _ = writeln!(selected, "    exchange(8'h{byte:02x});");
        }
        let _ = writeln!(selected, "    #1 cs_n = 1; repeat ({PAUSE}) @(posedge clk);");
    }
    format!(
        "\
`timescale 1 ns / 1 ps
module bench;
  reg clk = 0;
  reg sclk = 0;
  reg mosi = 0;
  reg cs_n = 1;
  wire miso;
  reg [7:0] got;
  integer n;
  {top} dut ({});
  always #5 clk = ~clk;
  task exchange(input [7:0] sent);
    begin
      for (n = 7; n >= 0; n = n - 1) begin
        #1 mosi = sent[n];
        repeat ({HALF_PERIOD}) @(posedge clk);
        #1 sclk = 1;
        got[n] = miso;
        repeat ({HALF_PERIOD}) @(posedge clk);
        #1 sclk = 0;
      end
      $display(\"byte %h\", got);
    end
  endtask
  initial begin
    repeat (400) @(posedge clk);
{selected}    $finish;
  end
endmodule
",
        pins.join(", ")
    )
}
