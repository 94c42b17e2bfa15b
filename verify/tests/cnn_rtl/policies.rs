//! Trained networks under policies: whatever widths their layers have, circuit and interpreter agree.

use super::network::{Trained, equal};
use super::pick;
use hwgen_designs::cnn::{CnnSpec, Convolve, Job, Multiplier};
use hwgen_designs::generate::Generate;
use hwgen_hdl::sim::Initial;
use hwgen_network::graph::{Network, Operator};
use hwgen_network::inferences::{Inferences, Outcome};
use hwgen_network::interpret::Interpreter;
use hwgen_network::plan::{Budget, Plan, size};
use hwgen_network::policy::{Calibration, Policy};
use hwgen_verify::cosim::Engine;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Other widths for some layers, stored, shared or rounded, and for some of what they put out.
fn random_policy(network: &Network, rng: &mut ChaCha8Rng) -> Policy {
    let numbers = rng.random_bool(0.5);
    let mut policy = Policy {
        version: 2,
        symmetric: rng.random_bool(0.7),
        multiplier_bits: numbers.then(|| rng.random_range(15..=31)),
        addition_shift: numbers.then(|| rng.random_range(6..=20)),
        ..Policy::default()
    };
    let most = pick(rng, &[4, 8]);
    for layer in &network.layers {
        let name = layer.name.clone();
        if layer.operator.linear().is_some() {
            let widths = match rng.random_range(0..6) {
                0 => &mut policy.shared_bits,
                1 => &mut policy.rounded_bits,
                _ => &mut policy.weight_bits,
            };
            widths.insert(name.clone(), rng.random_range(2..=most));
        }
        let sums = matches!(layer.operator, Operator::Conv2d(_) | Operator::Add(_));
        if sums && rng.random_bool(0.8) {
            policy.activation_bits.insert(name, pick(rng, &[4, 5, 6, 7, 7, 8]));
        }
    }
    policy
}

/// A network under a random policy on a core of some family; jobs of two weights a lane.
fn narrowed(
    network: &Network,
    calibration: &Calibration,
    rng: &mut ChaCha8Rng,
    multipliers: &[u32],
) -> (Network, CnnSpec, Plan, usize) {
    let policy = random_policy(network, rng);
    let narrow = policy.calibrated(network, calibration).unwrap();
    let kind = pick(rng, &Multiplier::ALL);
    let budget = Budget { kind, ..Budget::of(&narrow, pick(rng, multipliers)) };
    let (spec, plan) = size(&narrow, budget).unwrap();
    let dual = |job: &&Job| matches!(job, Job::Convolve(Convolve { dual: true, .. }));
    let jobs = plan.image.jobs.iter().filter(dual).count();
    (narrow, spec, plan, jobs)
}

fn calibration(network: &Network, inputs: &[Vec<i16>]) -> Calibration {
    let inputs: Vec<_> = inputs.iter().take(10).map(|input| vec![input.clone()]).collect();
    Calibration::new(network, &inputs).unwrap()
}

/// Policies tried, and how many of their jobs had two weights a lane.
fn under_policies(network: &Network, inputs: &[Vec<i16>], policies: usize, seed: u64) -> usize {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let calibration = calibration(network, inputs);
    let mut jobs = 0;
    for _ in 0..policies {
        let (narrow, spec, plan, dual) = narrowed(network, &calibration, rng, &[49, 97]);
        equal(&narrow, &spec, &plan, inputs, 0.0);
        jobs += dual;
    }
    jobs
}

#[test]
fn trained_networks_under_random_policies() {
    let Some(Trained { kws, clips, resnet, images }) = Trained::find() else {
        println!("no HWGEN_DATA: trained networks are not run");
        return;
    };
    let jobs =
        [under_policies(&kws, &clips[..2], 3, 1), under_policies(&resnet, &images[..2], 2, 2)];
    println!("jobs of two weights a lane, of KWS and ResNet-8: {jobs:?}");
    assert!(jobs[0] + jobs[1] > 0);
}

#[test]
#[ignore = "minutes: `cargo xtask bars policies`"]
fn trained_networks_under_ten_policies() {
    let Trained { kws, clips, resnet, images } = Trained::find().expect("HWGEN_DATA");
    let jobs =
        [under_policies(&kws, &clips[..20], 10, 3), under_policies(&resnet, &images[..20], 10, 4)];
    println!("jobs of two weights a lane, of KWS and ResNet-8: {jobs:?}");
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let mut compared = 2 * 10 * 20;
    for (network, inputs) in [(&kws, &clips), (&resnet, &images)] {
        let calibration = calibration(network, inputs);
        // gates of a large core take Yosys many minutes
        let engines = [(Engine::Verilator, 3, &[49, 97][..]), (Engine::Yosys, 1, &[12])];
        for (engine, count, multipliers) in engines {
            // one that has lanes of two weights
            let (narrow, spec, plan, _) =
                std::iter::repeat_with(|| narrowed(network, &calibration, rng, multipliers))
                    .find(|(.., jobs)| *jobs > 0)
                    .unwrap();
            let mut interpreter = Interpreter::new(&narrow).unwrap();
            let mut device = engine.open(&spec.build(), Initial::Random(3)).unwrap();
            let inferences = Inferences { spec: &spec, plan: &plan, inputs: &inputs[..count] };
            let Outcome { outputs, .. } = inferences.run(&mut *device, 0.0, 1).unwrap();
            for (input, output) in inputs.iter().zip(&outputs) {
                interpreter.run(&[input]);
                assert!(interpreter.outputs().eq(output.iter().map(|output| &output[..])));
            }
            compared += outputs.len();
        }
    }
    println!("policies: {compared}");
}
