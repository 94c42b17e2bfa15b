//! Designs on random inputs, which keep no rule: every engine does the same, and no `valid` and no `ready`
//! depends on what nothing has set.

use hwgen_designs::registry;
use hwgen_verify::check::{Plan, Progress, check};
use hwgen_verify::cosim::{Comparison, Engine, compare};

/// Half of what is loaded is no whole program, and it is started all the same.
#[test]
fn a_core_without_a_program_awaits_one() {
    let design = registry::find("cnn").unwrap();
    let set = ["lanes=4", "results=2", "activation_words=64", "weight_rows=64", "jobs=4"];
    let set: Vec<String> = set.iter().map(|set| set.to_string()).collect();
    let module = design.configure(None, &set).unwrap().build();
    let mut wrong = vec![];
    for seed in 1..=12 {
        let engines = [Engine::Interpreter, Engine::Icarus];
        let comparison = Comparison { seed, shadows: 1, ..Comparison::new("cnn", &engines) };
        wrong.extend(compare(&module, &comparison).unwrap().first.map(|first| first.to_string()));
    }
    assert!(wrong.is_empty(), "{} of 12 seeds:\n{}", wrong.len(), wrong.join("\n"));
}

/// As `hwgen verify` does it, all designs as they are and on many seeds.
#[test]
#[ignore = "minutes: `cargo xtask bars lockstep`"]
fn every_design_on_every_seed() {
    let (mut passed, mut wrong) = (0, vec![]);
    for design in registry::designs() {
        let configured = design.configure(None, &[]).unwrap();
        let module = configured.build();
        for seed in 1..=12 {
            let engines = vec![Engine::Jit, Engine::Icarus];
            let plan = Plan { command: design.name().into(), engines, cycles: 200, seed };
            let tell = |progress: Progress<'_>| {
                let Progress::Done(check) = progress else { return };
                passed += u64::from(check.failure.is_none());
                wrong.extend(check.failure.clone());
            };
            check(&module, configured.golden(), &plan, tell).unwrap();
        }
        println!("{}: {passed} checks passed, {} failed", design.name(), wrong.len());
    }
    println!("lockstep: {passed}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
