//! A candidate of a search: a network whose weights nobody knows yet. It has a cost
//! ([`outline`](crate::plan::outline), [`size_outline`](crate::plan::size_outline)) and nothing else: no
//! interpreter, core or file of weights takes one.
//!
//! - `file`: `candidate.json`, `docs/cost.md`; `fill`: what it may leave out; `schema`: its JSON schema.

mod file;
mod fill;
mod schema;

pub use file::{CandidateError, Known, VERSION};
pub use schema::schema;

use crate::basics::check::{Result, fits, within};
use crate::basics::{Linear, Multiplier, Multipliers, Numbers, Tensor};
use crate::graph::{Layer, Network};
use crate::lowering::{Weights, offset};
use crate::plan::Shapes;
use crate::policy::Policy;

/// Most outputs of all layers with weights together: as many scales as the largest core holds.
pub const MOST_OUTPUTS: usize = 1 << 18;

/// A network without weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its lists of weights are left out.
    network: Network,
    /// What is known of each layer's weights, if it has any.
    known: Vec<Option<Known>>,
    /// What stands in for them.
    stand_ins: Vec<Option<Weights>>,
}

impl<'c> From<&'c Candidate> for Shapes<'c> {
    fn from(candidate: &'c Candidate) -> Shapes<'c> {
        Shapes { network: &candidate.network, stand_ins: &candidate.stand_ins }
    }
}

impl Candidate {
    /// What is left of a network when the weights are taken out.
    ///
    /// # Errors
    /// More outputs than any core has scales for; a sum that weights at their bound take beyond 32 bits.
    pub fn of(network: &Network) -> Result<Candidate> {
        network.validate()?;
        let mut network = network.clone();
        let known = |layer: &mut Layer| layer.operator.linear_mut().map(take_out);
        let known = network.layers.iter_mut().map(known).collect();
        Candidate::new(network, known)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.network.name
    }

    /// Layers of it.
    pub fn layers(&self) -> usize {
        self.network.layers.len()
    }

    /// The candidate with numbers of other widths: those of the policy. Of version 2 also activations,
    /// multipliers and additions; ranges are all that tensors could hold.
    ///
    /// # Errors
    /// A layer or a width that is not there.
    pub fn with(&self, policy: &Policy) -> std::result::Result<Candidate, CandidateError> {
        let narrowed = policy.apply(&self.network)?;
        if policy.version > 1 {
            let mut known = self.known.clone();
            for (layer, known) in narrowed.layers.iter().zip(&mut known) {
                let named = [&policy.weight_bits, &policy.rounded_bits];
                let narrow = named.iter().any(|widths| widths.contains_key(&layer.name));
                if let Some(known) = known.as_mut().filter(|_| narrow) {
                    known.symmetric |= policy.symmetric;
                }
            }
            return Ok(Candidate::new(narrowed, known)?);
        }
        let mut network = self.network.clone();
        for (layer, narrowed) in network.layers.iter_mut().zip(&narrowed.layers) {
            let linear = layer.operator.linear_mut().zip(narrowed.operator.linear());
            if let Some((linear, narrowed)) = linear {
                (linear.bits, linear.shared) = (narrowed.bits, narrowed.shared);
            }
        }
        Ok(Candidate::new(network, self.known.clone())?)
    }

    /// Checks it and lets bounds stand in for its weights.
    fn new(network: Network, known: Vec<Option<Known>>) -> Result<Candidate> {
        let mut candidate = Candidate { network, known, stand_ins: vec![] };
        candidate.network.validate()?;
        let layers = candidate.network.layers.iter();
        let linear = layers.filter(|layer| layer.operator.linear().is_some());
        let outputs = |layer: &Layer| candidate.network.tensor(&layer.output).map(Tensor::image);
        let outputs: usize = linear.filter_map(outputs).map(|[.., channels]| channels).sum();
        within("network", "outputs in all", outputs as i64, 0, MOST_OUTPUTS as i64)?;
        candidate.stand_in()?;
        Ok(candidate)
    }

    fn stand_in(&mut self) -> Result<()> {
        let tensors = self.network.tensors.iter();
        let tensors: std::collections::HashMap<&str, &Tensor> =
            tensors.map(|tensor| (&tensor.name[..], tensor)).collect();
        let (layers, known) = (self.network.layers.iter_mut(), &self.known);
        let stand_in = |(layer, known): (&mut Layer, &Option<Known>)| {
            let (x, z) = (tensors.get(&layer.inputs[0][..]), tensors.get(&layer.output[..]));
            let (Some(known), Some(&x), Some(&z)) = (known, x, z) else { return Ok(None) };
            let taps = layer.operator.known().taps(&[x], z);
            let Some(linear) = layer.operator.linear_mut() else { return Ok(None) };
            known.stand_in(&layer.name, linear, (taps, x, z)).map(Some)
        };
        self.stand_ins = layers.zip(known).map(stand_in).collect::<Result<_>>()?;
        Ok(())
    }
}

impl Known {
    /// The worst that weights can be: all of them farthest below 0, so that a zero point and the bias make
    /// their sum larger still.
    fn stand_in(
        &self,
        layer: &str,
        linear: &mut Linear,
        (taps, x, z): (usize, &Tensor, &Tensor),
    ) -> Result<Weights> {
        let place = format!("layer `{layer}`");
        let least = linear.farthest(self.symmetric);
        let bound = taps as i64 * i64::from(linear.read(least)).abs();
        let magnitude = self.magnitude.map_or(bound, |known| i64::from(known).min(bound));
        fits(&place, magnitude * i64::from(x.reach()) + i64::from(self.bias))?;
        let bias = self.bias.min(i32::MAX as u32) as i32;
        let bias = if x.zero_point < offset(x) { -bias } else { bias };
        linear.bias = match bias {
            0 => Numbers::from(vec![]),
            bias => vec![bias; z.image()[2]].into(),
        };
        Ok(Weights { sum: -magnitude, magnitude, least })
    }
}

/// Takes the numbers out of a layer; what is known of them.
fn take_out(linear: &mut Linear) -> Known {
    let least = linear.weights.iter().min().copied().unwrap_or_default();
    let bias = linear.bias.iter().map(|bias| bias.unsigned_abs()).max().unwrap_or(0);
    let multipliers = 0..linear.multipliers.mantissas.len();
    // one that needs the bits of all, and shifts as far to the left as any
    let multiplier = multipliers.map(|n| linear.multipliers.of(n)).reduce(|a, b| Multiplier {
        mantissa: a.mantissa | b.mantissa,
        shift: a.shift.max(b.shift),
    });
    let symmetric = least >= linear.farthest(true);
    let known = Known { symmetric, bias, magnitude: None };
    leave_out(linear, multiplier.unwrap_or(Multiplier { mantissa: 0, shift: 0 }));
    known
}

/// Numbers of a layer that nobody knows, rescaled by a multiplier that is said.
fn leave_out(linear: &mut Linear, multiplier: Multiplier) {
    linear.weights = Numbers::left_out();
    linear.bias = vec![].into();
    linear.multipliers = Multipliers::from_iter([multiplier]);
}
