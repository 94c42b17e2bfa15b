//! Sanger's predictor: a softmax of four-bit queries and keys, and a least probability.
//!
//! Source: "Sanger" (MICRO 2021); normalizing, exponential and widths are our definition, written
//! out in `docs/baselines.md`. The circuit: `predictor` loads keys in short into banks, a `row` a key of
//! the group multiplies and scales, a `weight` a key looks its exponential up once the row's
//! largest logit is known, and keys are kept once the row's sum is. [`cost`] tells its cycles exactly.

mod check;
pub mod cost;
pub mod golden;
mod predictor;
mod row;
mod shorten;
pub mod spec;
mod weight;

pub use spec::SangerPredictorSpec;

use hwgen_hdl::Module;
use std::sync::Arc;

impl crate::generate::Generate for SangerPredictorSpec {
    const NAME: &'static str = "sanger_predictor";
    const SUMMARY: &'static str = "Sanger's predictor: four-bit products, softmax, threshold";
    const PAGE: &'static str = "docs/baselines.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2",
        "max_keys=13 head_dim=3 rows=1 row_normalise=false threshold65536=1311",
        "max_keys=1 head_dim=1 rows=4 probability_bits=16 threshold65536=65535",
    ];

    /// It takes heads as [`lapa::build`](hwgen_designs::attention::lapa_predictor::build) does. Streams:
    /// `keys` and `queries` in, `out` out: `survivors` (key 0 of the group low), `row_last`.
    fn circuit(&self) -> Arc<Module> {
        predictor::module(self)
    }

    fn latency(&self) -> String {
        crate::attention::predictor::latency(self, "a group of keys a cycle, rows back to back")
    }

    fn diagram(&self) -> String {
        let (rows, dim, bits) = (self.rows, self.head_dim, self.probability_bits);
        let score = format!(
            "{rows} banks of short keys -> {rows} x ({dim} products, adder tree, scale) --"
        );
        let weight = format!("   |  {rows} x (table, shift) -> weights of {bits} bits ");
        let weight = format!("{weight:-<width$}", width = score.len());
        let margin = " ".repeat(score.len());
        format!(
            "keys ----> shift, four bits an element, into banks, a key a cycle\n\
             queries -> shift, four bits an element\n   \
             |  groups of {rows} keys\n\
             {score}+--> logit queue ----+--> below the largest\n\
             {margin}+--> largest --------+\n\
             {weight}+--> weight queue ---+--> filter\n\
             {margin}+--> sum, limit -----+\n   \
             |\n\
             out: survivors, row_last\n"
        )
    }
}
