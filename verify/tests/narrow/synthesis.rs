//! What Yosys makes of a lane on families of parts and in SkyWater's cells, and how fast that is.

use hwgen_hdl::Module;
use hwgen_tools::{require, run};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(600);

/// Parts with multipliers and adders of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Xilinx7,
    Ecp5,
    Ice40,
}

impl Part {
    pub(super) const ALL: [Part; 3] = [Part::Xilinx7, Part::Ecp5, Part::Ice40];

    pub(super) fn name(self) -> &'static str {
        match self {
            Part::Xilinx7 => "Xilinx 7",
            Part::Ecp5 => "ECP5",
            Part::Ice40 => "iCE40",
        }
    }

    fn passes(self, blocks: bool) -> &'static str {
        match (self, blocks) {
            (Part::Xilinx7, true) => "synth_xilinx -flatten -top cnn_lane",
            (Part::Xilinx7, false) => "synth_xilinx -flatten -nodsp -top cnn_lane",
            (Part::Ecp5, true) => "synth_ecp5 -top cnn_lane",
            (Part::Ecp5, false) => "synth_ecp5 -nodsp -top cnn_lane",
            (Part::Ice40, true) => "synth_ice40 -dsp -top cnn_lane",
            (Part::Ice40, false) => "synth_ice40 -top cnn_lane",
        }
    }

    /// What `ltp` is to see: nets, and cells of logic that a path may pass.
    fn logic(self) -> &'static str {
        match self {
            Part::Xilinx7 => "w:* t:LUT* t:INV t:CARRY4 t:MUXF*",
            Part::Ecp5 => "w:* t:LUT4 t:CCU2C t:PFUMX t:L6MUX21",
            Part::Ice40 => "w:* t:SB_LUT4 t:SB_CARRY",
        }
    }
}

/// What a lane takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) lut: u64,
    pub(super) ff: u64,
    pub(super) dsp: u64,
    pub(super) carry: u64,
    /// Cells of logic on the longest path.
    pub(super) depth: u64,
}

fn yosys(folder: &Path, verilog: &str, script: &str) {
    std::fs::write(folder.join("design.v"), verilog).unwrap();
    let yosys = require("yosys").unwrap();
    let script = format!("read_verilog design.v; {script}");
    run(yosys.command().current_dir(folder).args(["-q", "-p", &script]), LIMIT).unwrap();
}

/// Maps a lane to a family, its blocks for products used or not.
pub(super) fn counts(module: &Module, part: Part, blocks: bool) -> Counts {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = format!(
        "{}; tee -q -o stat stat -json; tee -q -o depth ltp {}",
        part.passes(blocks),
        part.logic()
    );
    yosys(folder, &module.verilog().unwrap(), &script);
    let stat: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("stat")).unwrap()).unwrap();
    let cells = stat["design"]["num_cells_by_type"].as_object().unwrap();
    let of = |names: &[&str]| -> u64 {
        let counted = cells.iter().filter(|(cell, _)| names.iter().any(|n| cell.starts_with(n)));
        counted.map(|(_, count)| count.as_u64().unwrap()).sum()
    };
    let depth = std::fs::read_to_string(folder.join("depth")).unwrap();
    let depth = depth
        .split_once("length=")
        .map_or(0, |(_, rest)| rest.split(')').next().unwrap().parse().unwrap());
    Counts {
        lut: of(&["LUT", "INV", "SB_LUT4"]),
        ff: of(&["FD", "TRELLIS_FF", "SB_DFF"]),
        dsp: of(&["DSP48E1", "MULT18X18D", "SB_MAC16"]),
        carry: of(&["CARRY4", "CCU2C", "SB_CARRY"]),
        depth,
    }
}

/// MHz that nextpnr tells of the lane on an iCE40 UP5K; registers around it, which pins shift.
pub(super) fn up5k(module: &Module, blocks: bool) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let dsp = if blocks { "-dsp" } else { "" };
    let verilog = module.verilog().unwrap() + &wrapped(module);
    yosys(folder, &verilog, &format!("synth_ice40 {dsp} -top wrapped -json lane.json"));
    let nextpnr = require("nextpnr-ice40").unwrap();
    let arguments = ["--up5k", "--package", "sg48", "--json", "lane.json", "--seed", "1", "-q"];
    let mut command = nextpnr.command();
    let report = ["--report", "report.json", "--pcf-allow-unconstrained", "--freq", "100"];
    // a clock that is missed is a figure here, not a failure
    let command =
        command.current_dir(folder).args(arguments).args(report).arg("--timing-allow-fail");
    run(command, LIMIT).unwrap();
    let report = std::fs::read_to_string(folder.join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let clocks = report["fmax"].as_object().unwrap();
    let achieved = clocks.values().map(|clock| clock["achieved"].as_f64().unwrap());
    achieved.fold(f64::INFINITY, f64::min)
}

/// Module `wrapped`: a lane between registers.
fn wrapped(module: &Module) -> String {
    let bits = |width: u32| format!("[{}:0]", width - 1);
    let inputs: Vec<_> = module.inputs.iter().filter(|port| &*port.name != "rst").collect();
    let (mut ports, mut ins, mut outs) = (String::new(), 0, 0);
    for port in &inputs {
        let (high, low) = (ins + port.ty.width - 1, ins);
        write!(ports, ", .{}(ins[{high}:{low}])", port.name).unwrap();
        ins += port.ty.width;
    }
    for port in &module.outputs {
        let (high, low) = (outs + port.ty.width - 1, outs);
        write!(ports, ", .{}(outs[{high}:{low}])", port.name).unwrap();
        outs += port.ty.width;
    }
    let (ins, outs) = (bits(ins), bits(outs));
    format!(
        "module wrapped(input clk, input rst, input in, input load, output out);\n\
         reg {ins} ins; wire {outs} outs; reg {outs} held; assign out = held[0];\n\
         always @(posedge clk) begin\n\
         ins <= {{ins, in}}; held <= load ? outs : held >> 1;\n\
         end\n\
         cnn_lane lane(.clk(clk), .rst(rst){ports});\n\
         endmodule\n"
    )
}

/// Nanoseconds of the slowest path between registers in a library's cells, by ABC.
pub(super) fn delay(module: &Module, liberty: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("cells.lib"), liberty).unwrap();
    let abc = "+strash;ifraig;scorr;dc2;strash;&get,-n;&dch,-f;&nf;&put;buffer;upsize;dnsize;stime";
    let script = format!(
        "synth -flatten -top cnn_lane; dfflibmap -liberty cells.lib; \
         tee -q -o log abc -liberty cells.lib -script \"{abc}\""
    );
    yosys(folder, &module.verilog().unwrap(), &script);
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    let told = log.split("Delay = ").last().unwrap().split_whitespace().next().unwrap();
    told.parse::<f64>().unwrap_or_else(|_| panic!("{log}")) / 1e3
}
