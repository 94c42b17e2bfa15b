//! A bit width for each layer: what a search writes and the generator reads.

use crate::graph::{Clamp, Layer, Linear, Multiplier, Network, printable};
use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// `policy.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of the format: 1.
    pub version: u32,
    /// Bits of the weights, 2 to 8, of layers by name; others keep theirs.
    #[serde(default, deserialize_with = "widths")]
    pub weight_bits: BTreeMap<String, u32>,
    /// Top bits, 2 to 8, that layers read of weights that stay stored with eight: MSB sharing.
    #[serde(default, deserialize_with = "widths")]
    pub shared_bits: BTreeMap<String, u32>,
}

/// Widths by layer, none of them named twice.
fn widths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u32>, D::Error> {
    struct Widths;
    impl<'de> Visitor<'de> for Widths {
        type Value = BTreeMap<String, u32>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bits by the names of layers")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut widths = BTreeMap::new();
            while let Some((layer, bits)) = map.next_entry::<String, u32>()? {
                let name = printable(&layer);
                if widths.insert(layer, bits).is_some() {
                    return Err(A::Error::custom(format!("layer `{name}` is named twice")));
                }
            }
            Ok(widths)
        }
    }
    deserializer.deserialize_map(Widths)
}

/// Why a policy does not fit a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// Another version.
    #[error("policy of version {0}: only 1 is known")]
    Version(u32),
    /// No layer of that name has weights.
    #[error("the policy names layer `{0}`: the network has none of that name with weights")]
    Layer(String),
    /// More bits than there are, or too few.
    #[error("the policy gives layer `{layer}` {bits} bits: must be 2 to its {has}")]
    Bits {
        /// The layer.
        layer: String,
        /// What it is given.
        bits: u32,
        /// What it has.
        has: u32,
    },
    /// Weights that are not stored with eight bits.
    #[error(
        "the policy shares the weights of layer `{layer}`: they are stored with {has} bits, not 8"
    )]
    Shared {
        /// The layer.
        layer: String,
        /// What it has.
        has: u32,
    },
}

impl Policy {
    /// The network with weights of those widths: rounded to the nearest, halves up, their step as
    /// much larger; biases follow. Shared ones stay, only their top bits are
    /// read ([`Linear::read`]). Our definition; nothing is trained again.
    ///
    /// # Errors
    /// A layer or a width that is not there.
    pub fn apply(&self, network: &Network) -> Result<Network, PolicyError> {
        if self.version != 1 {
            return Err(PolicyError::Version(self.version));
        }
        let mut network = network.clone();
        let (own, shared) = (self.weight_bits.iter(), self.shared_bits.iter());
        let all = own.map(|entry| (entry, false)).chain(shared.map(|entry| (entry, true)));
        for ((name, &bits), shared) in all {
            let unknown = || PolicyError::Layer(printable(name));
            let at = network.layers.iter().position(|layer| layer.name == *name);
            let at = at.ok_or_else(unknown)?;
            let linear = network.layers[at].operator.linear_mut().ok_or_else(unknown)?;
            if !(2..=linear.bits).contains(&bits) {
                let (layer, has) = (name.clone(), linear.bits);
                return Err(PolicyError::Bits { layer, bits, has });
            }
            if shared && linear.bits != 8 {
                return Err(PolicyError::Shared { layer: name.clone(), has: linear.bits });
            }
            let places = if shared { 0 } else { linear.bits - bits };
            match shared {
                true => linear.shared = Some(bits),
                false => narrow(linear, bits),
            }
            fit_sums(&mut network, at, places);
        }
        Ok(network)
    }
}

/// Sums that the layer at `at` leaves as they are: their steps become 2^`places` as long, as those of
/// its weights have become, and their bits what its weights can make.
fn fit_sums(network: &mut Network, at: usize, places: u32) {
    let is = |name: &str| network.tensors.iter().position(|tensor| tensor.name == name);
    let of = |layer: &Layer| is(&layer.inputs[0]).zip(is(&layer.output));
    let Some((x, made)) = of(&network.layers[at]) else { return };
    if network.tensors[made].sums.is_none() {
        return;
    }
    // reshapes of them tell the same
    let mut all = vec![made];
    for (x, z) in network.layers[at + 1..].iter().filter_map(of) {
        if all.contains(&x) {
            all.push(z);
        }
    }
    let x = network.tensors[x].clone();
    let Some(linear) = network.layers[at].operator.linear_mut() else { return };
    linear.multipliers = [Multiplier::ONE].into_iter().collect();
    let bits = linear.sum_bits(network.tensors[made].image()[2], &x);
    linear.clamp = Clamp { min: -1 << (bits - 1), max: i32::MAX >> (32 - bits) };
    let longer = f64::from(1u32 << places);
    for tensor in all {
        let tensor = &mut network.tensors[tensor];
        (tensor.bits, tensor.scale) = (bits, tensor.scale * longer);
        if let Some(sums) = &mut tensor.sums {
            sums.scales.iter_mut().for_each(|scale| *scale *= longer);
            // biases are rounded to them once more
            sums.off_by += if places > 0 { tensor.scale / 2.0 } else { 0.0 };
        }
    }
}

/// Cuts weights to so many bits.
fn narrow(linear: &mut Linear, bits: u32) {
    let places = linear.bits - bits;
    let half = if places == 0 { 0 } else { 1 << (places - 1) };
    let most = (1 << (bits - 1)) - 1;
    let weight = |&weight: &i8| ((i32::from(weight) + half) >> places).min(most) as i8;
    linear.weights = linear.weights.iter().map(weight).collect::<Vec<_>>().into();
    let bias = |&bias: &i32| ((i64::from(bias) + i64::from(half)) >> places) as i32;
    linear.bias = linear.bias.iter().map(bias).collect::<Vec<_>>().into();
    let count = linear.multipliers.mantissas.len();
    let wider = |channel: usize| {
        let Multiplier { mantissa, shift } = linear.multipliers.of(channel);
        Multiplier { mantissa, shift: (shift + places as i32).min(30) }
    };
    linear.multipliers = (0..count).map(wider).collect();
    linear.bits = bits;
}
