//! Whole networks: plan and circuit against the interpreter, every output byte.

use super::simulator;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::registry::Generate;
use hwgen_network::graph::Network;
use hwgen_network::plan::{Budget, Plan, size};
use hwgen_network::{import, zoo};
use hwgen_verify::drive::cnn::{Inferences, Outcome};
use hwgen_verify::golden::network::Interpreter;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// Runs inferences back to back on the circuit and the interpreter; returns cycles of one.
fn equal(network: &Network, spec: &CnnSpec, plan: &Plan, inputs: &[Vec<i16>], stall: f64) -> u64 {
    let mut device = simulator(&spec.build(), 1);
    let mut interpreter = Interpreter::new(network).unwrap();
    let inferences = Inferences { spec, plan, inputs };
    let Outcome { outputs, cycles } = inferences.run(&mut device, stall, 1).unwrap();
    for (n, (input, output)) in inputs.iter().zip(&outputs).enumerate() {
        interpreter.run(&[input]);
        let expected: Vec<_> = interpreter.outputs().map(<[i16]>::to_vec).collect();
        assert_eq!(output, &expected, "{}, inference {n}", network.name);
    }
    if stall == 0.0 && cycles.len() > 1 {
        // from result to result
        assert_eq!(cycles[1] - cycles[0], plan.cycles(), "{}", network.name);
    }
    plan.cycles()
}

fn random_inputs(network: &Network, count: usize, rng: &mut impl Rng) -> Vec<Vec<i16>> {
    let tensor = network.tensor(&network.inputs[0]).unwrap();
    let range = tensor.lowest() as i16..=tensor.highest() as i16;
    let input = |_| (0..tensor.elements()).map(|_| rng.random_range(range.clone())).collect();
    (0..count).map(input).collect()
}

fn budget(multipliers: u32, narrow_weights: bool) -> Budget {
    Budget { multipliers, packed: true, narrow_weights }
}

#[test]
fn small_networks_of_every_width() {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    for (weight_bits, activation_bits) in [(8, 8), (4, 8), (2, 4), (3, 5), (7, 6)] {
        let network = zoo::kws_mini_at(3, weight_bits, activation_bits);
        for multipliers in [18, 60] {
            let (spec, plan) = size(&network, budget(multipliers, weight_bits < 8)).unwrap();
            let inputs = random_inputs(&network, 3, rng);
            let cycles = equal(&network, &spec, &plan, &inputs, 0.0);
            equal(&network, &spec, &plan, &inputs, 0.4);
            println!(
                "{weight_bits}-bit weights, {} multipliers: {cycles} cycles, {} rows of {} bytes of weights",
                spec.all_multipliers(),
                spec.weight_rows,
                spec.lanes
            );
        }
    }
}

#[test]
fn cenet_without_graphs() {
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let network = zoo::build("cenet_6", 1).unwrap().network;
    let (spec, plan) = size(&network, budget(100, false)).unwrap();
    let cycles = equal(&network, &spec, &plan, &random_inputs(&network, 2, rng), 0.0);
    println!("CENet-6: {} multipliers, {cycles} cycles", spec.all_multipliers());
}

/// MLPerf Tiny's models, where they are.
#[test]
fn trained_networks() {
    let Some(data) = std::env::var_os("HWGEN_DATA").map(PathBuf::from) else {
        println!("no HWGEN_DATA: trained networks are not run");
        return;
    };
    let tiny = data.join("mlperf_tiny");
    let model = |name: &str| {
        let bytes = std::fs::read(tiny.join(format!("{name}.tflite"))).unwrap();
        import::import(name, &bytes).unwrap()
    };
    let clips = std::fs::read(tiny.join("kws01_mfcc_int8_200x490.bin")).unwrap();
    let clips: Vec<Vec<i16>> =
        clips.chunks(490).map(|clip| clip.iter().map(|&b| (b as i8).into()).collect()).collect();
    let kws = model("kws_ref_model_int8");
    for multipliers in [188, 60] {
        let (spec, plan) = size(&kws, budget(multipliers, false)).unwrap();
        let cycles = equal(&kws, &spec, &plan, &clips, 0.0);
        let used = plan.utilisation(&spec);
        println!(
            "KWS DS-CNN: {} multipliers, {cycles} cycles, {:.1} % of {} products a cycle",
            spec.all_multipliers(),
            100.0 * used,
            spec.products()
        );
        assert!(used >= 0.6 && cycles <= if multipliers == 60 { 150_000 } else { 46_000 });
    }
    let resnet = model("ic_resnet8_int8");
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let (spec, plan) = size(&resnet, budget(100, false)).unwrap();
    let cycles = equal(&resnet, &spec, &plan, &random_inputs(&resnet, 3, rng), 0.0);
    let used = plan.utilisation(&spec);
    println!(
        "ResNet-8: {} multipliers, {cycles} cycles, {:.1} %",
        spec.all_multipliers(),
        100.0 * used
    );
    assert!(used >= 0.6);
}
