//! SpAtten's attention: no look ahead, but tokens pruned by the attention they drew, keys fetched in
//! two halves, values of the largest weights only.
//!
//! Numbers, streams and cycles are defined in `docs/baselines.md`. The circuit: [`scores`] of a row's
//! keys, by their high nibbles first; [`weights`] and their sum, which tells whether the low nibbles are
//! needed; [`select`] finds the largest weights; the [`walk`] adds up the [`importance`] of every key and
//! hands the chosen ones to the exact stage's value and division units; [`heads`] sums up what comes out.
//! [`tokens`], a design of its own, makes of importance the tokens of the next layer.

mod accept;
mod check;
pub mod cost;
pub mod drive;
mod engine;
pub mod golden;
mod heads;
mod importance;
mod load;
mod memory;
mod scores;
mod select;
pub mod spec;
pub mod tokens;
pub mod tokens_drive;
mod walk;
mod weights;

pub use spec::SpattenAttentionSpec;
pub use tokens::SpattenTokensSpec;

use crate::cost::Cost;
use hwgen_hdl::Module;
use std::sync::Arc;

/// The circuit; top module `spatten_attention`.
///
/// Streams: `keys`, `queries` in; `out`, `heads`, `importance` out. A head's keys are taken after reset
/// and after the last row of the head before has read its last value; at a layer's end, after
/// `importance` has been read out. Keys that are not live, and those beyond `max_keys`, are taken and
/// forgotten. Queries may come at any time.
///
/// `spec` must be one that [`validate`](crate::spec::Spec::validate) accepts.
pub fn build(spec: &SpattenAttentionSpec) -> Arc<Module> {
    engine::module(spec)
}

impl crate::generate::Generate for SpattenAttentionSpec {
    const NAME: &'static str = "spatten_attention";
    const SUMMARY: &'static str =
        "SpAtten: attention that prunes tokens, heads, values and bits of keys";
    const PAGE: &'static str = "docs/baselines.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2 lanes=4",
        "max_keys=13 head_dim=5 rows=4 lanes=2 probability_bits=6 keep256=256",
        "max_keys=1 head_dim=1 rows=1 lanes=1 window=2 tau256=0",
    ];

    fn circuit(&self) -> Arc<Module> {
        build(self)
    }

    fn latency(&self) -> String {
        let row = |keys: u32| cost::Row { keys, flat: false, values: keys, last_value: true };
        let head = |keys| cost::Head { live: keys, keys, rows: vec![row(keys)], layer_last: false };
        let one = self.result_cycles(&[head(1)])[0] - 1;
        format!(
            "{one} cycles from the query of a row with one key to its result; a key takes {} cycle(s) to score, \
             as many again if its low nibbles are needed, and as many to add its value; a head's keys load in a cycle each",
            self.exact().beats(),
        )
    }

    fn diagram(&self) -> String {
        let lanes = self.exact().multipliers();
        let (bits, rows) = (self.probability_bits, self.rows);
        format!(
            "\
keys ----> high nibbles, low nibbles, values: a memory each
queries -> {window} slots --> {lanes} products of nibbles -> adder tree -> logit -> weight ({bits} bits) -> sum, flat?
                    ^                                                                              |
                    +--- flat rows once more, low nibbles <----------------------------------------+
weights --> k-th largest, {rows} a cycle --> walk --+--> {lanes} products -> 2 banks of sums -> {dividers} dividers -> out
                                             +--> probability -> counter a key -> importance
out --> sum of magnitudes -> heads
",
            window = self.window,
            dividers = self.exact().dividers(),
        )
    }
}
