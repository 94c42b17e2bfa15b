//! What predictors of attention share: keys of a head in banks, query rows cut into groups of
//! keys, pipes that never stall, the search of a row's k-th largest score, and their timing.
//!
//! A predictor takes a head's keys, then its query rows; a row passes one or more pipes. In front of
//! a pipe stand groups of `rows` keys, behind it a queue in which they wait for something that
//! only the whole row tells: a threshold, a maximum, a sum.

pub(crate) mod check;
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
pub trait Predictor: Generate + Predict + Cost<Workload = [HeadShape]> {}
