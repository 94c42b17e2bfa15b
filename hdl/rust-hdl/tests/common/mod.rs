//! Runs a leaf in rust-hdl, Icarus Verilog and Verilator on the same vectors.
//!
//! The test bench is plain Verilog: vectors come from a `$readmemh` file, and once a cycle, after
//! the inputs settled and before the clock rises, all outputs go to a file as one row of bits.

#![allow(dead_code, reason = "each test binary uses the part it needs")]

use hwgen_rust_hdl::{Leaf, Port, PortDirection};
use num_bigint::BigUint;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

/// A leaf and what is fed to it: one value an input a cycle, clocks left out.
pub(crate) struct Case {
    pub(crate) leaf: Leaf,
    pub(crate) vectors: Vec<Vec<BigUint>>,
}

/// One row a cycle, most significant bit of the first output first.
pub(crate) type Trace = Vec<String>;

impl Case {
    /// `cycles` vectors from `draw`, which gets each data input in turn; fixed seed.
    pub(crate) fn new(
        leaf: Leaf,
        cycles: usize,
        mut draw: impl FnMut(&Port, &mut ChaCha8Rng) -> BigUint,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0x4857_4745);
        let mut row = || {
            data_inputs(&leaf)
                .map(|port| draw(port, &mut rng))
                .collect()
        };
        let vectors = (0..cycles).map(|_| row()).collect();
        Self { leaf, vectors }
    }

    /// What rust-hdl's own simulation says.
    pub(crate) fn rust_hdl(&self) -> Trace {
        let mut model = self.leaf.model();
        let widths: Vec<_> = self.leaf.outputs().map(|port| port.width).collect();
        let mut outputs = vec![BigUint::ZERO; widths.len()];
        let mut trace = Trace::new();
        for vector in &self.vectors {
            for clock in [0_u32, 1] {
                let mut data = vector.iter();
                let input = |port: &Port| match port.direction {
                    PortDirection::Clock => Some(clock.into()),
                    _ => data.next().cloned(),
                };
                let inputs: Vec<BigUint> = self.leaf.inputs().filter_map(input).collect();
                model.update(&inputs, &mut outputs).unwrap();
                if clock == 0 {
                    trace.push(binary_row(&outputs, &widths));
                }
            }
        }
        trace
    }

    fn test_bench(&self) -> String {
        let (leaf, name) = (&self.leaf, self.leaf.name());
        let width = |ports: &[&Port]| ports.iter().map(|port| port.width).sum::<usize>();
        let names = |ports: &[&Port]| {
            ports
                .iter()
                .map(|port| port.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (data, outputs): (Vec<&Port>, Vec<&Port>) =
            (data_inputs(leaf).collect(), leaf.outputs().collect());
        let mut text = format!("module {name}_bench;\n");
        for port in leaf.ports() {
            let kind = if port.direction == PortDirection::Output {
                "wire"
            } else {
                "reg"
            };
            text += &format!("  {kind} [{}:0] {} ;\n", port.width - 1, port.name);
        }
        let pins: Vec<_> = leaf
            .ports()
            .iter()
            .map(|port| format!(".{0}({0})", port.name))
            .collect();
        let clocks: Vec<_> = leaf
            .inputs()
            .filter(|port| port.direction == PortDirection::Clock)
            .collect();
        let set_clocks = |level: u32| -> String {
            clocks
                .iter()
                .map(|port| format!("{} = {level}; ", port.name))
                .collect()
        };
        let (low, high) = (set_clocks(0), set_clocks(1));
        let (cycles, word) = (self.vectors.len(), width(&data));
        text += &format!(
            "  {name} dut({pins});
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
            inputs = names(&data),
            outputs = names(&outputs),
        );
        text
    }

    fn vector_file(&self) -> String {
        let widths: Vec<_> = data_inputs(&self.leaf).map(|port| port.width).collect();
        let word = |vector: &Vec<BigUint>| {
            let row = vector.iter().zip(&widths);
            let packed = row.fold(BigUint::ZERO, |word, (bits, width)| (word << *width) | bits);
            format!("{packed:x}\n")
        };
        self.vectors.iter().map(word).collect()
    }
}

fn data_inputs(leaf: &Leaf) -> impl Iterator<Item = &Port> {
    leaf.inputs()
        .filter(|port| port.direction == PortDirection::Input)
}

fn binary_row(values: &[BigUint], widths: &[usize]) -> String {
    values
        .iter()
        .zip(widths)
        .map(|(bits, &width)| format!("{bits:0>width$b}"))
        .collect()
}

/// Splits a row of a trace into the ports it was made of.
pub(crate) fn columns<'a>(
    leaf: &'a Leaf,
    row: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    leaf.outputs().scan(0, move |from, port| {
        let range = *from..*from + port.width;
        *from += port.width;
        Some((port.name.as_str(), row.get(range).unwrap_or("")))
    })
}

/// A value with all bits of the port random.
pub(crate) fn any_bits(port: &Port, rng: &mut ChaCha8Rng) -> BigUint {
    (0..port.width).fold(BigUint::ZERO, |bits, _| {
        (bits << 1) | BigUint::from(rng.random::<bool>())
    })
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
    let options = [
        "--binary",
        "-O3",
        "--timing",
        "--x-initial",
        "0",
        "--top-module",
        "bench",
    ];
    // The bench itself is not written for lint; the leaves silence what they must by themselves.
    let options = [
        &options[..],
        &["-Wno-WIDTH", "-Wno-STMTDLY", "-CFLAGS", "-O0"],
    ]
    .concat();
    run(
        dir.path(),
        "verilator",
        &[&options[..], &["bench.v"]].concat(),
    );
    run(dir.path(), "./obj_dir/Vbench", &[]);
    read_traces(dir.path(), cases)
}

fn write_bench(cases: &[Case]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut text = String::from("`timescale 1ns/1ns\n");
    let mut top = String::from("module bench;\n");
    for case in cases {
        let name = case.leaf.name();
        text += case.leaf.verilog();
        text += &case.test_bench();
        top += &format!("  {name}_bench {name}_instance();\n");
        std::fs::write(
            dir.path().join(format!("{name}.vectors")),
            case.vector_file(),
        )
        .unwrap();
    }
    let longest = cases
        .iter()
        .map(|case| case.vectors.len())
        .max()
        .unwrap_or(0);
    top += &format!("  initial #{} $finish;\nendmodule\n", 2 * longest + 10);
    std::fs::write(dir.path().join("bench.v"), text + &top).unwrap();
    dir
}

fn read_traces(dir: &Path, cases: &[Case]) -> Vec<Trace> {
    let trace = |case: &Case| {
        let path = dir.join(format!("{}.trace", case.leaf.name()));
        std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(str::to_string)
            .collect()
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
pub(crate) fn lint(leaf: &Leaf) {
    let dir = tempfile::tempdir().unwrap();
    let file = format!("{}.v", leaf.name());
    std::fs::write(dir.path().join(&file), leaf.verilog()).unwrap();
    run(
        dir.path(),
        "verilator",
        &["--lint-only", "-Wall", "--top-module", leaf.name(), &file],
    );
}
