//! Xilinx: what an open tool cannot do is left to Vivado, as a script. UNTESTED: nobody has run it.

use crate::board::Board;
use crate::wrapper::TOP;

/// A script for `vivado -mode batch -source build.tcl`. All that it names has been checked to be
/// plain words, and is in braces, where Tcl substitutes nothing.
pub(super) fn script(board: &Board) -> String {
    let (name, part) = (&board.name, &board.fpga.package);
    format!(
        "\
# UNTESTED: written for Vivado, never run.
# vivado -mode batch -source build.tcl
set part {{{part}}}
read_verilog [list board.v design.v]
read_xdc {{{name}.xdc}}
synth_design -top {TOP} -part $part
opt_design
place_design
route_design
report_utilization -file utilization.rpt
report_timing_summary -file timing.rpt
set slack [get_property SLACK [get_timing_paths -delay_type max]]
if {{$slack ne \"\" && $slack < 0}} {{
  puts \"ERROR: timing is missed by [expr {{-$slack}}] ns\"
  exit 1
}}
set_property CFGBVS VCCO [current_design]
set_property CONFIG_VOLTAGE 3.3 [current_design]
write_bitstream -force {{{name}.bit}}
"
    )
}
