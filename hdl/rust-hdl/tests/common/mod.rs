//! Runs a module on our engine, Icarus Verilog and Verilator with the same vectors.
//!
//! The test bench is plain Verilog: vectors come from a `$readmemh` file, and once a cycle, after
//! the inputs settled and before the clock rises, all outputs go to a file as one row of bits.

#![allow(dead_code, reason = "each test binary uses the part it needs")]

use hwgen_hdl::netlist::Port;
use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Int, Module};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// A module and what is fed to it: one value an input a cycle.
pub(crate) struct Case {
    pub(crate) module: Arc<Module>,
    pub(crate) vectors: Vec<Vec<Int>>,
}

/// One row a cycle, most significant bit of the first output first.
pub(crate) type Trace = Vec<String>;

impl Case {
    /// `cycles` vectors from `draw`, which gets each input in turn; fixed seed.
    pub(crate) fn new(
        module: Arc<Module>,
        cycles: usize,
        mut draw: impl FnMut(&Port, &mut ChaCha8Rng) -> Int,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0x4857_4745);
        let mut row = || module.inputs.iter().map(|port| draw(port, &mut rng)).collect();
        let vectors = (0..cycles).map(|_| row()).collect();
        Self { module, vectors }
    }

    /// What our engine says; for a leaf that is rust-hdl's own simulation.
    pub(crate) fn ours(&self, engine: Engine) -> Trace {
        let mut sim = Simulator::new(&self.module, engine);
        let mut trace = Trace::new();
        for vector in &self.vectors {
            for (index, value) in vector.iter().enumerate() {
                sim.poke_index(index, value).unwrap();
            }
            let ports = self.module.outputs.iter().enumerate();
            trace.push(ports.map(|(i, port)| binary(port, &sim.peek_index(i))).collect());
            sim.step();
        }
        trace
    }

    fn test_bench(&self) -> String {
        let Module { name, clocks, inputs, outputs, .. } = &*self.module;
        let (cycles, word) = (self.vectors.len(), inputs.iter().map(|p| p.ty.width).sum::<u32>());
        let names = |ports: &[Port]| ports.iter().map(|p| p.name.to_string()).collect::<Vec<_>>();
        let clocks: Vec<_> = clocks.iter().map(|clock| clock.name.to_string()).collect();
        let all = [clocks.clone(), names(inputs), names(outputs)].concat();
        let pins: Vec<_> = all.iter().map(|name| format!(".{name}({name})")).collect();
        let level = |level: u32| -> String {
            clocks.iter().map(|clock| format!("{clock} = {level}; ")).collect()
        };
        let mut nets: String = clocks.iter().map(|clock| format!("  reg {clock};\n")).collect();
        for (kind, port) in
            inputs.iter().map(|p| ("reg", p)).chain(outputs.iter().map(|p| ("wire", p)))
        {
            nets += &format!("  {kind} [{}:0] {};\n", port.ty.width - 1, port.name);
        }
        format!(
            "module {name}_bench;
{nets}  {name} dut({pins});
  reg [{top}:0] vectors [0:{last}];
  integer cycle, file;
  initial begin
    $readmemh(\"{name}.vectors\", vectors);
    file = $fopen(\"{name}.trace\", \"w\");
    {low}
    for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
      {{{inputs}}} = vectors[cycle];
      #1 $fdisplay(file, \"%b\", {{{outputs}}});
      {high}
      #1; {low}
    end
    $fclose(file);
  end
endmodule
",
            pins = pins.join(", "),
            top = word - 1,
            last = cycles - 1,
            inputs = names(inputs).join(", "),
            outputs = names(outputs).join(", "),
            low = level(0),
            high = level(1),
        )
    }

    fn vector_file(&self) -> String {
        let word = |vector: &Vec<Int>| {
            let row = self.module.inputs.iter().zip(vector);
            let word = row.fold(Int::ZERO, |word, (port, value)| {
                (word << port.ty.width) | port.ty.to_bits(value)
            });
            format!("{word:x}\n")
        };
        self.vectors.iter().map(word).collect()
    }
}

fn binary(port: &Port, value: &Int) -> String {
    let width = port.ty.width as usize;
    format!("{:0>width$b}", port.ty.to_bits(value))
}

/// Splits a row of a trace into the ports it was made of.
pub(crate) fn columns<'a>(
    module: &'a Module,
    row: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    module.outputs.iter().scan(0, move |from, port| {
        let range = *from..*from + port.ty.width as usize;
        *from = range.end;
        Some((&*port.name, row.get(range).unwrap_or("")))
    })
}

/// A value with all bits of the port random.
pub(crate) fn any_bits(port: &Port, rng: &mut ChaCha8Rng) -> Int {
    let bits = (0..port.ty.width).fold(Int::ZERO, |bits, _| (bits << 1) | chance(rng, 0.5));
    port.ty.wrap(bits)
}

/// 1 with the given probability, else 0.
pub(crate) fn chance(rng: &mut ChaCha8Rng, probability: f64) -> Int {
    u8::from(rng.random_bool(probability)).into()
}

/// What Icarus Verilog says, for each case; `x` marks an undefined bit.
pub(crate) fn icarus(cases: &[Case]) -> Vec<Trace> {
    try_icarus(cases).unwrap_or_else(|message| panic!("{message}"))
}

/// As [`icarus`], but text that it rejects is an error with its message.
pub(crate) fn try_icarus(cases: &[Case]) -> Result<Vec<Trace>, String> {
    let dir = write_bench(cases);
    let compile = ["-g2005", "-o", "bench.vvp", "-s", "bench", "bench.v"];
    try_run(dir.path(), "iverilog", &compile)?;
    try_run(dir.path(), "vvp", &["-n", "bench.vvp"])?;
    Ok(read_traces(dir.path(), cases))
}

/// What Verilator says, for each case.
pub(crate) fn verilator(cases: &[Case]) -> Vec<Trace> {
    let dir = write_bench(cases);
    let options = ["--binary", "-O3", "--timing", "--x-initial", "0", "--top-module", "bench"];
    // The bench itself is not written for lint; the leaves silence what they must by themselves.
    let options = [&options[..], &["-Wno-WIDTH", "-Wno-STMTDLY", "-CFLAGS", "-O0"]].concat();
    run(dir.path(), "verilator", &[&options[..], &["bench.v"]].concat());
    run(dir.path(), "./obj_dir/Vbench", &[]);
    read_traces(dir.path(), cases)
}

fn write_bench(cases: &[Case]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("`timescale 1ns/1ns\n");
    let mut top = String::from("module bench;\n");
    for case in cases {
        let name = &case.module.name;
        text += &case.module.verilog().unwrap();
        text += &case.test_bench();
        top += &format!("  {name}_bench {name}_instance();\n");
        std::fs::write(dir.path().join(format!("{name}.vectors")), case.vector_file()).unwrap();
    }
    let longest = cases.iter().map(|case| case.vectors.len()).max().unwrap_or(0);
    top += &format!("  initial #{} $finish;\nendmodule\n", 2 * longest + 10);
    std::fs::write(dir.path().join("bench.v"), text + &top).unwrap();
    dir
}

fn read_traces(dir: &Path, cases: &[Case]) -> Vec<Trace> {
    let trace = |case: &Case| {
        let path = dir.join(format!("{}.trace", case.module.name));
        std::fs::read_to_string(path).unwrap().lines().map(str::to_string).collect()
    };
    cases.iter().map(trace).collect()
}

pub(crate) fn run(dir: &Path, tool: &str, arguments: &[&str]) {
    try_run(dir, tool, arguments).unwrap_or_else(|message| panic!("{message}"));
}

/// A tool that is missing always fails the test; one that complains is left to the caller.
fn try_run(dir: &Path, tool: &str, arguments: &[&str]) -> Result<(), String> {
    match Command::new(tool).args(arguments).current_dir(dir).output() {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            panic!("`{tool}` is not installed: apt-get install verilator iverilog yosys")
        }
        Err(e) => panic!("{tool}: {e}"),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "{tool} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Verilator's lint with all warnings on; any warning fails.
pub(crate) fn lint(module: &Module) {
    let dir = tempfile::tempdir().unwrap();
    let file = format!("{}.v", module.name);
    std::fs::write(dir.path().join(&file), module.verilog().unwrap()).unwrap();
    run(dir.path(), "verilator", &["--lint-only", "-Wall", "--top-module", &module.name, &file]);
}
