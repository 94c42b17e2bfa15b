//! A small streaming design: written, simulated under stalls, printed.
//!
//! `smoother` is an exponential moving average: for each sample, `average += (sample - average) / 8`.

use hwgen_hdl::sim::{Bench, Engine, Simulator};
use hwgen_hdl::{Bundle, Module, ModuleBuilder, fields, s};
use std::sync::Arc;

/// Bits of a sample.
const SAMPLE: u32 = 12;

/// The average is kept in eighths: 3 more bits.
fn smoother() -> Arc<Module> {
    let m = ModuleBuilder::new("smoother");
    m.doc("Exponential moving average: average += (sample - average) / 8.");
    let samples = m.stream_in("in", &fields([("sample", s(SAMPLE))]));
    let eighths = m.reg("eighths", s(SAMPLE + 3));

    let whole = eighths.shr(3).named("whole");
    let updated = (*eighths - whole + samples.get("sample").extend(SAMPLE + 3)).named("updated");
    eighths.next(updated).enable(samples.fires());

    let average = updated.shr(3).truncate(SAMPLE);
    let averages = samples.with_payload(Bundle::new([("average", average)]));
    m.stream_out("out", &averages);
    m.finish()
}

/// The same in plain integers.
fn golden(samples: &[i64]) -> Vec<i64> {
    let mut eighths = 0;
    let update = |sample: &i64| {
        eighths += sample - (eighths >> 3);
        eighths >> 3
    };
    samples.iter().map(update).collect()
}

fn simulate(module: &Arc<Module>, samples: &[i64]) -> Vec<i64> {
    let mut simulator = Simulator::new(module, Engine::Jit);
    let mut bench = Bench::new(&mut simulator);
    // both ends stall in a third of the cycles
    let (input, output) = (bench.driver("in", 0.33, 1), bench.monitor("out", 0.33, 2));
    for &sample in samples {
        bench.drivers[input].push([sample]);
    }
    let all = |b: &Bench<'_>| b.monitors[output].received.len() == samples.len();
    let cycles = bench.run_until(10_000, "all averages", all).unwrap();
    println!("{} samples in {cycles} cycles", samples.len());
    let averages = bench.monitors[output].received.iter();
    averages.map(|payload| i64::try_from(&payload[0]).unwrap()).collect()
}

fn main() {
    let module = smoother();
    let samples: Vec<i64> = (0..100).map(|n| if n % 50 < 25 { 1000 } else { -2048 }).collect();
    let averages = simulate(&module, &samples);
    assert_eq!(averages, golden(&samples));
    println!("after 25 samples of 1000 the average is {}", averages[24]);
    print!("{}", module.verilog().unwrap());
}

#[test]
fn story() {
    main();
}
