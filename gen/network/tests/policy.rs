//! Policies of version 2: on the keyword network of MLPerf Tiny, nothing trained again; and what they refuse.

mod narrowing;

use hwgen_network::graph::Network;
use hwgen_network::import::import;
use hwgen_network::interpret::Interpreter;
use hwgen_network::policy::Calibration;
use narrowing::{mlperf, uniform};

struct Clips {
    network: Network,
    inputs: Vec<Vec<i16>>,
    labels: Vec<u8>,
}

fn clips() -> Option<Clips> {
    let network = import("kws", &mlperf("kws_ref_model_int8.tflite")?).unwrap();
    let bytes = mlperf("kws01_mfcc_int8_200x490.bin")?;
    let inputs = bytes.chunks(490).map(|clip| clip.iter().map(|&b| i16::from(b as i8)).collect());
    Some(Clips { network, inputs: inputs.collect(), labels: mlperf("kws01_labels_u8_200.bin")? })
}

fn right(network: &Network, clips: &Clips) -> usize {
    let (from, to) = (&clips.network.tensors, &network.tensors);
    let mut golden = Interpreter::new(network).unwrap();
    let class = |clip: &Vec<i16>| {
        let clip: Vec<i16> =
            clip.iter().map(|&x| to[0].quantize(from[0].real(x.into())) as i16).collect();
        golden.run(&[&clip]);
        let scores = golden.outputs().next().unwrap();
        (0..scores.len()).rev().max_by_key(|&n| scores[n]).unwrap()
    };
    let classes: Vec<_> = clips.inputs.iter().map(class).collect();
    classes
        .iter()
        .zip(&clips.labels)
        .filter(|(class, label)| **class == usize::from(**label))
        .count()
}

#[test]
fn keywords_are_recognized_with_narrow_numbers() {
    let Some(clips) = clips() else {
        println!("HWGEN_DATA is not set: nothing to recognize");
        return;
    };
    let inputs: Vec<_> = clips.inputs.iter().take(50).map(|clip| vec![clip.clone()]).collect();
    let calibration = Calibration::new(&clips.network, &inputs).unwrap();
    println!("W8A8: {} of 200", right(&clips.network, &clips));
    for (weights, activations, least) in [(8, 8, 183), (8, 7, 180), (4, 8, 176), (4, 7, 172)] {
        let policy = uniform(&clips.network, weights, activations);
        let network = policy.calibrated(&clips.network, &calibration).unwrap();
        let right = right(&network, &clips);
        println!("W{weights}A{activations}: {right} of 200 (at least {least})");
        assert!(right >= least);
    }
}
