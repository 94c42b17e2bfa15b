//! Gates of osu018 in OpenSTA, where it is installed and where it is right.
//!
//! Left to its default activity of 0.1, OpenSTA 2.0.17 prints a tenth of the joules a change as watts
//! (gates on no clocked path). Leakage and ½CV² are as ours. Internal power is twice ours, for every gate: it takes the table's
//! rise and fall for each change, where a change is one of the two. That is also why it counts a
//! flip-flop's clock pin twice.

use super::{Gate, Machine, machine_of};
use crate::power::compiled::Conditions;
use crate::power::liberty::Library;
use hwgen_tools::{require, run};
use std::time::Duration;

const OSU018: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

/// Four gates between inputs of 0.1 ns and an INVX8 each.
const GATES: [Gate<'_>; 8] = [
    ("g0", "INVX1", &[("A", 3), ("Y", 5)]),
    ("g1", "BUFX2", &[("A", 3), ("Y", 6)]),
    ("g2", "NAND2X1", &[("A", 3), ("B", 4), ("Y", 7)]),
    ("g3", "NOR2X1", &[("A", 3), ("B", 4), ("Y", 8)]),
    ("l0", "INVX8", &[("A", 5), ("Y", 9)]),
    ("l1", "INVX8", &[("A", 6), ("Y", 10)]),
    ("l2", "INVX8", &[("A", 7), ("Y", 11)]),
    ("l3", "INVX8", &[("A", 8), ("Y", 12)]),
];

/// Its default.
const ACTIVITY: f64 = 0.1;

const SCRIPT: &str = "read_verilog net.v
link_design top
create_clock -name clk -period 10 [get_ports clk]
set_input_transition 0.1 [get_ports {a b}]
report_power -instances [get_cells {g0 g1 g2 g3}] -digits 6
";

/// Internal and switching joules a change, and watts of leakage, of g0 to g3.
fn opensta() -> Option<[[f64; 3]; 4]> {
    let sta = require("opensta").ok()?;
    let net = |net: u32| match net {
        3 => "a".to_string(),
        4 => "b".to_string(),
        _ => format!("n{net}"),
    };
    let pins = |pins: &[(&str, u32)]| -> Vec<String> {
        pins.iter().map(|(pin, n)| format!(".{pin}({})", net(*n))).collect()
    };
    let gates = GATES.map(|(name, kind, p)| format!("{kind} {name} ({});\n", pins(p).join(", ")));
    let netlist =
        format!("module top (input clk, input a, input b);\n{}endmodule\n", gates.concat());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net.v"), netlist).unwrap();
    std::fs::write(folder.path().join("s.tcl"), format!("read_liberty {OSU018}\n{SCRIPT}"))
        .unwrap();
    let mut command = sta.command();
    command.current_dir(folder.path()).args(["-no_splash", "-exit", "s.tcl"]);
    let said = run(&mut command, Duration::from_secs(60)).unwrap().stdout;
    let row = |name: &str| {
        let line = said.lines().find(|line| line.trim_end().ends_with(&format!(" {name}")));
        let line = line.unwrap_or_else(|| panic!("no `{name}` in\n{said}"));
        let numbers: Vec<f64> = line.split_whitespace().flat_map(str::parse).collect();
        [numbers[0] / ACTIVITY, numbers[1] / ACTIVITY, numbers[2]]
    };
    Some(["g0", "g1", "g2", "g3"].map(row))
}

/// Runs the inputs, counting from the second on; internal and switching joules of a cell.
fn spent(machine: &mut Machine, volts: f64, inputs: &[(bool, bool)], cell: usize) -> [f64; 2] {
    let [a, b] = ["a", "b"].map(|port| machine.compiled.netlist.ports[port][0]);
    for (n, inputs) in inputs.iter().enumerate() {
        machine.set(a, inputs.0);
        machine.set(b, inputs.1);
        if n == 0 {
            machine.start();
        }
        machine.tick();
    }
    let net = machine.compiled.outputs[cell][0].unwrap() as usize;
    let changes = machine.counts.toggles[net] as f64;
    let switching = changes * machine.compiled.loads[net] * volts * volts / 2.0;
    [machine.counts.joules[cell] / changes, switching / changes]
}

#[test]
fn leakage_and_switching_equal_opensta_and_internal_is_half() {
    let Some(theirs) = opensta() else {
        eprintln!("opensta is not installed: gates are not compared with it");
        return;
    };
    let library = Library::read(OSU018).unwrap();
    let ports = [("clk", 2), ("a", 3), ("b", 4)];
    let conditions = Conditions { slew: 0.1e-9, wire: 0.0 };
    let mut machine = machine_of(&library, &ports, &GATES, conditions);
    let (no, yes) = (false, true);
    // each pin makes the output rise once and fall once
    let nand = [(no, yes), (yes, yes), (yes, no), (yes, yes), (no, yes)];
    let nor = [(yes, no), (no, no), (no, yes), (no, no), (yes, no)];
    // in the netlist cells are sorted by name
    let runs = [&nand[..], &nand, &nand, &nor];
    for (n, (inputs, [internal, switching, leakage])) in runs.into_iter().zip(theirs).enumerate() {
        let ours = spent(&mut machine, library.volts, inputs, n);
        let kind = &machine.compiled.netlist.cells[n].kind;
        let equal = |a: f64, b: f64, what| {
            assert!((a / b - 1.0).abs() < 2e-5, "{kind}, {what}: {a:e}, OpenSTA {b:e}");
        };
        equal(2.0 * ours[0], internal, "internal");
        equal(ours[1], switching, "switching");
        equal(library.cells[kind].leakage, leakage, "leakage");
    }
}
