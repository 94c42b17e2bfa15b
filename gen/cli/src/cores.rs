//! Cores for a network of which nobody says how large they are to be.

use hwgen_boards::board::Family;
use hwgen_designs::cnn::{CnnSpec, Multiplier};
use hwgen_network::graph::Network;
use hwgen_network::plan::{Budget, Plan, SUPPORTED_MULTIPLIERS, size};

/// The cores that `--multipliers N` gives of all N, the fastest first; each has fewer multipliers than the
/// one before.
pub(crate) fn cores(
    network: &Network,
    single_port: bool,
    kind: Multiplier,
) -> impl Iterator<Item = (CnnSpec, Plan)> + '_ {
    let mut most = Some(SUPPORTED_MULTIPLIERS);
    std::iter::from_fn(move || {
        let multipliers = most?;
        let budget = Budget { single_port, kind, ..Budget::of(network, multipliers) };
        let core = size(network, budget).ok();
        most = core.as_ref().and_then(|(spec, _)| spec.multipliers_of(kind).checked_sub(1));
        core
    })
}

/// What a board's multipliers are.
pub(crate) fn multipliers_of(family: Family) -> Multiplier {
    match family {
        Family::Xilinx7 => Multiplier::Bits25x18,
        Family::Ecp5 | Family::Gowin => Multiplier::Bits18x18,
        Family::Ice40 => Multiplier::Bits16x16,
    }
}

/// A core in words.
pub(crate) fn told(spec: &CnnSpec) -> String {
    let ports = if spec.single_port { ", memories of one port" } else { "" };
    format!("{} multipliers{ports}", spec.all_multipliers())
}
