//! FACT's predictor: both operands of a product in leading-one form, a fixed part of a row's keys.
//!
//! Source: "FACT" (ISCA 2023); widths, ties and rounding are our definition, written out in
//! `docs/baselines.md`. The circuit: `predictor` loads codes of keys into banks, a `row` a key of the
//! group adds exponents and sums up powers of two, and the search that predictors share finds the k-th largest
//! score. [`cost`] tells its cycles exactly.

mod check;
pub mod cost;
pub mod golden;
mod predictor;
mod row;
pub mod spec;

pub use spec::FactPredictorSpec;

use hwgen_hdl::Module;
use std::sync::Arc;

impl crate::generate::Generate for FactPredictorSpec {
    const NAME: &'static str = "fact_predictor";
    const SUMMARY: &'static str = "FACT's predictor: powers of two on both sides, row-wise top-k";
    const PAGE: &'static str = "docs/baselines.md";

    const SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2",
        "max_keys=13 head_dim=3 rows=1 keep256=256",
        "max_keys=1 head_dim=1 rows=4 keep256=1",
    ];

    /// It takes heads as [`lapa::build`](hwgen_designs::attention::lapa_predictor::build) does. Streams:
    /// `keys` and `queries` in, `out` out: `survivors` (key 0 of the group low), `row_last`.
    fn circuit(&self) -> Arc<Module> {
        predictor::module(self)
    }

    fn latency(&self) -> String {
        crate::attention::predictor::latency(self, "a search of the threshold a row")
    }

    fn diagram(&self) -> String {
        let (rows, dim, bits) = (self.rows, self.head_dim, self.score_bits());
        let score = format!(
            "{rows} banks of codes -> {rows} x ({dim} exponent adders, adder tree) -> s{bits} --"
        );
        let margin = " ".repeat(score.len());
        format!(
            "keys ----> leading-one codes into banks, a key a cycle\n\
             queries -> leading-one codes\n   \
             |  groups of {rows} keys\n\
             {score}+--> score queue ---------------+--> filter\n\
             {margin}+--> search of the k-th largest-+\n   \
             |\n\
             out: survivors, row_last\n"
        )
    }
}
