//! The leaves under test, of sizes at the ends of each table and odd ones between, and their
//! vectors.

#![allow(dead_code, reason = "each test binary uses the part it needs")]

use crate::common::{Case, Trace, any_bits, chance, columns};
use hwgen_hdl::netlist::Port;
use hwgen_hdl::{Int, Module};
use hwgen_rust_hdl::leaves::{Edge, bit_synchronizer, edge_detector, spi_master, synchronous_fifo};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rust_hdl::prelude::SPIConfig;
use std::sync::Arc;

const CYCLES: usize = 2_500;
/// A transfer of 32 bits takes about 300 cycles.
const SPI_CYCLES: usize = 8_000;

pub(crate) fn leaf_cases() -> Vec<Case> {
    let fifos = [2, 13, 32]
        .map(|width| Case::new(synchronous_fifo(width).unwrap(), CYCLES, fifo_vectors()));
    let rows = [1, 2, 13, 32].map(|lanes| {
        [bit_synchronizer(lanes), edge_detector(lanes, Edge::Rising)].map(Result::unwrap)
    });
    let falling = [1, 13].map(|lanes| edge_detector(lanes, Edge::Falling).unwrap());
    let random = rows.into_iter().flatten().chain(falling);
    let spis = [(2, 0), (8, 1), (13, 2), (32, 3)].map(|(width, mode)| spi(width, mode));
    fifos
        .into_iter()
        .chain(random.map(|leaf| Case::new(leaf, CYCLES, any_bits)))
        .chain(spis)
        .collect()
}

/// Phases of mostly writing and mostly reading, so that a FIFO runs both full and empty.
pub(crate) fn fifo_vectors() -> impl FnMut(&Port, &mut ChaCha8Rng) -> Int {
    let mut draws = 0;
    move |port, rng| {
        draws += 1;
        let likely = |wanted: bool| {
            if (draws / 150) % 2 == u32::from(wanted) { 0.8 } else { 0.3 }
        };
        match &*port.name {
            "write" => chance(rng, likely(false)),
            "read" => chance(rng, likely(true)),
            _ => any_bits(port, rng),
        }
    }
}

/// An SPI master as fast as it can be; bit 0 of `mode` is the phase, bit 1 the polarity.
pub(crate) fn spi_leaf(width: u32, mode: u8) -> Arc<Module> {
    let config = SPIConfig {
        clock_speed: 48_000_000,
        speed_hz: 4_000_000,
        cs_off: true,
        mosi_off: false,
        cpha: mode & 1 == 1,
        cpol: mode & 2 == 2,
    };
    spi_master(width, config).unwrap()
}

fn spi(width: u32, mode: u8) -> Case {
    Case::new(spi_leaf(width, mode), SPI_CYCLES, move |port, rng| match &*port.name {
        "bits_outbound" => rng.random_range(0..=width).into(),
        "start_send" => chance(rng, 0.2),
        _ => any_bits(port, rng),
    })
}

/// Compares every output of every cycle, save a FIFO's `data_out` while it is `empty`: its memory
/// starts undefined in Verilog and as zero in rust-hdl.
pub(crate) fn assert_equal(case: &Case, engine: &str, expected: &Trace, got: &Trace) {
    let module = &case.module;
    assert_eq!(expected.len(), got.len(), "{}: cycles", module.name);
    for (cycle, (expected, got)) in expected.iter().zip(got).enumerate() {
        let empty = columns(module, expected).any(|column| column == ("empty", "1"));
        for (want, have) in columns(module, expected).zip(columns(module, got)) {
            let unread = empty && want.0 == "data_out";
            let (name, vector) = (&module.name, &case.vectors[cycle]);
            assert!(
                want == have || unread,
                "{name} cycle {cycle}, inputs {vector:x?}: rust-hdl {want:?}, {engine} {have:?}"
            );
        }
    }
}
