//! The netlist in Icarus, with the library's own Verilog, under the vectors of a golden model.

use super::{OSU018, PowerModel};
use hwgen_designs::registry;
use hwgen_hdl::netlist::ClockId;
use hwgen_hdl::sim::Device;
use hwgen_hdl::{Int, Module};
use hwgen_tools::{require, run};
use hwgen_verify::power::{GateDevice, Library, Options};
use std::sync::Arc;
use std::time::Duration;

/// Notes the inputs at each rising edge: bits, the last input first, the highest bit first.
struct Recorder {
    gates: GateDevice,
    inputs: Vec<Int>,
    edges: Vec<String>,
}

impl Device for Recorder {
    fn module(&self) -> &Arc<Module> {
        self.gates.module()
    }

    fn poke(&mut self, input: usize, value: &Int) {
        self.inputs[input] = self.module().inputs[input].ty.to_bits(value);
        self.gates.poke(input, value);
    }

    fn peek(&mut self, output: usize) -> Int {
        self.gates.peek(output)
    }

    fn tick(&mut self, clocks: &[ClockId]) {
        let ports = self.gates.module().inputs.iter().zip(&self.inputs).rev();
        let bits = |(port, value): (&hwgen_hdl::netlist::Port, &Int)| {
            format!("{:0>width$}", value.to_str_radix(2), width = port.ty.width as usize)
        };
        self.edges.push(ports.map(bits).collect());
        self.gates.tick(clocks);
    }
}

#[test]
fn every_net_changes_as_often_as_in_icarus() {
    let set = ["rows=2", "columns=1", "weight_bits=4", "activation_bits=4"].map(String::from);
    let configured = registry::find("mac_array").unwrap().configure(None, &set).unwrap();
    let module = configured.build();
    let golden = configured.golden();
    let library = Library::read(OSU018).unwrap();
    let model = PowerModel::new(&module, &library, &Options::default()).unwrap();
    let inputs = vec![Int::ZERO; module.inputs.len()];
    let mut device = Recorder { gates: model.device(), inputs, edges: vec![] };
    // the first batch makes every net known
    golden.batch(&mut device, 1).unwrap();
    device.gates.restart();
    let known = device.edges.len();
    golden.batch(&mut device, 2).unwrap();

    let named = device.gates.toggles();
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
    let nets: Vec<_> = named.iter().filter(|(name, _)| plain(name)).collect();
    let clock = &module.clocks[0].name;
    let nets: Vec<_> = nets.into_iter().filter(|(name, _)| !name.ends_with(&**clock)).collect();
    let samples = icarus(&model, &module, &device.edges, &nets);

    let ours: Vec<u64> = nets.iter().flat_map(|(_, bits)| bits.iter().rev().copied()).collect();
    let mut theirs = vec![0; ours.len()];
    // a sample before each edge and one after it: start from the one after the last edge of the
    // first batch
    let counted: Vec<&String> = std::iter::once(&samples[2 * known - 1])
        .chain(samples[2 * known..].iter().step_by(2))
        .collect();
    for pair in counted.windows(2) {
        let bits = pair[0].bytes().zip(pair[1].bytes()).enumerate();
        for (n, (old, new)) in bits {
            assert!(b"01".contains(&new), "net {n} is unknown");
            theirs[n] += u64::from(old != new);
        }
    }
    assert_eq!(ours, theirs);
    assert!(ours.len() > 100 && ours.iter().sum::<u64>() > 1000, "{}", ours.len());
}

/// The bits of all nets before and after each edge.
fn icarus(
    model: &PowerModel,
    module: &Module,
    edges: &[String],
    nets: &[&(String, Vec<u64>)],
) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let mut low = 0;
    let mut pins = vec![format!(".{}(clk)", module.clocks[0].name)];
    for port in &module.inputs {
        pins.push(format!(".{}(in[{low} +: {}])", port.name, port.ty.width));
        low += port.ty.width;
    }
    let seen: Vec<_> = nets.iter().map(|(name, _)| format!("dut.{name}")).collect();
    let bench = format!(
        "module bench;\n  reg clk = 0;\n  reg [{}:0] in, vectors [0:{}];\n  integer n;\n  \
         {} dut ({});\n  initial begin\n    $readmemb(\"vectors\", vectors);\n    \
         for (n = 0; n < {}; n = n + 1) begin\n      in = vectors[n];\n      #10 {show}\n      \
         clk = 1;\n      #10 {show}\n      clk = 0;\n      #10;\n    end\n  end\nendmodule\n",
        low - 1,
        edges.len() - 1,
        module.name,
        pins.join(", "),
        edges.len(),
        show = format_args!("$display(\"%b\", {{{}}});", seen.join(", ")),
    );
    write("bench.v", &bench);
    write("vectors", &edges.join("\n"));
    let limit = Duration::from_secs(120);
    let mut compile = require("iverilog").unwrap().command();
    compile.current_dir(folder.path()).args(["-g2005", "-s", "bench", "-o", "run", "bench.v"]);
    compile.arg(model.verilog()).arg(OSU018.replace(".lib", ".v"));
    run(&mut compile, limit).unwrap();
    let mut simulate = require("vvp").unwrap().command();
    let said = run(simulate.current_dir(folder.path()).args(["-n", "run"]), limit).unwrap();
    let samples: Vec<String> = said.stdout.lines().map(str::to_string).collect();
    assert_eq!(samples.len(), 2 * edges.len());
    samples
}
