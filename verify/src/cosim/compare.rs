//! Engines in lockstep: one stimulus, every output compared in every cycle.
//!
//! The first engine is the reference. Engines that start from the same zeros must agree with it in
//! every bit. The others need not where the design itself does not say what a bit is: where
//! Icarus shows it as unknown, or where copies of our engine that start from random states differ
//! ("undetermined"). Such bits are counted, never hidden, and there must be none in the `valid`
//! and `ready` of a stream once the module was reset.

use super::remote::is_known;
use super::stimulus::Random;
use super::{CosimError, Engine};
use hwgen_hdl::sim::{Device, Initial};
use hwgen_hdl::{Int, Module};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// What is compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// How the design is named on the command line: `lapa --set pe=16`.
    pub design: String,
    /// Who runs it, the reference first.
    pub engines: Vec<Engine>,
    /// For how long.
    pub cycles: u64,
    /// What the stimulus is made from.
    pub seed: u64,
    /// Cycles of the reset at the start.
    pub reset_cycles: u64,
    /// Copies started from random states, which tell what the design leaves open.
    pub shadows: u64,
}

impl Comparison {
    /// A comparison of these engines with the usual settings: 200 cycles, 2 of them in reset, 3 copies.
    pub fn new(design: impl Into<String>, engines: &[Engine]) -> Comparison {
        let (design, engines) = (design.into(), engines.to_vec());
        Comparison { design, engines, cycles: 200, seed: 1, reset_cycles: 2, shadows: 3 }
    }

    /// The command that repeats it up to a number of cycles.
    pub fn command(&self, cycles: u64) -> String {
        let engines: Vec<_> = self.engines.iter().map(|engine| engine.name()).collect();
        let (design, seed, engines) = (&self.design, self.seed, engines.join(","));
        format!(
            "hwgen verify --design {design} --seed {seed} --engines {engines} --cycles {cycles}"
        )
    }
}

/// What came out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Who ran, the reference first.
    pub engines: Vec<String>,
    /// For how long.
    pub cycles: u64,
    /// Outputs compared with the reference's.
    pub checks: u64,
    /// Of these, different ones.
    pub mismatches: u64,
    /// Bits, summed over cycles, that a four-state engine did not know.
    pub unknown_bits: u64,
    /// Of these, such as all copies from random states agreed on: unknown to Icarus alone.
    pub pessimistic_bits: u64,
    /// Known bits that were not compared, since the design leaves them open.
    pub undetermined_bits: u64,
    /// The first mismatch.
    pub first: Option<Mismatch>,
}

impl Report {
    /// An error text with the command that repeats the first mismatch, if there is one.
    pub fn assert_equal(&self) -> Result<(), &Mismatch> {
        self.first.as_ref().map_or(Ok(()), Err)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engines = self.engines.join(" = ");
        write!(f, "{engines}: {} cycles, {} checks, ", self.cycles, self.checks)?;
        write!(f, "{} mismatches, {} bits unknown ", self.mismatches, self.unknown_bits)?;
        write!(f, "({} to Icarus alone), ", self.pessimistic_bits)?;
        write!(f, "{} left open", self.undetermined_bits)?;
        self.first.as_ref().map_or(Ok(()), |first| write!(f, "\n{first}"))
    }
}

/// A difference, and how to see it again.
#[derive(Clone, Debug, thiserror::Error, Serialize)]
#[error("{command}\n  {place}: {reference}, {other}")]
pub struct Mismatch {
    /// The command that runs it again.
    pub command: String,
    /// The cycle, counted from 0, and the output; or the payload and the stream.
    pub place: String,
    /// The reference and its value in hexadecimal.
    pub reference: String,
    /// The other engine and its value in hexadecimal, `x` for digits with unknown bits.
    pub other: String,
}

/// Runs a comparison to its end or to the first cycle with a mismatch.
pub fn compare(module: &Arc<Module>, plan: &Comparison) -> Result<Report, CosimError> {
    let open = |engine: &Engine| engine.open(module, Initial::Zero);
    let devices = plan.engines.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let open_shadow = |seed| Engine::Jit.open(module, Initial::Random(seed));
    let determined = plan.engines.iter().all(|engine| engine.keeps_power_up());
    let shadows = if determined { 0 } else { plan.shadows };
    let shadows = (1..=shadows).map(open_shadow).collect::<Result<Vec<_>, _>>()?;
    Ok(Lockstep { plan, module, devices, shadows, report: Report::default() }.run())
}

struct Lockstep<'p> {
    plan: &'p Comparison,
    module: &'p Module,
    devices: Vec<Box<dyn Device>>,
    shadows: Vec<Box<dyn Device>>,
    report: Report,
}

/// A value and its unknown bits, as bit patterns.
type Pattern = (Int, Int);

impl Lockstep<'_> {
    fn run(mut self) -> Report {
        self.report.engines = self.plan.engines.iter().map(Engine::to_string).collect();
        let mut stimulus = Random::new(self.module, self.plan.seed, self.plan.reset_cycles);
        while self.report.cycles < self.plan.cycles && self.report.mismatches == 0 {
            let cycle = stimulus.next();
            for device in self.devices.iter_mut().chain(&mut self.shadows) {
                cycle.poke(device.as_mut());
            }
            for output in 0..self.module.outputs.len() {
                self.compare_output(output);
            }
            for device in self.devices.iter_mut().chain(&mut self.shadows) {
                device.tick(&cycle.clocks);
            }
            self.report.cycles += 1;
        }
        self.report
    }

    fn compare_output(&mut self, output: usize) {
        let ty = self.module.outputs[output].ty;
        let mut peek = |device: &mut Box<dyn Device>| {
            let (value, unknown) = device.peek_known(output);
            (ty.to_bits(&value), unknown)
        };
        let seen: Vec<Pattern> = self.devices.iter_mut().map(&mut peek).collect();
        let shadows: Vec<Pattern> = self.shadows.iter_mut().map(&mut peek).collect();
        let Some(reference) = seen.first() else {
            return;
        };
        let differing =
            shadows.iter().fold(Int::ZERO, |open, (bits, _)| open | (bits ^ &reference.0));
        // What the Verilog's own unknowns tell serves its gates too: Yosys may tie them to anything.
        let unset = self.plan.engines.iter().zip(&seen);
        let open = unset
            .filter(|(engine, _)| **engine == Engine::Icarus)
            .fold(differing.clone(), |open, (_, (_, unknown))| open | unknown);
        for (engine, (bits, unknown)) in self.plan.engines.iter().zip(&seen).skip(1) {
            let ignored = if engine.keeps_power_up() { Int::ZERO } else { &open | unknown };
            let known_but_ignored = &ignored - (&ignored & unknown);
            self.report.checks += 1;
            self.report.unknown_bits += count(unknown);
            self.report.pessimistic_bits += count(&(unknown - (unknown & &differing)));
            self.report.undetermined_bits += count(&known_but_ignored);
            let difference = bits ^ &reference.0;
            let same = is_known(&(&difference - (&difference & &ignored)));
            let handshake = *engine == Engine::Icarus && self.must_be_known(output);
            if !same || (handshake && !is_known(unknown)) {
                self.report.mismatches += 1;
                let other = (bits, unknown);
                let mismatch = self.mismatch(output, &reference.0, *engine, other);
                self.report.first.get_or_insert(mismatch);
            }
        }
    }

    /// Whether the output is a stream's `valid` or `ready`, after the reset.
    fn must_be_known(&self, output: usize) -> bool {
        let port = &self.module.outputs[output];
        let mut streams = self.module.streams.iter();
        let handshake =
            streams.any(|s| *port.name == s.port("valid") || *port.name == s.port("ready"));
        handshake && self.report.cycles >= self.plan.reset_cycles
    }

    fn mismatch(&self, output: usize, bits: &Int, engine: Engine, other: (&Int, &Int)) -> Mismatch {
        let (cycle, port) = (self.report.cycles, &self.module.outputs[output]);
        let width = port.ty.width;
        Mismatch {
            command: self.plan.command(cycle + 1),
            place: format!("cycle {cycle}, output `{}`", port.name),
            reference: format!("{} {}", self.plan.engines[0], hex(bits, &Int::ZERO, width)),
            other: format!("{engine} {}", hex(other.0, other.1, width)),
        }
    }
}

fn count(bits: &Int) -> u64 {
    bits.iter_u64_digits().map(|digit| u64::from(digit.count_ones())).sum()
}

/// A bit pattern in hexadecimal, all digits written, `x` where a digit has unknown bits.
pub(super) fn hex(bits: &Int, unknown: &Int, width: u32) -> String {
    let digits = width.div_ceil(4) as usize;
    let (bits, unknown) = (format!("{bits:0digits$x}"), format!("{unknown:0digits$x}"));
    let digit = |(bit, unknown)| if unknown == '0' { bit } else { 'x' };
    format!("0x{}", bits.chars().zip(unknown.chars()).map(digit).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosim::VerilatorDevice;
    use hwgen_hdl::{ModuleBuilder, fields, u};

    #[test]
    fn a_wrong_engine_is_found_at_its_first_wrong_cycle() {
        let m = ModuleBuilder::new("adder");
        m.output("sum", m.input("a", u(8)) + m.input("b", u(8)));
        let module = m.finish();
        let wrong = module.verilog().unwrap().replace("a + b", "a + b + (a == 8'hff)");
        let plan = Comparison::new("adder", &[Engine::Interpreter, Engine::Verilator]);
        let devices: Vec<Box<dyn Device>> = vec![
            Engine::Interpreter.open(&module, Initial::Zero).unwrap(),
            Box::new(VerilatorDevice::from_text(&module, &wrong).unwrap()),
        ];
        let (shadows, report) = (vec![], Report::default());
        let lockstep = Lockstep { plan: &plan, module: &module, devices, shadows, report };
        let report = lockstep.run();
        let text = report.assert_equal().unwrap_err().to_string();
        assert_eq!((report.mismatches, report.checks), (1, report.cycles));
        let command = plan.command(report.cycles);
        let cycle = report.cycles - 1;
        assert!(text.starts_with(&format!("{command}\n  cycle {cycle}, output `sum`: interp")));
        // The command shows the same again.
        assert!(command.contains(&format!("--cycles {}", cycle + 1)));
    }

    #[test]
    fn a_handshake_that_no_reset_sets_is_a_mismatch() {
        let m = ModuleBuilder::new("unset_valid");
        let input = m.stream_in("in", &fields([("data", u(4))]));
        let valid = m.reg("valid", u(1)).no_reset();
        valid.next(*valid);
        let output = hwgen_hdl::Stream::source(&m, "out", valid, input.payload.clone());
        input.ready.drive(*output.ready);
        m.stream_out("out", &output);
        m.output("other", m.reg("other", u(1)).next(1));
        let plan = Comparison::new("unset_valid", &[Engine::Interpreter, Engine::Icarus]);
        let report = compare(&m.finish(), &plan).unwrap();
        let first = report.first.unwrap();
        assert!(first.place.contains("output `out_valid`"), "{first}");
        assert_eq!((&*first.reference, &*first.other), ("interpreter 0x0", "icarus 0xx"));
    }

    #[test]
    fn patterns_show_unknown_digits() {
        assert_eq!(hex(&0x1af.into(), &Int::ZERO, 14), "0x01af");
        assert_eq!(hex(&0x1a0.into(), &0xf.into(), 12), "0x1ax");
    }

    #[test]
    fn a_mismatch_reads_as_a_command() {
        let plan =
            Comparison { seed: 7, ..Comparison::new("lapa", &[Engine::Jit, Engine::Icarus]) };
        let mismatch = Mismatch {
            command: plan.command(120),
            place: "cycle 119, output `acc`".into(),
            reference: "jit 0x1f".into(),
            other: "icarus 0x1e".into(),
        };
        assert_eq!(
            mismatch.to_string(),
            "hwgen verify --design lapa --seed 7 --engines jit,icarus --cycles 120\n  \
             cycle 119, output `acc`: jit 0x1f, icarus 0x1e"
        );
    }
}
