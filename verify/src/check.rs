//! One design checked whole: each engine against the golden model, then all engines in lockstep.
//!
//! A check that fails says the command that repeats it.

use crate::cosim::{Comparison, CosimError, Engine, compare, survive};
use hwgen_designs::golden::Golden;
use hwgen_hdl::Module;
use hwgen_hdl::sim::{self, Device, Initial, SimOptions, Simulator};
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

/// Runs every check, telling of each, and returns whether all passed.
///
/// # Errors
/// An engine that cannot be had, or that died.
pub fn check(
    module: &Arc<Module>,
    golden: &dyn Golden,
    plan: &Plan,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<bool, CosimError> {
    let mut passed = true;
    let mut note = |check: Check, tell: &mut dyn FnMut(Progress<'_>)| {
        passed &= check.failure.is_none();
        tell(Progress::Done(&check));
    };
    for &engine in &plan.engines {
        tell(Progress::Begins(&golden_name(engine)));
        note(survive(|| against_golden(module, golden, engine, plan))?, &mut tell);
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
        let model = configure(golden_set);
        let module = configure(set).build();
        let mut checks = vec![];
        let engines = [Engine::Interpreter, Engine::Jit];
        let passed = check(&module, model.golden(), &plan(&engines), |progress| {
            if let Progress::Done(check) = progress {
                checks.push(check.clone());
            }
        });
        (passed.unwrap(), checks)
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
