//! How fast the compiled engine is: a MAC array or lanes of shift-add trees, timed.
//!
//! `cargo run --release -p hwgen-hdl --example sim_speed -- mac 16 [cycles] [out.v]` prints compile time,
//! cycles per second and a checksum, and leaves the Verilog for a like-for-like race.

use hwgen_hdl::sim::{Engine, Simulator};
use hwgen_hdl::{Module, ModuleBuilder, Signal, cat, reduce, s, u};
use std::sync::Arc;
use std::time::Instant;

/// A weight-stationary array of `size` x `size` int8 MACs.
fn mac_array(size: usize) -> Arc<Module> {
    let m = ModuleBuilder::new("pe");
    let (load, x, sum) = (
        m.input("load", u(1)),
        m.input("x", s(8)),
        m.input("sum", s(32)),
    );
    let w = m.reg("w", s(8)).enable(load);
    w.next(x);
    let (x_out, sum_out) = (m.reg("x_out", s(8)), m.reg("sum_out", s(32)));
    x_out.next(x);
    sum_out.next(sum + x.mul(*w).extend(32));
    m.output("x_next", x_out);
    m.output("sum_next", sum_out);
    let pe = m.finish();
    let m = ModuleBuilder::new("mac_array");
    let load = m.input("load", u(1));
    let mut sums: Vec<Signal> = (0..size).map(|_| m.lit(s(32), 0)).collect();
    for row in 0..size {
        let mut x = m.input(format!("x{row}"), s(8));
        for (column, sum) in sums.iter_mut().enumerate() {
            let pe = m.instance(format!("pe_{row}_{column}"), &pe);
            pe.input("load", load).input("x", x).input("sum", *sum);
            (x, *sum) = (pe.output("x_next"), pe.output("sum_next"));
        }
    }
    m.output("sums", cat(&sums));
    m.finish()
}

/// Lanes of `taps` inputs whose shifted sums are accumulated; weights and activations come from
/// memories of wide words.
fn shift_add(lanes: usize, taps: usize) -> Arc<Module> {
    let m = ModuleBuilder::new("shift_add");
    let address = m.reg("address", u(6));
    address.next(address + 1);
    let one = m.lit(u(1), 1);
    let words = m.memory("activations", 64, u(8 * taps as u32));
    words.write(
        address,
        m.input("fill", u(8 * taps as u32)),
        m.input("write", u(1)),
    );
    let x = words.read_sync(address, one);
    for lane in 0..lanes {
        let seed = m.lit(
            u(4 * taps as u32),
            (lane as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1,
        );
        let codes = m.memory(format!("codes_{lane}"), 64, u(4 * taps as u32));
        codes.write(address, seed, m.input(format!("write_{lane}"), u(1)));
        let codes = codes.read_sync(address, one);
        let terms: Vec<Signal> = (0..taps as u32)
            .map(|tap| {
                let value = x.slice(8 * tap + 7, 8 * tap).as_signed().extend(16);
                let code = codes.slice(4 * tap + 3, 4 * tap);
                let shifted = value.shl(code.slice(2, 0));
                code.bit(3).mux(-shifted, shifted)
            })
            .collect();
        let sum = reduce(&terms, |a, b| {
            let width = a.width() + 1;
            a.extend(width) + b.extend(width)
        });
        let total = m.reg(format!("total_{lane}"), s(32));
        total.next(total + sum.extend(32));
        m.output(format!("sum_{lane}"), total);
    }
    m.finish()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, default: usize| {
        arguments
            .get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let size = number(2, 8);
    let module = match arguments.get(1).map(String::as_str) {
        Some("lanes") => shift_add(size, 64),
        _ => mac_array(size),
    };
    let cycles = number(3, 1_000_000) as u64;
    if let Some(path) = arguments.get(4) {
        std::fs::write(path, module.verilog().expect("it prints")).expect("it can be written");
    }
    let start = Instant::now();
    let mut sim = Simulator::new(&module, Engine::Jit);
    println!(
        "{} nodes, flattened in {:?}",
        sim.flat().module.nodes.len(),
        start.elapsed()
    );
    sim.reset();
    for (index, port) in module.inputs.iter().enumerate() {
        if *port.name != *"rst" {
            sim.poke_index(index, &port.ty.wrap((2 * index as i64 + 1).into()))
                .expect("it fits");
        }
    }
    sim.step();
    println!("first cycle after {:?}", start.elapsed());
    let start = Instant::now();
    sim.steps(cycles);
    let rate = cycles as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0} cycles/s");
    let sums = module
        .outputs
        .iter()
        .map(|port| sim.peek(&port.name).to_string());
    println!("{}", sums.collect::<Vec<_>>().join(" "));
}
