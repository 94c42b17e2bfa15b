//! Each leaf in rust-hdl's simulation, Icarus and Verilator: equal outputs in every cycle.

mod common;

use common::{Case, Trace, any_bits, columns, icarus, lint, verilator};
use hwgen_rust_hdl::{Leaf, Port, leaves};
use leaves::{Edge, bit_synchronizer, edge_detector, spi_master, synchronous_fifo};
use num_bigint::BigUint;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::SPIConfig;

const CYCLES: usize = 2_500;
/// A transfer of 32 bits takes about 300 cycles.
const SPI_CYCLES: usize = 8_000;

fn fifo(width: u32, depth: u32) -> Case {
    // Phases of mostly writing and mostly reading, so that it runs both full and empty.
    let mut cycle = 0;
    Case::new(
        synchronous_fifo(width, depth).unwrap(),
        CYCLES,
        move |port, rng| {
            cycle += 1;
            let filling = (cycle / 150) % 2 == 0;
            let likely = |yes: bool| if yes { 0.8 } else { 0.3 };
            match port.name.as_str() {
                "write" => u32::from(rng.random_bool(likely(filling))).into(),
                "read" => u32::from(rng.random_bool(likely(!filling))).into(),
                _ => any_bits(port, rng),
            }
        },
    )
}

fn spi(width: u32, mode: u8) -> Case {
    let config = SPIConfig {
        clock_speed: 48_000_000,
        speed_hz: 4_000_000,
        cs_off: true,
        mosi_off: false,
        cpha: mode & 1 == 1,
        cpol: mode & 2 == 2,
    };
    Case::new(
        spi_master(width, config).unwrap(),
        SPI_CYCLES,
        move |port, rng| match port.name.as_str() {
            "bits_outbound" => rng.random_range(0..=width).into(),
            "start_send" => u32::from(rng.random_bool(0.2)).into(),
            _ => any_bits(port, rng),
        },
    )
}

fn random(leaf: Leaf) -> Case {
    Case::new(
        leaf,
        CYCLES,
        |port: &Port, rng: &mut ChaCha8Rng| -> BigUint { any_bits(port, rng) },
    )
}

/// The sizes at the ends of each table, and odd ones between.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for width in [2, 13, 32] {
        cases.extend([4, 16].map(|depth| fifo(width, depth)));
    }
    for lanes in [1, 2, 13, 32] {
        cases.push(random(bit_synchronizer(lanes).unwrap()));
        cases.push(random(edge_detector(lanes, Edge::Rising).unwrap()));
    }
    cases.push(random(edge_detector(1, Edge::Falling).unwrap()));
    cases.push(random(edge_detector(13, Edge::Falling).unwrap()));
    cases.extend([(2, 0), (8, 1), (13, 2), (32, 3)].map(|(width, mode)| spi(width, mode)));
    cases
}

/// Compares every output of every cycle, save a FIFO's `data_out` while it is `empty`: its memory
/// starts undefined in Verilog and as zero in rust-hdl.
fn assert_equal(case: &Case, engine: &str, expected: &Trace, got: &Trace) {
    assert_eq!(expected.len(), got.len(), "{}: cycles", case.leaf.name());
    for (cycle, (expected, got)) in expected.iter().zip(got).enumerate() {
        let empty = columns(&case.leaf, expected).any(|column| column == ("empty", "1"));
        for (want, have) in columns(&case.leaf, expected).zip(columns(&case.leaf, got)) {
            let unread = empty && want.0 == "data_out";
            let (name, vector) = (case.leaf.name(), &case.vectors[cycle]);
            assert!(
                want == have || unread,
                "{name} cycle {cycle}, inputs {vector:x?}: rust-hdl {want:?}, {engine} {have:?}"
            );
        }
    }
}

fn check(engine: &str, run: fn(&[Case]) -> Vec<Trace>) {
    let cases = cases();
    for (case, got) in cases.iter().zip(run(&cases)) {
        let expected = case.rust_hdl();
        assert_equal(case, engine, &expected, &got);
        let mut distinct = expected.clone();
        distinct.sort();
        distinct.dedup();
        let (name, cycles) = (case.leaf.name(), expected.len());
        println!(
            "{name:34} {cycles:5} cycles equal, {:5} distinct rows",
            distinct.len()
        );
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
    cases().iter().for_each(|case| lint(&case.leaf));
}

#[test]
fn leaves_synthesise_without_latches_or_loops() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = String::new();
    for case in cases() {
        let name = case.leaf.name();
        std::fs::write(dir.path().join(format!("{name}.v")), case.leaf.verilog()).unwrap();
        script += &format!(
            "design -reset; read_verilog {name}.v; hierarchy -top {name}; proc; flatten; opt; \
             select -assert-none t:$dlatch; check -assert\n"
        );
    }
    std::fs::write(dir.path().join("check.ys"), script).unwrap();
    common::run(dir.path(), "yosys", &["-q", "check.ys"]);
}
