//! Quantized networks on their golden model.

#[path = "network_litert/digests.rs"]
mod digests;
#[path = "../../gen/network/tests/models/mod.rs"]
mod models;

use hwgen_network::graph::Network;
use hwgen_network::import::import;
use hwgen_network::interpret::Interpreter;
use hwgen_network::zoo;
use hwgen_verify::attention::data::folder;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

fn random_input(network: &Network, rng: &mut ChaCha8Rng) -> Vec<i16> {
    let tensor = network.tensor(&network.inputs[0]).unwrap();
    let spread = f64::from(tensor.highest() - tensor.lowest()) / 6.0;
    let normal =
        |rng: &mut ChaCha8Rng| (0..12).map(|_| rng.random_range(-0.5..0.5f64)).sum::<f64>();
    (0..tensor.elements())
        .map(|_| {
            let value = normal(rng) * spread + f64::from(tensor.zero_point);
            value.round().clamp(tensor.lowest().into(), tensor.highest().into()) as i16
        })
        .collect()
}

/// Every tensor of a built-in network moves: on other inputs than it was calibrated with, at most a
/// few per cent of its elements lie at an upper bound or at a lower one that is not zero, and
/// they are not all alike.
#[test]
fn built_in_networks_are_alive() {
    for name in zoo::NAMES {
        let network = zoo::build(name, 7).unwrap().network;
        let mut golden = Interpreter::new(&network).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        golden.run(&[&random_input(&network, &mut rng)]);
        for tensor in &network.tensors {
            let value = golden.tap(&tensor.name).unwrap();
            let share = |bound: i32| {
                value.iter().filter(|&&x| i32::from(x) == bound).count() as f64 / value.len() as f64
            };
            let name = format!("{name}: {}", tensor.name);
            assert!(share(tensor.highest()) < 0.2, "{name} saturates");
            if tensor.zero_point != tensor.lowest() {
                assert!(share(tensor.lowest()) < 0.2, "{name} saturates below");
            }
            assert!(value.iter().any(|x| x != &value[0]), "{name} is constant");
        }
    }
}

/// Values of few bits stay within them, and tell inputs apart.
#[test]
fn few_bits() {
    for (weight_bits, activation_bits) in [(2, 8), (8, 2), (4, 4), (3, 5), (2, 2)] {
        let network = zoo::kws_mini_at(5, weight_bits, activation_bits);
        let mut golden = Interpreter::new(&network).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut scores = Vec::new();
        for _ in 0..20 {
            golden.run(&[&random_input(&network, &mut rng)]);
            for tensor in &network.tensors {
                let range = tensor.lowest() as i16..=tensor.highest() as i16;
                let value = golden.tap(&tensor.name).unwrap();
                assert!(value.iter().all(|x| range.contains(x)), "{}", tensor.name);
            }
            scores.push(golden.tap("scores").unwrap().to_vec());
        }
        scores.sort();
        scores.dedup();
        assert!(scores.len() > 5, "{weight_bits}, {activation_bits}: {}", scores.len());
    }
}

#[test]
fn runs_leave_nothing_behind() {
    let network = zoo::build("cenet_gcn_6", 3).unwrap().network;
    let mut golden = Interpreter::new(&network).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (a, b) = (random_input(&network, &mut rng), random_input(&network, &mut rng));
    golden.run(&[&a]);
    let first: Vec<Vec<i16>> = golden.outputs().map(<[i16]>::to_vec).collect();
    golden.run(&[&b]);
    assert_ne!(golden.outputs().map(<[i16]>::to_vec).collect::<Vec<_>>(), first);
    golden.run(&[&a]);
    assert_eq!(golden.outputs().map(<[i16]>::to_vec).collect::<Vec<_>>(), first);
}

/// The golden model writes what LiteRT's reference kernels wrote, at every node.
#[test]
fn golden_is_litert() {
    for &(name, runs, expected) in digests::DIGESTS {
        let model = digests::model(name);
        let network = import(name, &model).unwrap();
        let mut golden = Interpreter::new(&network).unwrap();
        let mut written = Vec::new();
        for input in digests::random_inputs(&model, runs, 6) {
            let mut rest = &input[..];
            let mut inputs: Vec<Vec<i16>> = Vec::new();
            for tensor in network.given() {
                let (here, after) = rest.split_at(tensor.elements());
                let value =
                    |&byte: &u8| if tensor.signed { (byte as i8).into() } else { byte.into() };
                inputs.push(here.iter().map(value).collect());
                rest = after;
            }
            golden.next(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
            for layer in &network.layers {
                written.extend(golden.tap(&layer.output).unwrap().iter().map(|&x| x as u8));
            }
        }
        assert_eq!(digests::digest(&written), expected, "{name}");
    }
}

/// MLPerf Tiny's keyword spotter on recorded speech.
#[test]
#[ignore = "needs the data folder (HWGEN_DATA): a measurement, run in release"]
fn speech_commands() {
    let Some(data) = folder() else {
        println!("not run: there is no data folder (HWGEN_DATA)");
        return;
    };
    let read = |name: &str| std::fs::read(data.join(name)).unwrap();
    let network = import("kws", &read("mlperf_tiny/kws_ref_model_int8.tflite")).unwrap();
    let mut golden = Interpreter::new(&network).unwrap();
    // an array of bytes at the end of either file
    let (features, labels) =
        (read("speech_commands/mfcc_int8.npy"), read("speech_commands/labels_u8.npy"));
    let start = |file: &[u8]| 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let (features, labels) = (&features[start(&features)..], &labels[start(&labels)..]);
    let clips = labels.len();
    assert_eq!(features.len(), clips * 490);
    let clock = Instant::now();
    let right = features.chunks_exact(490).zip(labels).filter(|(clip, label)| {
        let clip: Vec<i16> = clip.iter().map(|&byte| (byte as i8).into()).collect();
        golden.run(&[&clip]);
        let scores = golden.outputs().next().unwrap();
        // the first of the largest, as `argmax` has it
        let best = (0..scores.len()).rev().max_by_key(|&n| scores[n]).unwrap();
        best == usize::from(**label)
    });
    let right = right.count();
    let seconds = clock.elapsed().as_secs_f64();
    println!(
        "{right} of {clips} right ({:.2} %) in {seconds:.1} s",
        100.0 * right as f64 / clips as f64
    );
    assert!(right * 100 > clips * 88 && seconds < 60.0);
}

/// At most 100 us an inference of 205,200 multiplications, in release.
#[test]
#[ignore = "a measurement: run in release"]
fn speed() {
    let network = zoo::kws_mini(1);
    let mut golden = Interpreter::new(&network).unwrap();
    let input = random_input(&network, &mut ChaCha8Rng::seed_from_u64(1));
    let best = (0..20)
        .map(|_| {
            let start = Instant::now();
            (0..100).for_each(|_| golden.run(&[&input]));
            start.elapsed() / 100
        })
        .min()
        .unwrap();
    println!("{best:?} an inference");
    assert!(best.as_micros() <= 100, "{best:?}");
}
