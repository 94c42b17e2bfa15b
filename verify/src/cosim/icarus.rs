//! Icarus Verilog: four-state, so that what nothing has set shows as unknown.
//!
//! The module runs under a test bench that reads requests as lines: `1 input hex` sets an input,
//! `2 clocks` ticks, `3` asks for all outputs, which come back in binary, one a line.

use super::cache::{cached, key, write};
use super::ports::{Ports, declare};
use super::process::Process;
use super::remote::{Language, Remote};
use super::{CosimError, verilog_of};
use hwgen_hdl::{Int, Module};
use hwgen_tools::run;
use std::io::{self, BufRead, BufReader};
use std::process::ChildStdout;
use std::sync::Arc;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(600);

/// A module run by Icarus Verilog.
pub type IcarusDevice = Remote<Lines>;

impl IcarusDevice {
    /// The module as after power-up: all state unknown.
    pub fn open(module: &Arc<Module>) -> Result<IcarusDevice, CosimError> {
        IcarusDevice::from_text(module, &verilog_of(module)?)
    }

    /// The same interface on another text: a hand-written one, or a synthesized netlist.
    pub fn from_text(module: &Arc<Module>, verilog: &str) -> Result<IcarusDevice, CosimError> {
        let (iverilog, vvp) = (hwgen_tools::require("iverilog")?, hwgen_tools::require("vvp")?);
        let text = format!("{verilog}\n{}", test_bench(module));
        let folder = cached(&key("icarus", &[&text], &[&iverilog, &vvp]), |folder| {
            write(folder, "top.v", &text)?;
            let mut command = iverilog.command();
            // The language is pinned to the one we claim to print.
            command.args(["-g2005", "-s", BENCH, "-o", "simulation.vvp", "top.v"]);
            run(command.current_dir(folder), LIMIT)?;
            Ok(())
        })?;
        let mut command = vvp.command();
        Remote::new(module, Process::start(command.arg("-n").arg(folder.join("simulation.vvp")))?)
    }
}

const BENCH: &str = "hwgen_cosim";

/// Requests on the standard input, which has this number in Verilog.
const STDIN: &str = "32'h8000_0000";

fn test_bench(module: &Module) -> String {
    let ports = Ports::of(module);
    let (mut nets, mut low, mut zero) = (String::new(), String::new(), String::new());
    let (mut pokes, mut peeks) = (String::new(), String::new());
    for (k, width) in ports.inputs.iter().enumerate() {
        declare(&mut nets, "reg", *width, &format!("i{k}"), ";");
        low += &format!("    i{k} = {};\n", u8::from(ports.resets[k] == Some(false)));
        zero += &format!("    i{k} = 0;\n");
        pokes += &format!("          {k}: got = $fscanf({STDIN}, \"%h\", i{k});\n");
    }
    for (k, width) in ports.outputs.iter().enumerate() {
        declare(&mut nets, "wire", *width, &format!("o{k}"), ";");
        peeks += &format!("        $write(\"%b\\n\", o{k});\n");
    }
    declare(&mut nets, "reg", ports.clocks.max(1) as u32, "ck", " = 0;");
    BENCH_TEXT
        .replace("@NETS@", &nets)
        .replace("@INSTANCE@", &ports.instance(module))
        .replace("@LOW@", &low)
        .replace("@ZERO@", &zero)
        .replace("@POKES@", &pokes)
        .replace("@PEEKS@", &peeks)
        .replace("@STDIN@", STDIN)
}

/// An asynchronous reset takes effect at an edge, so active-low ones start released.
const BENCH_TEXT: &str = r#"module hwgen_cosim;
@NETS@  integer got, request, input_number, clocks;
  reg running;
@INSTANCE@
  initial begin
    running = 1;
    #1;
@LOW@    #1;
@ZERO@    #1;
    while (running) begin
      got = $fscanf(@STDIN@, "%d", request);
      if (got != 1) running = 0;
      else case (request)
        1: begin
          got = $fscanf(@STDIN@, "%d", input_number);
          case (input_number)
@POKES@          default: running = 0;
          endcase
          #1;
        end
        2: begin
          got = $fscanf(@STDIN@, "%h", clocks);
          #1 ck = clocks;
          #1 ck = 0;
          #1;
        end
        3: begin
@PEEKS@        $fflush(32'h8000_0001);
        end
        default: running = 0;
      endcase
    end
    $finish;
  end
endmodule
"#;

/// The requests of the test bench.
pub struct Lines;

impl Language for Lines {
    fn poke(requests: &mut Vec<u8>, input: usize, bits: &Int, _: u32) {
        requests.extend(format!("1 {input} {bits:x}\n").bytes());
    }

    fn tick(requests: &mut Vec<u8>, clocks: u32) {
        requests.extend(format!("2 {clocks:x}\n").bytes());
    }

    fn peek(requests: &mut Vec<u8>) {
        requests.extend(b"3\n");
    }

    fn answer(
        from: &mut BufReader<ChildStdout>,
        widths: &[u32],
        outputs: &mut Vec<(Int, Int)>,
    ) -> io::Result<()> {
        let mut line = String::new();
        for width in widths {
            line.clear();
            if from.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            outputs.push(four_state(line.trim(), *width)?);
        }
        Ok(())
    }
}

/// A word of `0`, `1`, `x` and `z` as a bit pattern and the mask of the last two.
fn four_state(word: &str, width: u32) -> io::Result<(Int, Int)> {
    let wrong = || {
        let what = format!("Icarus answered `{word}` where {width} bits were expected");
        io::Error::new(io::ErrorKind::InvalidData, what)
    };
    let valid = word.len() == width as usize && word.bytes().all(|c| b"01xzXZ".contains(&c));
    let number = |ones: &[u8]| {
        let digits: Vec<u8> = word.bytes().map(|c| u8::from(ones.contains(&c))).collect();
        Int::from_radix_be(num_bigint::Sign::Plus, &digits, 2).ok_or_else(wrong)
    };
    if valid { Ok((number(b"1")?, number(b"xzXZ")?)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_states_become_a_value_and_a_mask() {
        assert_eq!(four_state("1x0z1", 5).unwrap(), (17.into(), 10.into()));
        assert_eq!(
            four_state("vvp: error", 3).unwrap_err().to_string(),
            "Icarus answered `vvp: error` where 3 bits were expected"
        );
    }
}
