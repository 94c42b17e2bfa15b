//! A small keyword spotter: three convolutions and a dense layer on 49 x 10 features.

use super::builder::{Builder, Built, Filter};
use crate::graph::Network;

/// 49 x 10 features to 12 scores in 205,200 multiplications: 3x3/2 to 16 channels, 3x3/2 to 16,
/// 3x3 to 16, dense.
pub fn kws_mini(seed: u64) -> Network {
    built(seed, 8, 8).network
}

/// The same with weights and activations of 2 to 8 bits.
pub fn kws_mini_at(seed: u64, weight_bits: u32, activation_bits: u32) -> Network {
    built(seed, weight_bits.clamp(2, 8), activation_bits.clamp(2, 8)).network
}

pub(super) fn built(seed: u64, weight_bits: u32, activation_bits: u32) -> Built {
    let mut b = Builder::new("kws_mini", seed, [49, 10, 1], weight_bits, activation_bits);
    let x = b.input();
    let x = b.conv("conv_1", &x, Filter { size: 3, stride: 2, channels: 16, relu: true });
    let x = b.conv("conv_2", &x, Filter { size: 3, stride: 2, channels: 16, relu: true });
    let x = b.conv("conv_3", &x, Filter { size: 3, stride: 1, channels: 16, relu: true });
    let x = b.reshape("flatten", &x, &[13 * 3 * 16]);
    let x = b.fully_connected("scores", &x, 12);
    b.finish(&x)
}
