//! Why datapaths are not written in rust-hdl: kernels whose Verilog is not what it simulates.
//!
//! Each kernel runs on the same random vectors in rust-hdl and, as Verilog, in Icarus. The
//! known-bad ones must still differ, so that we learn of the day rust-hdl is mended; those named
//! `ok_..` show what can be relied upon. `docs/rationale/rust-hdl.md` shows the table:
//! `cargo test -p hwgen-rust-hdl --test mismatch_kernels -- --nocapture`.

mod common;
mod kernels;

use common::{Case, any_bits, columns, icarus, try_icarus};
use hwgen_hdl::Module;
use hwgen_hdl::sim::Engine;
use hwgen_rust_hdl::LeafBuilder;
use kernels::{Arithmetic, Constants, PartOfSum, Precedence, Widths, source};
use rust_hdl::prelude::*;
use std::process::Command;
use std::sync::Arc;

const VECTORS: usize = 2_000;

fn comparable_leaves() -> Vec<Arc<Module>> {
    let leaves = [
        LeafBuilder::new("precedence", Precedence::default)
            .input(|block| &mut block.a)
            .input(|block| &mut block.b)
            .input(|block| &mut block.c)
            .build(),
        LeafBuilder::new("widths", Widths::default)
            .input(|block| &mut block.a)
            .input(|block| &mut block.b)
            .input(|block| &mut block.n)
            .build(),
        LeafBuilder::new("arithmetic", Arithmetic::default)
            .input(|block| &mut block.x)
            .input(|block| &mut block.y)
            .input(|block| &mut block.z)
            .input(|block| &mut block.wide)
            .input(|block| &mut block.a)
            .input(|block| &mut block.b)
            .build(),
        LeafBuilder::new("constants", Constants::default)
            .input(|block| &mut block.a)
            .input(|block| &mut block.b)
            .input(|block| &mut block.x)
            .build(),
    ];
    leaves.into_iter().map(Result::unwrap).collect()
}

fn rejected_leaf() -> Arc<Module> {
    LeafBuilder::new("part_of_sum", PartOfSum::default)
        .input(|block| &mut block.a)
        .input(|block| &mut block.b)
        .build()
        .unwrap()
}

/// Per output, the number of vectors on which the Verilog says something else.
fn differences(case: &Case) -> Vec<(String, usize)> {
    let got = icarus(std::slice::from_ref(case)).remove(0);
    let outputs = case.module.outputs.iter();
    let mut counts: Vec<_> = outputs.map(|port| (port.name.to_string(), 0)).collect();
    for (expected, got) in case.ours(Engine::Interpreter).iter().zip(&got) {
        let columns = columns(&case.module, expected).zip(columns(&case.module, got));
        for (count, (expected, got)) in counts.iter_mut().zip(columns) {
            count.1 += usize::from(expected != got);
        }
    }
    counts
}

/// What `examine` found about one kernel: its name, and on how many vectors it differs, if it
/// compiles at all.
type Finding = (String, Option<usize>);

fn examine() -> Vec<Finding> {
    let mut findings = Vec::new();
    for leaf in comparable_leaves() {
        let counts = differences(&Case::new(leaf, VECTORS, any_bits)).into_iter();
        findings.extend(counts.map(|(name, count)| (name, Some(count))));
    }
    let case = Case::new(rejected_leaf(), VECTORS, any_bits);
    let name = case.module.outputs[0].name.to_string();
    findings.push((name, try_icarus(std::slice::from_ref(&case)).ok().map(|_| 0)));
    findings
}

#[test]
fn known_bad_kernels_still_differ_and_the_others_agree() {
    let findings = examine();
    let mut table = String::from("| kernel | Verilog differs on |\n|---|---|\n");
    for (name, differ) in &findings {
        let differ = differ.map_or("does not compile".into(), |n| format!("{n} of {VECTORS}"));
        table += &format!("| `{}` | {differ} |\n", source(name).replace('|', "\\|"));
    }
    let is_bad = |finding: &&Finding| finding.1 != Some(0);
    let (bad, all) = (findings.iter().filter(is_bad).count(), findings.len());
    println!("{table}\n{bad} of {all} kernels print Verilog that is not what rust-hdl simulates");
    let known_bad = |finding: &&Finding| !finding.0.starts_with("ok_");
    let surprises: Vec<_> =
        findings.iter().filter(|finding| known_bad(finding) != is_bad(finding)).collect();
    assert!(surprises.is_empty(), "no longer as known: {surprises:?}");
}

/// rust-hdl's stock filter multiplies inside `signed_bit_cast`, where Verilog keeps 16 bits of 32.
#[test]
fn the_stock_fir_filter_still_differs() {
    const PERIOD: usize = 20;
    let coefficients = [1_200, -2_300, 3_400, -2_300, 1_200];
    let leaf = LeafBuilder::new("fir", move || {
        MultiplyAccumulateSymmetricFiniteImpulseResponseFilter::<3>::new(&coefficients)
    })
    .input(|block| &mut block.data_in)
    .input(|block| &mut block.strobe_in)
    .input(|block| &mut block.clock)
    .build()
    .unwrap();
    let mut cycle = 0;
    let case = Case::new(leaf, VECTORS, |port, rng| match &*port.name {
        "strobe_in" => {
            cycle += 1;
            u8::from(cycle % PERIOD == 1).into()
        }
        _ => any_bits(port, rng),
    });
    let got = icarus(std::slice::from_ref(&case)).remove(0);
    let (mut samples, mut wrong) = (0, 0);
    for (expected, got) in case.ours(Engine::Interpreter).iter().zip(&got) {
        if columns(&case.module, expected).any(|column| column == ("strobe_out", "1")) {
            samples += 1;
            wrong += usize::from(expected != got);
        }
    }
    println!("stock 5-tap FIR filter: {wrong} of {samples} outputs differ");
    assert!(samples > 90 && wrong > 0, "{wrong} of {samples}");
}

/// Widening the smallest number recurses until the stack is gone, so it needs its own process.
#[test]
fn widening_the_smallest_number_still_aborts() {
    let this_test_binary = std::env::current_exe().unwrap();
    let widen = |x: &str| {
        let arguments = ["--exact", "widen_in_own_process", "--ignored", "--nocapture"];
        let mut run = Command::new(&this_test_binary);
        run.args(arguments).env("WIDEN", x).output().unwrap().status
    };
    assert!(widen("-127").success());
    assert!(!widen("-128").success(), "rust-hdl is mended: signed_bit_cast(-128) returns");
}

#[test]
#[ignore = "the other half of widening_the_smallest_number_still_aborts"]
fn widen_in_own_process() {
    let x: i64 = std::env::var("WIDEN").unwrap().parse().unwrap();
    assert_eq!(signed_bit_cast::<16, 8>(Signed::from(x)).bigint(), x.into());
}
