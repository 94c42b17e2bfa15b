//! Built-in networks, their weights random but calibrated: no tensor is constant or saturated.
//!
//! - [`kws_mini`]: a small keyword spotter, for tests and benchmarks.
//! - [`cenet`]: CENet and CENet-GCN (arXiv 1912.05124).
//! - `builder`: draws weights, folds normalization, calibrates; `real`: the layers in real numbers.

mod builder;
pub mod cenet;
mod kws_mini;
mod real;

pub use builder::Built;
pub use kws_mini::{kws_mini, kws_mini_at};

/// The names [`build`] knows.
pub const NAMES: [&str; 7] =
    ["kws_mini", "cenet_6", "cenet_24", "cenet_40", "cenet_gcn_6", "cenet_gcn_24", "cenet_gcn_40"];

/// A built-in network by its name.
pub fn build(name: &str, seed: u64) -> Option<Built> {
    let cenet = |blocks, gcn| Some(cenet::cenet(blocks, gcn, seed));
    match name {
        "kws_mini" => Some(kws_mini::built(seed, 8, 8)),
        "cenet_6" => cenet(cenet::Blocks::Six, false),
        "cenet_24" => cenet(cenet::Blocks::TwentyFour, false),
        "cenet_40" => cenet(cenet::Blocks::Forty, false),
        "cenet_gcn_6" => cenet(cenet::Blocks::Six, true),
        "cenet_gcn_24" => cenet(cenet::Blocks::TwentyFour, true),
        "cenet_gcn_40" => cenet(cenet::Blocks::Forty, true),
        _ => None,
    }
}
