//! Cores for a network of which nobody says how large they are to be.

use hwgen_designs::cnn::CnnSpec;
use hwgen_network::graph::Network;
use hwgen_network::plan::{Budget, Plan, SUPPORTED_MULTIPLIERS, size};

/// The cores that `--multipliers N` gives of all N, the fastest first; each has fewer multipliers than the
/// one before.
pub(crate) fn cores(
    network: &Network,
    single_port: bool,
) -> impl Iterator<Item = (CnnSpec, Plan)> + '_ {
    let mut most = Some(SUPPORTED_MULTIPLIERS);
    std::iter::from_fn(move || {
        let multipliers = most?;
        let budget = Budget { single_port, ..Budget::of(network, multipliers) };
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
