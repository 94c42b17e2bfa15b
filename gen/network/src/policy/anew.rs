//! Policies of version 2: a network quantized anew from one of more bits.

use super::calibrate::{Calibration, Seen};
use super::ranges::{narrowed, narrowed_weights};
use super::{Policy, PolicyError, sums};
use crate::basics::{Change, Rescaling};
use crate::graph::{Layer, Linear, Network, Operator, printable};
use std::collections::BTreeMap;

/// Tensors by name, each with the name of one that stands for all that are quantized alike.
struct Alike(BTreeMap<String, String>);

impl Alike {
    fn of(network: &Network) -> Alike {
        let names = network.tensors.iter().map(|tensor| (tensor.name.clone(), tensor.name.clone()));
        let mut alike = Alike(names.collect());
        for layer in network.layers.iter().filter(|layer| layer.operator.known().keeps_scale()) {
            layer.inputs.iter().for_each(|input| alike.join(input, &layer.output));
        }
        network.states.iter().for_each(|state| alike.join(&state.input, &state.output));
        alike
    }

    fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.first(a), self.first(b));
        if a != b {
            self.0.values_mut().filter(|first| **first == b).for_each(|first| first.clone_from(&a));
        }
    }

    fn first(&self, name: &str) -> String {
        self.0[name].clone()
    }

    fn members(&self, name: &str) -> impl Iterator<Item = &String> {
        let first = self.first(name);
        self.0.iter().filter(move |(_, other)| **other == first).map(|(name, _)| name)
    }
}

impl Policy {
    /// Quantizes the network anew; see [`Policy::calibrated`].
    pub(super) fn anew(
        &self,
        network: &mut Network,
        calibration: Option<&Calibration>,
    ) -> Result<(), PolicyError> {
        let seen = |name: &str| calibration.and_then(|all| all.tensors.get(name));
        let mut steps = BTreeMap::new();
        for (name, &bits) in &self.weight_bits {
            let at = layer_of(network, name)?;
            let layer = &network.layers[at];
            let (outputs, groups) = (outputs(network, at), groups(&layer.operator));
            let x = layer.inputs.first().and_then(|x| seen(x));
            let linear = linear_of(network, at)?;
            check_bits(name, bits, linear.bits)?;
            steps.insert(at, self.narrow(linear, bits, [outputs, groups], x));
        }
        let changes = self.changes(network, seen)?;
        for layer in &mut network.layers {
            let inputs: Vec<&Change> = layer.inputs.iter().map(|name| &changes[name]).collect();
            let rescaling = Rescaling {
                inputs: &inputs,
                output: &changes[&layer.output],
                multiplier_bits: self.multiplier_bits.unwrap_or(31),
                addition_shift: self.addition_shift,
            };
            layer.operator.rescale(&rescaling).map_err(|problem| {
                let layer = printable(&layer.name);
                PolicyError::Rescale { layer, problem }
            })?;
        }
        for tensor in &mut network.tensors {
            tensor.clone_from(&changes[&tensor.name].after);
        }
        for at in 0..network.layers.len() {
            let step = changes[&network.layers[at].inputs[0]].ratio();
            let own = steps.remove(&at).unwrap_or_else(|| vec![1.0; outputs(network, at)]);
            sums::fit(network, at, &own.into_iter().map(|own| own * step).collect::<Vec<_>>());
        }
        for state in &mut network.states {
            state.initial = changes[&state.input].integer(state.initial);
        }
        network.validate().map_err(|error| PolicyError::Network(error.to_string()))
    }

    /// What becomes of each tensor.
    fn changes<'c>(
        &self,
        network: &Network,
        seen: impl Fn(&str) -> Option<&'c Seen>,
    ) -> Result<BTreeMap<String, Change>, PolicyError> {
        let alike = Alike::of(network);
        let mut widths: BTreeMap<String, (u32, &String)> = BTreeMap::new();
        for (name, &bits) in &self.activation_bits {
            let output = network.layers.iter().find(|layer| layer.name == *name);
            let input = network.inputs.iter().find(|input| *input == name);
            let tensor = output.map(|layer| &layer.output).or(input);
            let tensor = tensor.and_then(|tensor| network.tensor(tensor));
            let tensor = tensor.ok_or_else(|| PolicyError::Activation(printable(name)))?;
            if tensor.sums.is_some() {
                let problem = "it leaves sums as they are".into();
                return Err(PolicyError::Rescale { layer: printable(name), problem });
            }
            check_bits(name, bits, tensor.bits)?;
            let (given, by) = *widths.entry(alike.first(&tensor.name)).or_insert((bits, name));
            if given != bits {
                let (one, other) = (printable(by), printable(name));
                return Err(PolicyError::Alike { one, other, bits: [given, bits] });
            }
        }
        let change = |tensor: &crate::graph::Tensor| {
            let before = tensor.clone();
            let Some((bits, _)) = widths.get(&alike.first(&tensor.name)) else {
                return Change { after: before.clone(), before };
            };
            let members = alike.members(&tensor.name).filter_map(|name| seen(name));
            let counts = members.fold(None, |sum: Option<Vec<u64>>, seen| match sum {
                None => Some(seen.counts.clone()),
                Some(sum) => Some(sum.iter().zip(&seen.counts).map(|(a, b)| a + b).collect()),
            });
            Change { after: narrowed(tensor, *bits, counts.as_deref()), before }
        };
        Ok(network.tensors.iter().map(|tensor| (tensor.name.clone(), change(tensor))).collect())
    }

    /// Cuts weights to so many bits: a step for each output, in steps before, which are returned; what is lost
    /// on average goes into the bias.
    fn narrow(
        &self,
        linear: &mut Linear,
        bits: u32,
        [outputs, groups]: [usize; 2],
        x: Option<&Seen>,
    ) -> Vec<f64> {
        if linear.weights.are_left_out() {
            linear.bits = bits;
            return vec![1.0; outputs];
        }
        let half = 1 << (bits - 1);
        let range = [if self.symmetric { 1 - half } else { -half }, half - 1];
        let fits = |&weight: &i8| i32::from(weight) >= range[0];
        if linear.bits == bits && linear.weights.iter().all(fits) {
            return vec![1.0; outputs];
        }
        let taps = linear.weights.len() / outputs;
        let (mut weights, mut bias, mut multipliers, mut steps) = (vec![], vec![], vec![], vec![]);
        for (o, own) in linear.weights.chunks(taps).enumerate() {
            let channel = |n: usize, channels: usize| {
                let depth = channels / groups;
                o * groups / outputs * depth + n % depth
            };
            let of = |n: usize| x.map(|x| x.of_channel(channel(n, x.channels())));
            let energy = |n: usize| of(n).map_or(1.0, |[_, squares]| squares);
            let (step, cut) = narrowed_weights(own, range, &energy);
            let lost = own.iter().zip(&cut).enumerate().map(|(n, (&own, &cut))| {
                let [mean, _] = of(n).unwrap_or_default();
                mean * (f64::from(own) - step * f64::from(cut))
            });
            let before = f64::from(linear.bias.get(o).copied().unwrap_or(0));
            bias.push(((before + lost.sum::<f64>()) / step).round() as i32);
            let multiplier = linear.multipliers.of(o);
            let wider = crate::graph::Multiplier::nearest(multiplier.factor() * step);
            multipliers.push(wider.unwrap_or(multiplier));
            weights.extend(cut);
            steps.push(step);
        }
        linear.weights = weights.into();
        linear.bias = bias.into();
        linear.multipliers = multipliers.into_iter().collect();
        linear.bits = bits;
        steps
    }
}

/// Groups of channels that outputs see apart.
fn groups(operator: &Operator) -> usize {
    match operator {
        Operator::Conv2d(conv) => conv.groups,
        _ => 1,
    }
}

/// Outputs of a layer that has weights: the channels of what it makes.
pub(super) fn outputs(network: &Network, at: usize) -> usize {
    network.tensor(&network.layers[at].output).map_or(1, |output| output.image()[2])
}

/// Where the layer of that name is.
pub(super) fn layer_of(network: &Network, name: &str) -> Result<usize, PolicyError> {
    let at = network.layers.iter().position(|layer| layer.name == name);
    at.ok_or_else(|| PolicyError::Layer(printable(name)))
}

/// The weights of the layer at `at`.
pub(super) fn linear_of(network: &mut Network, at: usize) -> Result<&mut Linear, PolicyError> {
    let Layer { name, operator, .. } = &mut network.layers[at];
    operator.linear_mut().ok_or_else(|| PolicyError::Layer(printable(name)))
}

pub(super) fn check_bits(name: &str, bits: u32, has: u32) -> Result<(), PolicyError> {
    match (2..=has).contains(&bits) {
        true => Ok(()),
        false => Err(PolicyError::Bits { layer: printable(name), bits, has }),
    }
}
