//! Everything we can print is clean: no warning of Verilator, no latch, loop or complaint of Yosys.

use hwgen_designs::registry::designs;
use hwgen_hdl::Module;
use hwgen_hdl::lib::catalogue;
use hwgen_hdl::verilog::Origin;
use hwgen_verify::cosim::verilator_lint;
use hwgen_verify::cosim::yosys::{Synthesis, netlist, yosys_check_all};
use std::sync::{Arc, Mutex};

/// Modules checked in one process of Yosys: enough to spread its start, few enough to share work.
const BATCH: usize = 12;

/// Runs a check over batches on two threads; the complaints.
fn complaints(
    modules: &[Arc<Module>],
    check: impl Fn(&[Arc<Module>]) -> Vec<String> + Sync,
) -> Vec<String> {
    let (batches, found) = (Mutex::new(modules.chunks(BATCH)), Mutex::new(vec![]));
    let work = || {
        loop {
            let batch = batches.lock().unwrap().next();
            let Some(batch) = batch else { return };
            let texts = check(batch);
            found.lock().unwrap().extend(texts);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    found.into_inner().unwrap()
}

fn assert_clean(modules: &[Arc<Module>]) {
    let linted = complaints(modules, |batch| {
        let results = batch.iter().map(verilator_lint);
        results.filter_map(|result| result.err().map(|error| error.to_string())).collect()
    });
    let checked = complaints(modules, |batch| {
        let results = yosys_check_all(batch).into_iter();
        let results = results.map(|report| report.and_then(|report| report.assert_clean()));
        results.filter_map(|result| result.err().map(|error| error.to_string())).collect()
    });
    let found = [linted, checked].concat();
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n\n"));
    println!("{} modules are clean", modules.len());
}

#[test]
fn components_are_clean() {
    let samples = catalogue();
    let modules: Vec<_> = samples.iter().map(|sample| sample.module.clone()).collect();
    assert!(modules.len() > 30, "the catalogue lost its samples");
    assert_clean(&modules);
}

#[test]
fn designs_are_clean() {
    let mut modules = vec![];
    for design in designs() {
        let sizes = design.sizes().into_iter();
        modules.extend(sizes.map(|size| design.configure(None, &size).unwrap().build()));
    }
    assert_clean(&modules);
}

/// The sizes people get who set nothing. Verilator only: Yosys takes longer.
#[test]
fn default_designs_pass_the_linter() {
    for design in designs() {
        let module = design.configure(None, &[]).unwrap().build();
        verilator_lint(&module).unwrap_or_else(|error| panic!("{}: {error}", design.name()));
    }
}

/// People read texts side by side, and look up what they note.
#[test]
fn lines_fit_and_note_who_asked() {
    for design in designs() {
        let text = design.configure(None, &[]).unwrap().build().verilog().unwrap();
        let long = text.lines().enumerate().find(|(_, line)| line.len() > 120);
        assert_eq!(long, None, "{}", design.name());
        // neither the language nor the circuits that designs share
        let helper = |line: &&str| line.contains("// build/") || line.contains("// wiring.rs");
        assert_eq!(text.lines().find(helper), None, "{}", design.name());
    }
}

#[test]
#[ignore = "minutes: `cargo xtask bars synthesis`"]
fn default_designs_are_clean() {
    for design in designs() {
        let module = design.configure(None, &[]).unwrap().build();
        let start = std::time::Instant::now();
        // mapped to gates, too, which the lint of small sizes leaves out
        netlist(&module, Synthesis::Gates)
            .unwrap_or_else(|error| panic!("{}: {error}", design.name()));
        assert_clean(&[module]);
        let seconds = start.elapsed().as_secs_f64();
        println!("{}: default size synthesized and clean in {seconds:.0} s", design.name());
    }
    println!("synthesis: {} designs clean at their default size", designs().len());
}

#[test]
fn every_design_is_checked_in_three_sizes() {
    for design in designs() {
        let sizes = design.sizes().len();
        assert!(sizes >= 3, "`{}` has {sizes} sizes for tests to walk", design.name());
    }
}

/// Nets say what they carry: of no size of a design 5 % or more are called after an operator, since
/// nobody named them, nor what they are part of. `SHOW_NETS=1` lists those, with the lines that made
/// them.
#[test]
fn nets_are_named_by_somebody() {
    let mut worst: f64 = 0.0;
    for design in designs() {
        let sizes = std::iter::once(vec![]).chain(design.sizes());
        let parts: Vec<_> = sizes
            .map(|size| nameless_part(&design.configure(None, &size).unwrap().build()))
            .collect();
        let told: Vec<_> = parts.iter().map(|part| format!("{part:.1} %")).collect();
        println!("{}: {}", design.name(), told.join(", "));
        worst = parts.into_iter().fold(worst, f64::max);
    }
    println!("names: {worst:.2} % in the worst size of a design");
    assert!(worst < 5.0);
}

/// Percent of the nets of a module and all inside that nobody named.
fn nameless_part(top: &Arc<Module>) -> f64 {
    let (mut inside, mut seen) = (vec![top.clone()], vec![]);
    let (mut nameless, mut all) = (0, 0);
    while let Some(module) = inside.pop() {
        if seen.contains(&module.name) {
            continue;
        }
        seen.push(module.name.clone());
        inside.extend(module.instances.iter().map(|instance| instance.module.clone()));
        let nets = module.nets();
        all += nets.len();
        for net in nets.iter().filter(|net| net.origin == Origin::Operator) {
            nameless += 1;
            if std::env::var_os("SHOW_NETS").is_some() {
                println!("{} {} {}", module.name, net.name, net.place);
            }
        }
    }
    100.0 * f64::from(nameless) / all as f64
}
