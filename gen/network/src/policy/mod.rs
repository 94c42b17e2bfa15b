//! A bit width for each layer: what a search writes and the generator reads.
//!
//! - `calibrate`: what tensors hold; `ranges`: steps for fewer bits; `anew`: a network with them.

mod anew;
mod calibrate;
mod ranges;
mod sums;

pub use calibrate::Calibration;

use crate::graph::{Linear, Multiplier, Network, printable};
use anew::{check_bits, layer_of, linear_of, outputs};
use schemars::{JsonSchema, schema_for};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// `policy.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of the format: 1, or 2, which chooses ranges by what a network's tensors hold.
    pub version: u32,
    /// Bits of the weights, 2 to 8, of layers by name; others keep theirs.
    #[serde(default, deserialize_with = "widths")]
    pub weight_bits: BTreeMap<String, u32>,
    /// Top bits, 2 to 8, that layers read of weights that stay stored with eight: MSB sharing.
    #[serde(default, deserialize_with = "widths")]
    pub shared_bits: BTreeMap<String, u32>,
    /// Version 2: bits, 2 to 8, of what layers put out, by the layer's name, and of the network's inputs by
    /// theirs. What a layer passes on as it is has as many.
    #[serde(default, deserialize_with = "widths", skip_serializing_if = "BTreeMap::is_empty")]
    pub activation_bits: BTreeMap<String, u32>,
    /// Version 2: bits, 2 to 8, of weights that are their words' highest, the next one added, by layers:
    /// what version 1 does with `weight_bits`. They are stored so; a lane reads no more of them.
    #[serde(default, deserialize_with = "widths", skip_serializing_if = "BTreeMap::is_empty")]
    pub rounded_bits: BTreeMap<String, u32>,
    /// Version 2: no weight is the least of its bits, as lanes of two weights need it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub symmetric: bool,
    /// Version 2: bits, 15 to 31, that multipliers are rounded to; with 17 and less requantizers are small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier_bits: Option<u32>,
    /// Version 2: places, 4 to 20, that additions shift their terms by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addition_shift: Option<u32>,
}

/// The JSON schema of `policy.json`.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schema_for!(Policy)).unwrap_or_default();
    text.push('\n');
    text
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
    #[error("policy of version {0}: only 1 and 2 are known")]
    Version(u32),
    /// A field that the version has not.
    #[error("a policy of version 1 has no `{0}`: say \"version\": 2")]
    Newer(&'static str),
    /// A number that is none of those allowed.
    #[error("the policy's `{field}` is {given}: must be {least} to {most}")]
    Range {
        /// The field.
        field: &'static str,
        /// What it is.
        given: u32,
        /// The smallest allowed.
        least: u32,
        /// The largest.
        most: u32,
    },
    /// Neither a layer nor an input.
    #[error(
        "the policy gives `{0}` bits of activations: the network has neither a layer nor an input of that name"
    )]
    Activation(String),
    /// Tensors that are quantized alike.
    #[error(
        "the policy gives what `{one}` puts out {} bits and that of `{other}` {}: they are quantized alike",
        bits[0], bits[1]
    )]
    Alike {
        /// The first that is named.
        one: String,
        /// The other.
        other: String,
        /// What they are given.
        bits: [u32; 2],
    },
    /// A layer has no numbers for what the policy wants.
    #[error("the policy does not fit layer `{layer}`: {problem}")]
    Rescale {
        /// The layer.
        layer: String,
        /// Why.
        problem: String,
    },
    /// What would come of it is no network.
    #[error("the policy makes no network: {0}")]
    Network(String),
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
    /// read ([`Linear::read`]). Our definition; nothing is trained again. Of version 2: as
    /// [`Policy::calibrated`], ranges being all that tensors and weights could hold.
    ///
    /// # Errors
    /// A layer or a width that is not there.
    pub fn apply(&self, network: &Network) -> Result<Network, PolicyError> {
        self.applied(network, None)
    }

    /// The network with numbers of those widths, each range the one that loses the least squares of what
    /// its tensors held: for activations an end on each side of 0, for weights a step for each
    /// output, each loss times the mean square of the input that it meets; what outputs lose on
    /// average goes into their biases.
    ///
    /// # Errors
    /// As [`Policy::apply`].
    pub fn calibrated(
        &self,
        network: &Network,
        calibration: &Calibration,
    ) -> Result<Network, PolicyError> {
        self.applied(network, Some(calibration))
    }

    fn applied(
        &self,
        network: &Network,
        calibration: Option<&Calibration>,
    ) -> Result<Network, PolicyError> {
        self.check()?;
        let mut network = network.clone();
        let rounded = if self.version == 1 { &self.weight_bits } else { &self.rounded_bits };
        for (name, &bits) in rounded {
            let at = layer_of(&network, name)?;
            let linear = linear_of(&mut network, at)?;
            check_bits(name, bits, linear.bits)?;
            let longer = f64::from(1u32 << (linear.bits - bits));
            narrow(linear, bits, self.symmetric);
            let outputs = outputs(&network, at);
            sums::fit(&mut network, at, &vec![longer; outputs]);
        }
        if self.version > 1 {
            self.anew(&mut network, calibration)?;
        }
        for (name, &bits) in &self.shared_bits {
            let at = layer_of(&network, name)?;
            let linear = linear_of(&mut network, at)?;
            check_bits(name, bits, linear.bits)?;
            if linear.bits != 8 {
                return Err(PolicyError::Shared { layer: printable(name), has: linear.bits });
            }
            linear.shared = Some(bits);
            let outputs = outputs(&network, at);
            sums::fit(&mut network, at, &vec![1.0; outputs]);
        }
        Ok(network)
    }

    fn check(&self) -> Result<(), PolicyError> {
        if ![1, 2].contains(&self.version) {
            return Err(PolicyError::Version(self.version));
        }
        let newer = [
            ("activation_bits", !self.activation_bits.is_empty()),
            ("rounded_bits", !self.rounded_bits.is_empty()),
            ("symmetric", self.symmetric),
            ("multiplier_bits", self.multiplier_bits.is_some()),
            ("addition_shift", self.addition_shift.is_some()),
        ];
        if let (1, Some((field, _))) = (self.version, newer.iter().find(|(_, there)| *there)) {
            return Err(PolicyError::Newer(field));
        }
        let ranges = [
            ("multiplier_bits", self.multiplier_bits, 15, 31),
            ("addition_shift", self.addition_shift, 4, 20),
        ];
        for (field, given, least, most) in ranges {
            if let Some(given) = given.filter(|given| !(least..=most).contains(given)) {
                return Err(PolicyError::Range { field, given, least, most });
            }
        }
        Ok(())
    }
}

/// Cuts weights to so many bits.
fn narrow(linear: &mut Linear, bits: u32, symmetric: bool) {
    let places = linear.bits - bits;
    let half = if places == 0 { 0 } else { 1 << (places - 1) };
    let most = (1 << (bits - 1)) - 1;
    let least = if symmetric { -most } else { -most - 1 };
    let weight = |&weight: &i8| ((i32::from(weight) + half) >> places).clamp(least, most) as i8;
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
