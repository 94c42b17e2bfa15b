//! Policies that make all of a network narrow, and the networks they are tried on.

#![allow(dead_code)] // each test needs some of it

use hwgen_network::graph::{Network, Operator};
use hwgen_network::import::import;
use hwgen_network::policy::Policy;
use std::path::PathBuf;

/// A file of MLPerf Tiny, if it is there.
pub(crate) fn mlperf(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(std::env::var_os("HWGEN_DATA")?).join("mlperf_tiny");
    Some(std::fs::read(folder.join(name)).unwrap())
}

/// MLPerf Tiny's keyword network and its ResNet-8.
pub(crate) fn trained() -> Option<(Network, Network)> {
    let read = |name: &str| Some(import(name, &mlperf(&format!("{name}_int8.tflite"))?).unwrap());
    Some((read("kws_ref_model")?, read("ic_resnet8")?))
}

/// All weights of so many bits and all activations of so many but probabilities, on a core as small as
/// that allows.
pub(crate) fn uniform(network: &Network, weights: u32, activations: u32) -> Policy {
    let linear = network.layers.iter().filter(|layer| layer.operator.linear().is_some());
    let weight_bits = linear.map(|layer| (layer.name.clone(), weights)).collect();
    let scores = |operator: &Operator| matches!(operator, Operator::Softmax(_));
    let layers = network.layers.iter().filter(|layer| !scores(&layer.operator));
    let names = layers.map(|layer| layer.name.clone()).chain(network.inputs.clone());
    Policy {
        version: 2,
        weight_bits,
        activation_bits: names.map(|name| (name, activations)).collect(),
        symmetric: true,
        multiplier_bits: Some(15),
        addition_shift: Some(8),
        ..Policy::default()
    }
}
