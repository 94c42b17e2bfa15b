//! Each leaf in rust-hdl's simulation, Icarus and Verilator: equal outputs in every cycle.

mod common;
mod leaf_cases;

use common::{Case, icarus, lint, run, verilator};
use hwgen_hdl::sim::Engine;
use leaf_cases::{assert_equal, leaf_cases};

fn check(engine: &str, run: fn(&[Case]) -> Vec<common::Trace>) {
    let cases = leaf_cases();
    for (case, got) in cases.iter().zip(run(&cases)) {
        let expected = case.ours(Engine::Interpreter);
        assert_equal(case, engine, &expected, &got);
        let mut distinct = expected.clone();
        distinct.sort();
        distinct.dedup();
        let (name, cycles) = (&case.module.name, expected.len());
        println!("{name:42} {cycles:5} cycles equal, {:5} distinct rows", distinct.len());
    }
}

#[test]
fn leaves_equal_their_verilog_in_icarus() {
    check("Icarus", icarus);
}

#[test]
fn leaves_equal_their_verilog_in_verilator() {
    check("Verilator", verilator);
}

#[test]
fn leaves_pass_lint_with_all_warnings_on() {
    leaf_cases().iter().for_each(|case| lint(&case.module));
}

#[test]
fn leaves_synthesize_without_latches_or_loops() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = String::new();
    for case in leaf_cases() {
        let name = &case.module.name;
        std::fs::write(dir.path().join(format!("{name}.v")), case.module.verilog().unwrap())
            .unwrap();
        script += &format!(
            "design -reset; read_verilog {name}.v; hierarchy -top {name}; proc; flatten; opt; \
             select -assert-none t:$dlatch; check -assert\n"
        );
    }
    std::fs::write(dir.path().join("check.ys"), script).unwrap();
    run(dir.path(), "yosys", &["-q", "check.ys"]);
}
