//! Cores for a network of which nobody says how large they are to be.

use hwgen_boards::board::Family;
use hwgen_designs::cnn::{CnnSpec, Multiplier};
use hwgen_network::graph::Network;
use hwgen_network::plan::{Budget, Plan, SUPPORTED_MULTIPLIERS, size};

/// The cores that `--multipliers N` gives of all N, with whatever else is wanted, the fastest first; each has
/// fewer multipliers than the one before.
pub(crate) fn cores(
    network: &Network,
    wanted: Budget,
) -> impl Iterator<Item = (CnnSpec, Plan)> + '_ {
    let mut most = Some(SUPPORTED_MULTIPLIERS);
    std::iter::from_fn(move || {
        let budget = Budget { multipliers: most?, ..wanted };
        let core = size(network, budget).ok();
        most = core.as_ref().and_then(|(spec, _)| spec.multipliers_of(wanted.kind).checked_sub(1));
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

/// A core in words, its multipliers as they are made of those of a kind.
pub(crate) fn told(spec: &CnnSpec, kind: Multiplier) -> String {
    let ports = if spec.single_port { ", memories of one port" } else { "" };
    format!("{}{ports}", multipliers(spec, kind))
}

/// How many multipliers a core has, of which bits where they are not the usual ones.
pub(crate) fn multipliers(spec: &CnnSpec, kind: Multiplier) -> String {
    let count = spec.multipliers_of(kind);
    match kind {
        Multiplier::Bits25x18 => format!("{count} multipliers"),
        _ => format!("{count} multipliers of {} bits", kind.bits()),
    }
}
