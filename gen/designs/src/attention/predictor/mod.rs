//! What predictors of attention share: keys of a head in banks, query rows cut into groups of
//! keys, pipes that never stall, the search of a row's k-th largest score, and their timing.
//!
//! A predictor takes a head's keys, then its query rows; a row passes one or more pipes. In front of
//! a pipe stand groups of `rows` keys, behind it a queue in which they wait for something that
//! only the whole row tells: a threshold, a maximum, a sum.

pub mod check;
pub mod drive;
pub(crate) mod fold;
pub(crate) mod front;
pub mod golden;
pub mod head;
pub(crate) mod key_bank;
pub(crate) mod leading_one;
pub(crate) mod pipe;
pub(crate) mod scores;
pub mod timing;
pub(crate) mod top_k;

use crate::attention::attend::cost::HeadShape;
use crate::cost::Cost;
use crate::generate::Generate;
use head::Predict;

/// A predictor that can stand before the exact stage: streams `keys` (`data`, `last`), `queries`
/// (`data`, `visible`, .., `last`) in, `out` (`survivors`, `row_last`, ..) out.
pub trait Predictor: Generate + Predict + Cost<Workload = [HeadShape]> {
    /// Cycles between rows that see `visible` keys each, in steady state.
    fn cycles_per_row(&self, visible: u32) -> u32;

    /// Cycles from a query to the first beat of its result, for a row that sees `visible` keys in an
    /// idle predictor and is its head's only one.
    fn latency_cycles(&self, visible: u32) -> u64 {
        let keys = self.size().max_keys;
        let head = HeadShape { keys, visible: vec![visible], rows: vec![] };
        self.result_cycles(&[head])[0] - u64::from(keys)
    }
}

/// Latency and throughput of a predictor, whose rows follow each other in a way told in `rows`.
pub(crate) fn latency(spec: &impl Predictor, rows: &str) -> String {
    let full = spec.size().max_keys;
    let few = spec.size().rows.min(full);
    format!(
        "{} cycles from a query to the first beat of its result if it sees {full} keys, {} if it sees {few}; \
         then {} cycles a row of {full} keys ({rows}); a head's keys load in a cycle each",
        spec.latency_cycles(full),
        spec.latency_cycles(few),
        spec.cycles_per_row(full),
    )
}
