//! Cores for a network of which nobody says how large they are to be.

use hwgen_designs::cnn::CnnSpec;
use hwgen_network::graph::Network;
use hwgen_network::plan::{Budget, Plan, size};

/// The most multipliers that such a core has.
const MOST: u32 = 256;

/// The cores that `--multipliers N` gives of all N, the fastest first; each has fewer multipliers than the
/// one before.
pub(crate) fn cores(
    network: &Network,
    single_port: bool,
) -> impl Iterator<Item = (CnnSpec, Plan)> + '_ {
    let narrow_weights = {
        let mut linear = network.layers.iter().filter_map(|layer| layer.operator.linear());
        linear.any(|linear| linear.bits < 8)
    };
    let mut most = Some(MOST);
    std::iter::from_fn(move || {
        let multipliers = most?;
        let budget = Budget { multipliers, packed: true, narrow_weights, single_port };
        let core = size(network, budget).ok();
        most = core.as_ref().and_then(|(spec, _)| spec.all_multipliers().checked_sub(1));
        core
    })
}

/// A core in words.
pub(crate) fn told(spec: &CnnSpec) -> String {
    let ports = if spec.single_port { ", memories of one port" } else { "" };
    format!("{} multipliers{ports}", spec.all_multipliers())
}
