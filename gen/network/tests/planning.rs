//! How long planning takes: what a search waits for. `cargo xtask bars planning`.

mod models;

use hwgen_designs::cnn::CnnSpec;
use hwgen_network::candidate::Candidate;
use hwgen_network::graph::Network;
use hwgen_network::import::import;
use hwgen_network::plan::{Budget, outline, plan, size, size_outline};
use hwgen_network::zoo;
use std::time::Instant;

/// Seconds of the fastest of some runs.
fn seconds(mut run: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..5).map(time).fold(f64::INFINITY, f64::min)
}

fn networks() -> [(&'static str, Network); 2] {
    let mobilenet = import("mobilenet_v2", &models::mobilenet_v2(1)).unwrap();
    [("kws_mini", zoo::kws_mini(1)), ("mobilenet_v2", mobilenet)]
}

fn core(network: &Network) -> CnnSpec {
    size_outline(network, Budget::of(network, 97)).unwrap().0
}

#[test]
fn a_size_without_weights_is_that_with_them() {
    for (name, network) in networks() {
        let budget = Budget::of(&network, 97);
        let (spec, planned) = size(&network, budget).unwrap();
        let (outlined_spec, outlined) = size_outline(&network, budget).unwrap();
        assert_eq!((spec, planned.cycles()), (outlined_spec, outlined.cycles()), "{name}");
    }
}

/// Of candidates on a core that is given.
const LAYERS_A_SECOND: f64 = 100_000.0;

#[test]
#[ignore = "a figure of an idle machine: cargo xtask bars planning"]
fn planning_takes_milliseconds() {
    let mut worst: f64 = 0.0;
    for ((name, network), most) in networks().into_iter().zip([1.0, 10.0]) {
        let spec = core(&network);
        let whole = 1e3 * seconds(|| _ = plan(&network, &spec).unwrap());
        let alone = 1e3 * seconds(|| _ = outline(&network, &spec).unwrap());
        let sized = 1e3 * seconds(|| _ = core(&network));
        println!(
            "{name}: {whole:.2} ms a plan (at most {most}), {alone:.2} ms without weights, {sized:.1} ms to size \
             a core, {} layers",
            network.layers.len()
        );
        worst = worst.max(whole / most);
    }
    for (name, network) in networks() {
        let candidate = Candidate::of(&network).unwrap();
        let (spec, layers) = (core(&network), network.layers.len() as f64);
        let spec = CnnSpec { accumulator_bits: 32, ..spec };
        let alone =
            seconds(|| (0..20).for_each(|_| _ = outline(&candidate, &spec).unwrap())) / 20.0;
        let sized = seconds(|| _ = size_outline(&candidate, Budget::of(&candidate, 97)).unwrap());
        let (rate, sizes) = (layers / alone, layers / sized);
        println!(
            "{name} without weights: {rate:.0} layers a second on a fixed core, {sizes:.0} with its size"
        );
        worst = worst.max(LAYERS_A_SECOND / rate);
    }
    println!("planning: {worst:.2} of the time allowed");
    assert!(worst <= 1.0, "planning takes too long");
}
