//! Our compiled engine against Verilator (`-O3`), the same stimulus into both.

use hwgen_designs::registry;
use hwgen_hdl::sim::{self, SimOptions, Simulator};
use hwgen_verify::cosim::race::{Stimulus, race};
use hwgen_verify::cosim::{Compiled, Optimize};
use std::time::{Duration, Instant, SystemTime};

/// Cycles a second of ours over Verilator's, with inputs held (neither pays for the other's
/// stimulus) and with new inputs and all outputs read each cycle; the smaller.
fn ratio(design: &str, set: &[&str], cycles: u64) -> f64 {
    let set: Vec<_> = set.iter().map(|set| set.to_string()).collect();
    let configured = registry::find(design).unwrap().configure(None, &set).unwrap();
    let module = configured.build();
    // a text never seen before, so that their time to the first cycle is not a cache's
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let text = format!("{}// {now}\n", module.verilog().unwrap());
    let start = Instant::now();
    let theirs = Compiled::from_text(&module, &text, Optimize::Run).unwrap();
    let their_start = start.elapsed();
    let start = Instant::now();
    Simulator::new(&module, sim::Engine::Jit).step();
    let our_start = start.elapsed();
    println!(
        "{design} {set:?}: first cycle after {:.2} s, Verilator's after {:.1} s",
        our_start.as_secs_f64(),
        their_start.as_secs_f64()
    );
    assert!(our_start < Duration::from_secs(1), "{design}: first cycle after {our_start:?}");
    let ratios = [Stimulus::Held, Stimulus::Random].map(|stimulus| {
        // three times each, in turns: the machine may be busy
        let (mut our_best, mut their_best) = (0f64, 0f64);
        for _ in 0..3 {
            let options = SimOptions {
                engine: sim::Engine::Jit,
                check_contracts: false,
                ..SimOptions::default()
            };
            let mut simulator = Simulator::with_options(&module, options);
            let ours = race(&mut simulator, cycles, 1, stimulus);
            let theirs = theirs.race(cycles, 1, stimulus).unwrap();
            assert_eq!(ours.checksum, theirs.checksum, "{design}");
            our_best = our_best.max(ours.cycles_per_second());
            their_best = their_best.max(theirs.cycles_per_second());
        }
        let ratio = our_best / their_best;
        println!(
            "{design} {set:?} {stimulus:?}: {our_best:.0} to {their_best:.0} cycles/s, ratio {ratio:.2}"
        );
        ratio
    });
    ratios[0].min(ratios[1])
}

#[test]
#[ignore = "minutes: `cargo xtask bars race`"]
fn as_fast_as_verilator() {
    let ratios = [
        ratio("mac_array", &[], 500_000),
        ratio("mac_array", &["rows=16", "columns=16"], 100_000),
        ratio("lapa_predictor", &["head_dim=16", "rows=4", "max_keys=64"], 200_000),
        ratio("lapa_predictor", &[], 30_000),
    ];
    println!("race: {:.2}", ratios.into_iter().fold(f64::INFINITY, f64::min));
}
