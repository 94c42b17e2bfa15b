//! Verilator: a module's Verilog compiled to machine code, two-state.
//!
//! One executable serves requests ([`VerilatorDevice`]) and runs races ([`Compiled::race`]). It is
//! compiled once and kept; a small module takes half a second, since Verilator's own library and
//! the precompiled header for it are kept as well.

mod shim;

use super::cache::{cached, key, write};
use super::ports::Ports;
use super::process::Process;
use super::race::{Race, Stimulus};
use super::remote::{Language, Remote};
use super::{CosimError, verilog_of};
use hwgen_hdl::sim::Initial;
use hwgen_hdl::{Int, Module};
use hwgen_tools::{Found, run};
use num_bigint::Sign;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ChildStdout;
use std::sync::Arc;
use std::time::Duration;

/// Flags for every compilation; the warnings are about generated code.
const COMPILE: [&str; 4] = ["-faligned-new", "-fcf-protection=none", "-w", "-pthread"];

/// The features of a model, as Verilator's own make files pass them.
const FEATURES: [&str; 5] =
    ["-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE=0", "-DVM_TRACE_FST=0", "-DVM_TRACE_VCD=0"];

const LIMIT: Duration = Duration::from_secs(1800);

/// To be raised when the way of compiling changes, so that nothing kept is taken for new.
const REVISION: u32 = 1;

/// What to optimize.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimize {
    /// The time to compile; for tests of some thousand cycles.
    #[default]
    Build,
    /// The time to run: `-O3` throughout; for races and long tests.
    Run,
}

impl Optimize {
    fn compiler(self) -> &'static [&'static str] {
        match self {
            Optimize::Build => &["-O0"],
            Optimize::Run => &["-O3", "-march=native"],
        }
    }

    /// `unique` lets the program choose the content of state at its start; `fast` lets Verilator
    /// choose, which is quicker.
    fn verilator(self) -> &'static [&'static str] {
        match self {
            Optimize::Build => &["--x-assign", "unique", "--x-initial", "unique"],
            Optimize::Run => &["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert"],
        }
    }
}

/// A module compiled by Verilator.
#[derive(Clone, Debug)]
pub struct Compiled {
    module: Arc<Module>,
    program: PathBuf,
}

/// A module run by Verilator.
pub type VerilatorDevice = Remote<Binary>;

impl VerilatorDevice {
    /// The module as after power-up, all state zero.
    pub fn open(module: &Arc<Module>) -> Result<VerilatorDevice, CosimError> {
        Compiled::new(module, Optimize::Build)?.device(Initial::Zero)
    }

    /// The same interface on another text: a hand-written one, or a synthesized netlist.
    pub fn from_text(module: &Arc<Module>, verilog: &str) -> Result<VerilatorDevice, CosimError> {
        Compiled::from_text(module, verilog, Optimize::Build)?.device(Initial::Zero)
    }
}

impl Compiled {
    /// Compiles what a module prints.
    pub fn new(module: &Arc<Module>, optimize: Optimize) -> Result<Compiled, CosimError> {
        Compiled::from_text(module, &verilog_of(module)?, optimize)
    }

    /// Compiles a text with a module's interface.
    pub fn from_text(
        module: &Arc<Module>,
        verilog: &str,
        optimize: Optimize,
    ) -> Result<Compiled, CosimError> {
        let (verilator, compiler) =
            (hwgen_tools::require("verilator")?, hwgen_tools::require("c++")?);
        let ports = Ports::of(module);
        let text = format!("{verilog}\n{}", shim::wrapper(&ports, module));
        let flags = format!("{:?} {:?} {REVISION}", optimize.verilator(), optimize.compiler());
        let made_of = [&*text, &shim::program(&ports, &[]), &flags, &surroundings(optimize)];
        let folder = cached(&key("verilator", &made_of, &[&verilator, &compiler]), |folder| {
            let kit = Kit::new(&verilator, &compiler, optimize)?;
            write(folder, "top.v", &text)?;
            kit.compile(folder, &ports)
        })?;
        Ok(Compiled { module: module.clone(), program: folder.join("simulation") })
    }

    /// Starts it, as after power-up. Models optimized to [`Optimize::Run`] start from zero.
    pub fn device(&self, initial: Initial) -> Result<VerilatorDevice, CosimError> {
        let (reset, seed) = match initial {
            Initial::Zero => (0, 0),
            // Verilator's seeds are positive 31-bit numbers.
            Initial::Random(seed) => (2, seed % 0x7fff_fffe + 1),
        };
        let mut command = std::process::Command::new(&self.program);
        let process =
            Process::start(command.args(["serve", &reset.to_string(), &seed.to_string()]))?;
        Remote::new(&self.module, process)
    }

    /// Runs cycles in one go, without us between them; the definition is [`Stimulus`]'s.
    pub fn race(&self, cycles: u64, seed: u64, stimulus: Stimulus) -> Result<Race, CosimError> {
        let mut command = std::process::Command::new(&self.program);
        let (seed, count) = (seed.max(1).to_string(), cycles.to_string());
        let output = run(command.args(["race", "0", &seed, &count, stimulus.name()]), LIMIT)?;
        let numbers = output.stdout.trim().split_once(' ').and_then(|(seconds, sum)| {
            let checksum = u64::from_str_radix(sum, 16).ok()?;
            Some(Race { cycles, seconds: seconds.parse().ok()?, checksum })
        });
        let what = || format!("a race ended with `{}`", output.stdout.trim());
        numbers.ok_or_else(|| CosimError::Protocol { what: what() })
    }
}

/// Verilator, a compiler, and Verilator's library compiled by it.
struct Kit<'t> {
    verilator: &'t Found,
    compiler: &'t Found,
    optimize: Optimize,
    include: PathBuf,
    library: PathBuf,
}

/// Verilator's library, as far as models need it.
const LIBRARY: [&str; 2] = ["verilated", "verilated_threads"];

impl Kit<'_> {
    fn new<'t>(
        verilator: &'t Found,
        compiler: &'t Found,
        optimize: Optimize,
    ) -> Result<Kit<'t>, CosimError> {
        let include = hwgen_tools::verilator_root(&verilator.path)?.join("include");
        let mut kit = Kit { verilator, compiler, optimize, include, library: PathBuf::new() };
        let made_of = [format!("{:?}", kit.flags()), surroundings(optimize)];
        let made_of = made_of.each_ref().map(String::as_str);
        let key = key("verilator-library", &made_of, &[verilator, compiler]);
        kit.library = cached(&key, |folder| {
            write(folder, "prelude.h", "#include \"verilated.h\"\n")?;
            // The header takes longer to parse than a small model to compile.
            let header = ["-x", "c++-header", "prelude.h", "-o", "prelude.h.gch"];
            kit.compiler(folder, &header)?;
            LIBRARY.iter().try_for_each(|name| {
                let (from, to) = (kit.include.join(format!("{name}.cpp")), format!("{name}.o"));
                kit.compiler(folder, &["-c", &from.to_string_lossy(), "-o", &to])
            })
        })?;
        Ok(kit)
    }

    fn flags(&self) -> Vec<String> {
        let include = self.include.display();
        let paths = [format!("-I{include}"), format!("-I{include}/vltstd"), "-I.".into()];
        let fixed = COMPILE.iter().chain(&FEATURES).chain(self.optimize.compiler());
        fixed.map(|flag| flag.to_string()).chain(paths).collect()
    }

    fn compiler(&self, folder: &Path, arguments: &[&str]) -> Result<(), CosimError> {
        let mut command = self.compiler.command();
        run(command.current_dir(folder).args(self.flags()).args(arguments), LIMIT)?;
        Ok(())
    }

    /// Whether Verilator can be trusted with trees of `&`, `|`, `^` over single bits. Until 5.026 it
    /// gave wrong values for some, as Yosys' netlists show at once (5.006: the top bit of a product
    /// of sums).
    fn optimizes_bits_rightly(&self) -> bool {
        hwgen_tools::parse_version(&self.verilator.version).is_some_and(|version| version > (5, 26))
    }

    /// Makes `simulation` of `top.v`, and nothing else that is worth keeping.
    fn compile(&self, folder: &Path, ports: &Ports) -> Result<(), CosimError> {
        let mut command = self.verilator.command();
        command.current_dir(folder).args(["--cc", "top.v", "--top-module", shim::TOP]);
        // What is worth a warning is the lint's business; here only the behavior counts.
        command.args(["--Mdir", "cpp", "-Wno-lint", "-Wno-style", "-Wno-fatal"]);
        command.args(self.optimize.verilator());
        if self.optimize == Optimize::Build || !self.optimizes_bits_rightly() {
            command.arg("-fno-const-bit-op-tree");
        }
        run(&mut command, LIMIT)?;
        let sources = sources(&folder.join("cpp"))?;
        write(folder, "main.cpp", &shim::program(ports, &sources))?;
        let prelude = self.library.join("prelude.h");
        let objects = LIBRARY.map(|name| self.library.join(format!("{name}.o")));
        let mut arguments = vec!["-Icpp", "-include"];
        let paths: Vec<_> =
            [&prelude].into_iter().chain(&objects).map(|p| p.to_string_lossy()).collect();
        arguments.extend([&*paths[0], "main.cpp", &*paths[1], &*paths[2]]);
        arguments.extend(["-o", "simulation", "-latomic"]);
        self.compiler(folder, &arguments)?;
        std::fs::remove_dir_all(folder.join("cpp")).map_err(CosimError::file("clear", folder))
    }
}

/// What else decides the program: Verilator's root, and the processor if the code is for it alone.
fn surroundings(optimize: Optimize) -> String {
    let root = std::env::var_os("VERILATOR_ROOT").unwrap_or_default();
    let processor = match optimize {
        Optimize::Build => String::new(),
        Optimize::Run => std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default(),
    };
    let features = processor.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    format!("{} {} {features}", root.to_string_lossy(), std::env::consts::ARCH)
}

/// The C++ files of a folder, in the same order every time.
fn sources(folder: &Path) -> Result<Vec<String>, CosimError> {
    let entries = std::fs::read_dir(folder).map_err(CosimError::file("list", folder))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".cpp")).collect();
    names.sort();
    Ok(names)
}

/// The requests of a Verilated program.
pub struct Binary;

impl Language for Binary {
    fn poke(requests: &mut Vec<u8>, input: usize, bits: &Int, width: u32) {
        requests.push(1);
        requests.extend((input as u32).to_le_bytes());
        let digits = bits.iter_u32_digits().chain(std::iter::repeat(0));
        requests.extend(digits.take(width.div_ceil(32) as usize).flat_map(u32::to_le_bytes));
    }

    fn tick(requests: &mut Vec<u8>, clocks: u32) {
        requests.push(2);
        requests.extend(clocks.to_le_bytes());
    }

    fn peek(requests: &mut Vec<u8>) {
        requests.push(3);
    }

    fn answer(
        from: &mut BufReader<ChildStdout>,
        widths: &[u32],
        outputs: &mut Vec<(Int, Int)>,
    ) -> io::Result<()> {
        let mut bytes = vec![];
        for width in widths {
            bytes.resize(4 * width.div_ceil(32) as usize, 0);
            from.read_exact(&mut bytes)?;
            outputs.push((Int::from_bytes_le(Sign::Plus, &bytes), Int::ZERO));
        }
        Ok(())
    }
}
