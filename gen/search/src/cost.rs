//! What a subnet costs: the generator's own planner says it, there is no table of latencies.

use crate::integers::{self, IntegerError};
use crate::space::Subnet;
use crate::supernet::Supernet;
use hwgen_area::{Family, Resources, estimate};
use hwgen_boards::build::may_fit;
use hwgen_designs::cnn::{CnnSpec, Multiplier};
use hwgen_designs::generate::Generate;
use hwgen_network::candidate::Candidate;
use hwgen_network::graph::Network;
use hwgen_network::plan::{self, Budget, HalfBytes, Plan, PlanError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a core may have, and what of it is to be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Multipliers of the core.
    pub multipliers: u32,
    /// Bits of a multiplier: `25x18`, `18x18`, `16x16`.
    #[serde(with = "kind")]
    #[schemars(with = "String")]
    pub kind: Multiplier,
    /// Large memories have one port.
    pub single_port: bool,
    /// Lanes may have two weights, activations may lie two in a byte: without it a core gains nothing by narrow
    /// numbers but memory.
    pub narrow: bool,
    /// Cycles a second.
    pub hertz: u64,
    /// The device that has to have room for the core, by the estimates that `hwgen build` begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// How a multiplier is told.
mod kind {
    use hwgen_designs::cnn::Multiplier;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(kind: &Multiplier, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(kind.bits())
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Multiplier, D::Error> {
        let told = String::deserialize(from)?;
        let named = Multiplier::ALL.into_iter().find(|kind| kind.bits() == told);
        named.ok_or_else(|| {
            D::Error::custom(format!("multipliers of `{told}`; there are 25x18, 18x18 and 16x16"))
        })
    }
}

/// Why there is no cost.
#[derive(Debug, Error)]
pub enum CostError {
    /// The subnet is no network.
    #[error(transparent)]
    Integers(#[from] IntegerError),
    /// No core runs it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The smallest core that runs it is too large for the device.
    #[error(
        "{device} has no room for the smallest core that there is, of {multipliers} multipliers"
    )]
    Room {
        /// The device.
        device: String,
        /// Multipliers of that core.
        multipliers: u32,
    },
}

/// A subnet's cost on the fastest core within the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Cycles of an inference, transfers among them.
    pub cycles: u64,
    /// Bytes of weights that are stored.
    pub weight_bytes: u64,
    /// Bytes of activations in use at most, in the bank that is used most.
    pub activation_bytes: u64,
    /// The core.
    pub core: CnnSpec,
}

/// LUT, FF, DSP and BRAM that a core takes on Xilinx 7, as `docs/area.md` estimates them.
pub fn area(core: &CnnSpec) -> [u64; 4] {
    let Resources { lut, ff, dsp, bram, .. } = estimate(&core.build(), Family::Xilinx7);
    [lut, ff, dsp, bram]
}

impl Target {
    /// What a subnet costs; weights need not be trained.
    ///
    /// # Errors
    /// No core within the target runs it.
    pub fn cost(&self, supernet: &Supernet, subnet: &Subnet) -> Result<Cost, CostError> {
        let network = integers::network(supernet, subnet, integers::Figures::Blank)?;
        let budget = self.budget(&network);
        let candidate = Candidate::of(&network).map_err(IntegerError::from)?;
        let (core, plan) = plan::size_outline(&candidate, budget)?;
        Ok(Cost {
            cycles: plan.cycles(),
            weight_bytes: (plan.image.planes as u64 * u64::from(core.lanes)).div_ceil(8),
            activation_bytes: plan.bank_bytes.into(),
            core,
        })
    }

    /// The cost on a core that the device has room for: while it has none, within fewer multipliers. Also the
    /// multipliers that were allowed then.
    ///
    /// # Errors
    /// No core within the target runs it, or none that the device has room for.
    pub fn fitted(&self, supernet: &Supernet, subnet: &Subnet) -> Result<(Cost, u32), CostError> {
        let mut cost = self.cost(supernet, subnet)?;
        let mut allowed = self.multipliers;
        while let Some(device) = self.device.as_ref().filter(|d| !may_fit(&cost.core.build(), d)) {
            let multipliers = cost.core.multipliers_of(self.kind);
            allowed = multipliers.saturating_sub(1);
            let smaller = Target { multipliers: allowed, ..self.clone() };
            let room = |_| CostError::Room { device: device.clone(), multipliers };
            cost = smaller.cost(supernet, subnet).map_err(room)?;
        }
        Ok((cost, allowed))
    }

    /// A trained network on a core.
    ///
    /// # Errors
    /// The core does not run it.
    pub fn plan(network: &Network, core: &CnnSpec) -> Result<Plan, CostError> {
        Ok(plan::plan(network, core)?)
    }

    /// Milliseconds of so many cycles.
    pub fn milliseconds(&self, cycles: u64) -> f64 {
        1e3 * cycles as f64 / self.hertz as f64
    }

    fn budget(&self, network: &Network) -> Budget {
        let of = Budget::of(network, self.multipliers);
        let dual = self.narrow && of.dual;
        let nibbles = if self.narrow { of.nibbles } else { HalfBytes::Never };
        // large memories of one port have whole rows: lanes of two weights of 4 bits fill them, too
        let narrow_weights = of.narrow_weights && !self.single_port;
        let (kind, single_port) = (self.kind, self.single_port);
        Budget { kind, single_port, dual, nibbles, narrow_weights, ..of }
    }
}
