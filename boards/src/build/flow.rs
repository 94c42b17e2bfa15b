//! The ways from Verilog to a bitstream: which tool, with which arguments, for which family.

use super::cache::Step;
use crate::board::{Board, Family, Uses};
use crate::constraints::{constraints, sdc};
use crate::wrapper::{Inner, TOP};
use hwgen_tools::{Found, ToolError, require_in};
use std::path::PathBuf;

/// A family's tools, by their names in the catalogue of `hwgen_tools`, in the order in which
/// they run. None: there is no open tool.
pub fn tools(family: Family) -> &'static [&'static str] {
    match family {
        Family::Ice40 => &["yosys", "nextpnr-ice40", "icepack"],
        Family::Ecp5 => &["yosys-new", "nextpnr-ecp5", "ecppack"],
        Family::Gowin => &["yosys-new", "nextpnr-gowin", "gowin_pack"],
        Family::Xilinx7 => &["yosys"],
    }
}

/// The tool that does a part of a family's work, by its place in [`tools`], as a build finds it.
///
/// # Errors
/// It is missing, or not to be used.
///
/// # Panics
/// If the family has no such part.
pub fn tool(family: Family, part: usize, folders: &[PathBuf]) -> Result<Found, ToolError> {
    let name = tools(family)[part];
    let found = require_in(name, folders);
    // YoWASP's does as well
    let other = |error| require_in("yosys-new", folders).map_err(|_| error);
    if name == "yosys" { found.or_else(other) } else { found }
}

/// The ending of a family's bitstreams.
pub fn bitstream_ending(family: Family) -> &'static str {
    match family {
        Family::Ice40 => "bin",
        Family::Ecp5 | Family::Xilinx7 => "bit",
        Family::Gowin => "fs",
    }
}

/// The name of the file that has what was placed and routed, in the tools' own form.
pub fn placed_name(family: Family) -> &'static str {
    match family {
        Family::Ice40 => "placed.asc",
        Family::Ecp5 => "placed.config",
        Family::Gowin | Family::Xilinx7 => "placed.json",
    }
}

/// Names of files inside a step's folder; none comes from outside.
const WRAPPER: &str = "board.v";
const DESIGN: &str = "design.v";
const NETLIST: &str = "netlist.json";
const STATISTICS: &str = "statistics.json";
const REPORT: &str = "report.json";
const PLACED: &str = "placed";

/// A family's tools on this machine, for one board.
pub(super) struct Flow<'a> {
    board: &'a Board,
    folders: &'a [PathBuf],
}

impl<'a> Flow<'a> {
    pub(super) fn new(board: &'a Board, folders: &'a [PathBuf]) -> Flow<'a> {
        Flow { board, folders }
    }

    /// The tool that does a part of the work: 0 synthesis, 1 place and route, 2 packing.
    fn tool(&self, part: usize) -> Result<Found, ToolError> {
        tool(self.board.fpga.family, part, self.folders)
    }

    /// All tools up to a part, so that the last one is not missed after an hour.
    pub(super) fn require(&self, parts: usize) -> Result<(), ToolError> {
        let parts = parts.min(tools(self.board.fpga.family).len());
        (0..parts).try_for_each(|part| self.tool(part).map(drop))
    }

    /// Verilog to a netlist and its statistics.
    pub(super) fn synthesis<'f>(
        &self,
        wrapper: &'f str,
        inner: &'f Inner,
    ) -> Result<Step<'f>, ToolError> {
        let fpga = &self.board.fpga;
        let pass = match fpga.family {
            Family::Ice40 if fpga.device == "up5k" => {
                let dsp = if inner.dsp_blocks { " -dsp" } else { "" };
                format!("synth_ice40 -device u{dsp} -spram")
            }
            Family::Ice40 => "synth_ice40".into(),
            Family::Ecp5 => "synth_ecp5".into(),
            Family::Gowin => {
                let family = if fpga.device.starts_with("GW1N") { "gw1n" } else { "gw2a" };
                format!("synth_gowin -family {family}")
            }
            // the statistics of a hierarchy are no JSON in Yosys 0.23
            Family::Xilinx7 => "synth_xilinx -family xc7 -flatten".to_string(),
        };
        // YoWASP loses the end of what it prints: files, not the standard output, are read; nextpnr
        // 0.4 does not know the notes on scopes that newer versions leave
        let script = format!(
            "read_verilog {WRAPPER} {DESIGN}; {pass} -top {TOP}; delete t:$scopeinfo; write_json {NETLIST}; tee -q -o {STATISTICS} stat -json"
        );
        Ok(Step {
            name: "synthesis".into(),
            tool: self.tool(0)?,
            arguments: vec!["-p".into(), script],
            inputs: vec![(WRAPPER, wrapper.as_bytes()), (DESIGN, inner.verilog.as_bytes())],
            outputs: vec![NETLIST, STATISTICS],
        })
    }

    /// A netlist placed and routed, with a report. That timing is missed is for us to say.
    pub(super) fn place<'f>(
        &self,
        netlist: &'f [u8],
        pins: &'f str,
        megahertz: f64,
        seed: u32,
    ) -> Result<Step<'f>, ToolError> {
        let fpga = &self.board.fpga;
        let pins_name = match fpga.family {
            Family::Ice40 => "pins.pcf",
            Family::Ecp5 => "pins.lpf",
            Family::Gowin | Family::Xilinx7 => "pins.cst",
        };
        let device: Vec<String> = match fpga.family {
            Family::Ice40 => vec![
                format!("--{}", fpga.device),
                "--package".into(),
                fpga.package.clone(),
                "--pcf".into(),
                pins_name.into(),
                "--asc".into(),
                PLACED.into(),
            ],
            Family::Ecp5 => vec![
                format!("--{}", fpga.device),
                "--package".into(),
                fpga.package.clone(),
                "--speed".into(),
                fpga.speed.clone(),
                "--lpf".into(),
                pins_name.into(),
                "--textcfg".into(),
                PLACED.into(),
            ],
            Family::Gowin | Family::Xilinx7 => vec![
                "--device".into(),
                fpga.package.clone(),
                "--vopt".into(),
                format!("family={}", fpga.device),
                "--vopt".into(),
                format!("cst={pins_name}"),
                "--write".into(),
                PLACED.into(),
            ],
        };
        let mut arguments = vec!["--json".to_string(), NETLIST.into()];
        arguments.extend(device);
        let usual = ["--timing-allow-fail", "--report", REPORT, "--freq"].map(String::from);
        arguments.extend(usual);
        arguments.extend([format!("{megahertz:.3}"), "--seed".into(), seed.to_string()]);
        Ok(Step {
            name: format!("place and route, seed {seed}"),
            tool: self.tool(1)?,
            arguments,
            inputs: vec![(NETLIST, netlist), (pins_name, pins.as_bytes())],
            outputs: vec![PLACED, REPORT],
        })
    }

    /// icetime's own reckoning, which is more careful than nextpnr's where there are DSP blocks;
    /// `None` for other families and where it is not installed.
    pub(super) fn second_opinion<'f>(&self, placed: &'f [u8]) -> Option<Step<'f>> {
        let fpga = &self.board.fpga;
        let tool = require_in("icetime", self.folders).ok()?;
        let arguments =
            ["-t", "-m", "-d", &fpga.device, "-P", &fpga.package, "-r", "timing", PLACED];
        (fpga.family == Family::Ice40).then(|| Step {
            name: "timing by icetime".into(),
            tool,
            arguments: arguments.map(String::from).into(),
            inputs: vec![(PLACED, placed)],
            outputs: vec!["timing"],
        })
    }

    /// What is placed, as a bitstream.
    pub(super) fn packing<'f>(&self, placed: &'f [u8]) -> Result<Step<'f>, ToolError> {
        let fpga = &self.board.fpga;
        let out = "bitstream";
        let arguments: Vec<String> = match fpga.family {
            Family::Ice40 => vec![PLACED.into(), out.into()],
            // without a frequency the FPGA reads its flash at 2.4 MHz
            Family::Ecp5 => ["--compress", "--freq", "38.8", "--input", PLACED, "--bit", out]
                .map(String::from)
                .into(),
            Family::Gowin | Family::Xilinx7 => {
                ["-d", &fpga.device, "-o", out, PLACED].map(String::from).into()
            }
        };
        Ok(Step {
            name: "packing".into(),
            tool: self.tool(2)?,
            arguments,
            inputs: vec![(PLACED, placed)],
            outputs: vec![out],
        })
    }

    /// The board's pins, and with Gowin its clock, as files of their names.
    pub(super) fn constraints(&self, uses: Uses) -> Vec<(String, String)> {
        let board = self.board;
        let ending = board.fpga.family.constraints_ending();
        let pins = (format!("{}.{ending}", board.name), constraints(board, uses));
        let clock = sdc(board).map(|text| (format!("{}.sdc", board.name), text));
        std::iter::once(pins).chain(clock).collect()
    }
}
