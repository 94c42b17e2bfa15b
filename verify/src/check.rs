//! One design checked whole: each engine against the golden model, then all engines in lockstep.
//!
//! A check that fails says the command that repeats it.

pub mod axi;
mod axi_layer;
mod cnn;
mod fact;
mod feed_forward;
mod layer;
mod linear;
mod listen;
mod mfcc;
mod predictor;
mod sanger;
mod spatten_attention;
mod spatten_tokens;

use crate::cosim::{Comparison, CosimError, Engine, compare, survive};
use crate::drive::{Values, attend, lapa, mac_array};
use hwgen_designs::accelerator::{AcceleratorSpec, FactAttentionSpec, SangerAttentionSpec};
use hwgen_designs::attend::AttendSpec;
use hwgen_designs::axi::{LapaAxiSpec, LapaLayerAxiSpec};
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::fact::FactSpec;
use hwgen_designs::lapa::LapaSpec;
use hwgen_designs::layer::LayerSpec;
use hwgen_designs::linear::{FeedForwardSpec, ImportanceSpec, LinearSpec, LogLinearSpec};
use hwgen_designs::listen::ListenSpec;
use hwgen_designs::mac_array::MacArraySpec;
use hwgen_designs::mfcc::MfccSpec;
use hwgen_designs::sanger::SangerSpec;
use hwgen_designs::spatten::{SpattenSpec, TokensSpec};
use hwgen_hdl::Module;
use hwgen_hdl::sim::{self, Device, Initial, SimOptions, Simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::sync::Arc;

/// What is checked, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the design is named on the command line: `lapa --set rows=8`.
    pub command: String,
    /// Who runs it; the first is the reference of the lockstep.
    pub engines: Vec<Engine>,
    /// The least cycles each engine runs against the golden model, and the cycles in lockstep.
    pub cycles: u64,
    /// What all vectors are made from.
    pub seed: u64,
}

/// The outcome of one check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What should be equal: `golden = icarus`, `interpreter = jit = icarus`.
    pub name: String,
    /// Cycles run.
    pub cycles: u64,
    /// Values compared.
    pub compared: u64,
    /// What differed, and the command that repeats it.
    pub failure: Option<String>,
}

/// What there is to tell while checks run.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'c> {
    /// A check of this name begins; building a simulation may take minutes.
    Begins(&'c str),
    /// A check has ended.
    Done(&'c Check),
}

/// Vectors for a design, and the golden model's answers.
///
/// A batch starts with a reset, wherever the batch before it ended.
pub trait Golden {
    /// Runs the batch of that seed on a device.
    ///
    /// # Errors
    /// The first value that differs, in words.
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String>;
}

/// A batch that came out right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Cycles it took.
    pub cycles: u64,
    /// Values compared.
    pub compared: u64,
}

/// The golden model of the registry's design of that name, sized by a complete specification in
/// JSON; `None` if there is no model.
pub fn golden(design: &str, spec: &str) -> Option<Box<dyn Golden>> {
    Some(match design {
        "attend" => Box::new(serde_json::from_str::<AttendSpec>(spec).ok()?),
        "cnn" => Box::new(serde_json::from_str::<CnnSpec>(spec).ok()?),
        "fact_attention" => Box::new(serde_json::from_str::<FactAttentionSpec>(spec).ok()?),
        "fact_predictor" => Box::new(serde_json::from_str::<FactSpec>(spec).ok()?),
        "feed_forward" => Box::new(serde_json::from_str::<FeedForwardSpec>(spec).ok()?),
        "importance" => Box::new(serde_json::from_str::<ImportanceSpec>(spec).ok()?),
        "lapa_attention" => Box::new(serde_json::from_str::<AcceleratorSpec>(spec).ok()?),
        "lapa_attention_axi" => Box::new(serde_json::from_str::<LapaAxiSpec>(spec).ok()?),
        "lapa" => Box::new(serde_json::from_str::<LayerSpec>(spec).ok()?),
        "lapa_axi" => Box::new(serde_json::from_str::<LapaLayerAxiSpec>(spec).ok()?),
        "lapa_predictor" => Box::new(serde_json::from_str::<LapaSpec>(spec).ok()?),
        "linear" => Box::new(serde_json::from_str::<LinearSpec>(spec).ok()?),
        "listen" => Box::new(serde_json::from_str::<ListenSpec>(spec).ok()?),
        "log_linear" => Box::new(serde_json::from_str::<LogLinearSpec>(spec).ok()?),
        "mac_array" => Box::new(serde_json::from_str::<MacArraySpec>(spec).ok()?),
        "mfcc" => Box::new(serde_json::from_str::<MfccSpec>(spec).ok()?),
        "sanger_attention" => Box::new(serde_json::from_str::<SangerAttentionSpec>(spec).ok()?),
        "sanger_predictor" => Box::new(serde_json::from_str::<SangerSpec>(spec).ok()?),
        "spatten_attention" => Box::new(serde_json::from_str::<SpattenSpec>(spec).ok()?),
        "spatten_tokens" => Box::new(serde_json::from_str::<TokensSpec>(spec).ok()?),
        _ => return None,
    })
}

/// Runs every check, telling of each, and returns whether all passed.
///
/// # Errors
/// An engine that cannot be had, or that died.
pub fn check(
    module: &Arc<Module>,
    golden: Option<&dyn Golden>,
    plan: &Plan,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<bool, CosimError> {
    let mut passed = true;
    let mut note = |check: Check, tell: &mut dyn FnMut(Progress<'_>)| {
        passed &= check.failure.is_none();
        tell(Progress::Done(&check));
    };
    for &engine in &plan.engines {
        if let Some(golden) = golden {
            tell(Progress::Begins(&golden_name(engine)));
            note(survive(|| against_golden(module, golden, engine, plan))?, &mut tell);
        }
    }
    if plan.engines.len() > 1 {
        let names: Vec<_> = plan.engines.iter().map(|engine| engine.name()).collect();
        tell(Progress::Begins(&names.join(" = ")));
        note(survive(|| lockstep(module, plan))?, &mut tell);
    }
    Ok(passed)
}

fn golden_name(engine: Engine) -> String {
    format!("golden = {engine}")
}

fn lockstep(module: &Arc<Module>, plan: &Plan) -> Result<Check, CosimError> {
    let comparison = Comparison {
        cycles: plan.cycles,
        seed: plan.seed,
        ..Comparison::new(&plan.command, &plan.engines)
    };
    let report = compare(module, &comparison)?;
    Ok(Check {
        name: report.engines.join(" = "),
        cycles: report.cycles,
        compared: report.checks,
        failure: report.first.map(|first| first.to_string()),
    })
}

fn against_golden(
    module: &Arc<Module>,
    golden: &dyn Golden,
    engine: Engine,
    plan: &Plan,
) -> Result<Check, CosimError> {
    let initial = Initial::Random(plan.seed);
    let ours = match engine {
        Engine::Interpreter => Some(sim::Engine::Interpreter),
        Engine::Jit => Some(sim::Engine::Jit),
        _ => None,
    };
    let mut check = Check { name: golden_name(engine), cycles: 0, compared: 0, failure: None };
    let Some(ours) = ours else {
        run_batches(&mut *engine.open(module, initial)?, golden, engine, plan, &mut check);
        return Ok(check);
    };
    // golden vectors keep every promise, so ours watch them
    let options =
        SimOptions { engine: ours, initial, collect_violations: true, ..SimOptions::default() };
    let mut simulator = Simulator::try_with_options(module, options)?;
    run_batches(&mut simulator, golden, engine, plan, &mut check);
    if let Some(violation) = simulator.violations().first() {
        let command = rerun(plan, engine, plan.seed, plan.cycles);
        check.failure.get_or_insert(format!("{command}\n  {violation}"));
    }
    Ok(check)
}

fn run_batches(
    device: &mut dyn Device,
    golden: &dyn Golden,
    engine: Engine,
    plan: &Plan,
    check: &mut Check,
) {
    for seed in plan.seed.. {
        match golden.batch(device, seed) {
            Ok(batch) => {
                check.cycles += batch.cycles;
                check.compared += batch.compared;
            }
            Err(difference) => {
                check.failure = Some(format!("{}\n  {difference}", rerun(plan, engine, seed, 1)));
            }
        }
        if check.failure.is_some() || check.cycles >= plan.cycles {
            return;
        }
    }
}

/// The command that repeats a batch on one engine.
fn rerun(plan: &Plan, engine: Engine, seed: u64, cycles: u64) -> String {
    let design = &plan.command;
    format!("hwgen verify --design {design} --seed {seed} --engines {engine} --cycles {cycles}")
}

impl Golden for LapaSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // two heads, the second without a reset; few groups, so that rows follow closely
        let most = self.max_keys.min(3 * self.rows) as usize;
        let heads: Vec<_> = (0..2)
            .map(|_| {
                let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=4));
                let values = [Values::Uniform, Values::Corner, Values::Small];
                let values = values[rng.random_range(0..3)];
                lapa::Head::random(self, &mut rng, keys, rows, values)
            })
            .collect();
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let stalls = lapa::Stalls { keys: stall(), queries: stall(), out: stall(), seed };
        let expected: Result<Vec<_>, _> = heads.iter().map(|head| head.expected(self)).collect();
        let expected = expected.map_err(|error| error.to_string())?.concat();
        let run = lapa::run(device, self, &heads, stalls, expected.len());
        let run = run.map_err(|error| error.to_string())?;
        compare_lists("group", &run.groups, &expected)?;
        Ok(Batch {
            cycles: run.cycles.last().map_or(0, |last| last + 1),
            // survivors, row_last and the scores
            compared: expected.len() as u64 * u64::from(self.rows + 2),
        })
    }
}

impl Golden for AcceleratorSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        predictor::engine_batch(self, device, seed)
    }
}

impl Golden for AttendSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let most = self.max_keys.min(3 * self.rows) as usize;
        let heads: Vec<_> = (0..2)
            .map(|_| {
                let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=6));
                let values = [Values::Uniform, Values::Corner, Values::Small];
                let values = values[rng.random_range(0..3)];
                attend::Head::random(self, &mut rng, keys, rows, values)
            })
            .collect();
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let (keys, queries, survivors, out) = (stall(), stall(), stall(), stall());
        let stalls = attend::Stalls { keys, queries, survivors, out, seed };
        let expected: Result<Vec<_>, _> = heads.iter().map(|head| head.expected(self)).collect();
        let expected = expected.map_err(|error| error.to_string())?.concat();
        let run = attend::run(device, self, &heads, stalls, expected.len());
        let run = run.map_err(|error| error.to_string())?;
        compare_lists("row", &run.rows, &expected)?;
        Ok(Batch {
            cycles: run.cycles.last().map_or(0, |last| last + 1),
            compared: expected.len() as u64 * u64::from(self.head_dim),
        })
    }
}

impl Golden for MacArraySpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let job = mac_array::Job::random(self, &mut rng, 20);
        let expected = job.expected();
        let (sums, cycles) = mac_array::run(device, self, &job);
        compare_lists("vector of sums", &sums, &expected)?;
        let compared = expected.len() as u64 * u64::from(self.columns);
        Ok(Batch { cycles, compared })
    }
}

fn compare_lists<T: PartialEq + std::fmt::Debug>(
    what: &str,
    seen: &[T],
    golden: &[T],
) -> Result<(), String> {
    let differs = seen.iter().zip(golden).position(|(seen, golden)| seen != golden);
    if let Some(n) = differs {
        return Err(format!("{what} {n}: {:?}, golden {:?}", seen[n], golden[n]));
    }
    if seen.len() != golden.len() {
        return Err(format!("{} times {what}, golden {}", seen.len(), golden.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hwgen_designs::registry;

    fn plan(engines: &[Engine]) -> Plan {
        Plan { command: "mac_array".into(), engines: engines.to_vec(), cycles: 100, seed: 1 }
    }

    fn run(set: &[&str], golden_set: &[&str]) -> (bool, Vec<Check>) {
        let design = registry::find("mac_array").unwrap();
        let configure = |set: &[&str]| {
            let set: Vec<_> = set.iter().map(|s| s.to_string()).collect();
            design.configure(None, &set).unwrap()
        };
        let model = golden("mac_array", &configure(golden_set).json()).unwrap();
        let module = configure(set).build();
        let mut checks = vec![];
        let engines = [Engine::Interpreter, Engine::Jit];
        let passed = check(&module, Some(&*model), &plan(&engines), |progress| {
            if let Progress::Done(check) = progress {
                checks.push(check.clone());
            }
        });
        (passed.unwrap(), checks)
    }

    #[test]
    fn every_design_has_a_golden_model() {
        for design in registry::designs() {
            assert!(golden(design.name(), &design.default_spec()).is_some(), "{}", design.name());
        }
    }

    #[test]
    fn a_right_design_passes() {
        let (passed, checks) = run(&["rows=3", "columns=2"], &["rows=3", "columns=2"]);
        assert!(passed, "{checks:?}");
        let names: Vec<_> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["golden = interpreter", "golden = jit", "interpreter = jit"]);
        assert!(checks.iter().all(|check| check.cycles >= 100 && check.compared > 0));
    }

    #[test]
    fn a_wrong_model_fails_with_the_command_that_shows_it() {
        // sums read as if they were of another width
        let wrong = ["rows=2", "columns=2", "accumulator_bits=20"];
        let (passed, checks) = run(&["rows=2", "columns=2", "accumulator_bits=32"], &wrong);
        assert!(!passed);
        let failure = checks[0].failure.as_ref().unwrap();
        let command = "hwgen verify --design mac_array --seed 1 --engines interpreter --cycles 1\n";
        assert!(failure.starts_with(command), "{failure}");
        assert!(failure.contains("golden ["), "{failure}");
    }
}
