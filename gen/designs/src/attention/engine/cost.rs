//! Cycles of the whole engine.
//!
//! A head's keys are loaded when the exact stage has read the head before, and by then the
//! predictor is empty: it starts each head afresh, and hands over each group in the cycle its own
//! model tells, or when the exact stage takes it. Only where a full exact stage holds the predictor
//! up for long and then starves is this off, by a few cycles: groups that waited in the predictor
//! follow each other faster than they were made.

pub use crate::attention::attend::cost::HeadShape;

use super::Engine;
use crate::attention::attend::cost as exact;
use crate::cost::Cost;

impl<E: Engine> Cost for E {
    type Workload = [HeadShape];

    /// The cycle at whose end each row's result passes when no stream stalls; cycle 0 takes the first
    /// key.
    fn result_cycles(&self, heads: &[HeadShape]) -> Vec<u64> {
        let (predictor, attend) = (self.predictor(), self.attend());
        let mut timing = exact::Timing::new(&attend);
        for head in heads {
            timing.head(head, &predictor.result_cycles(std::slice::from_ref(head)));
        }
        timing.taken
    }
}
