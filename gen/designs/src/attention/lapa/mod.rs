//! Attention whole, from tokens to the attention's output: keys are predicted before they exist,
//! keys and values made for the columns that a row keeps, rows attended to as theirs are made; and the
//! feed-forward block behind it.
//!
//! ```text
//! tokens -> token memory --+--> log_linear --> predictor's keys
//!                          +--> linear (queries) --+--> predictor --+--> importance
//!                          |                       |                +--> requests --+
//!                          |                       +--> row window <-- rows, marks -+--> attend --> out
//!                          +--> linear (keys, values) <-- columns ------------------+      ^
//!                                       +---------------- keys, values --------------------+
//! feed_tokens --> feed_forward, int8 or int4 by importance --> feed_out
//! ```
//!
//! Definition: `docs/lapa.md`. [`spec`] has the parameters, `circuit` puts the parts together: `job`
//! says what is at work, `tokens` keeps and reads the tokens, `requests` says which columns are made
//! and `window` which row goes next, `on_demand` puts the two around the exact stage, `feed` is the
//! feed-forward block.
//! [`cost`] tells its cycles, closely.

mod check;
mod circuit;
mod columns;
pub mod cost;
mod counters;
pub mod drive;
mod feed;
pub mod golden;
mod job;
mod on_demand;
mod requests;
mod slots;
pub mod spec;
mod tokens;
mod window;

pub use spec::LapaSpec;

use crate::attention::Shape;
use crate::generate::Generate;
use hwgen_hdl::Module;
use std::sync::Arc;

impl Generate for LapaSpec {
    const NAME: &'static str = "lapa";
    const SUMMARY: &'static str = "LAPA from tokens on: predicted keys, keys and values on demand, \
                                   rows out of order, feed-forward by importance";
    const PAGE: &'static str = "docs/lapa.md";

    const SIZES: &'static [&'static str] = &[
        "inputs=3 max_keys=4 head_dim=2 rows=2 lanes=2 log_lanes=2 query_lanes=2 \
         key_value_lanes=2 max_heads=2 row_window=3 hidden=3 first_lanes=2 second_lanes=2",
        "inputs=2 max_keys=5 head_dim=1 rows=4 lanes=1 log_lanes=1 query_lanes=1 \
         key_value_lanes=2 max_heads=3 queries_per_key=2 causal=true counters=false \
         row_window=1 hidden=0",
        "inputs=1 max_keys=1 head_dim=1 rows=1 lanes=1 query_lanes=1 key_value_lanes=1 \
         max_heads=1 predict_keys=false filter.mode=radius hidden=0",
    ];

    fn circuit(&self) -> Arc<Module> {
        circuit::module(self)
    }

    fn latency(&self) -> String {
        let queries = self.query_layer().token_cycles(true);
        let made = self.key_value_layer().token_cycles(true);
        let predicted = match self.predict_keys {
            true => format!("{} cycles a predicted key, ", self.log_layer().token_cycles()),
            false => String::new(),
        };
        let feed = match self.feed_forward() {
            Some(feed) => format!("\nfeed-forward block: {}", feed.latency()),
            None => String::new(),
        };
        format!(
            "{predicted}{queries} a query, {made} a key and value{}; predictor: {}\nexact stage: {}{feed}",
            if self.predict_keys { " that a row keeps" } else { "" },
            self.predictor().latency(),
            self.attend().latency(),
        )
    }

    fn diagram(&self) -> String {
        let LapaSpec { inputs, log_lanes, query_lanes, key_value_lanes, .. } = self;
        let Shape { head_dim, max_keys, .. } = self.shape();
        let double = 2 * head_dim;
        let tokens = format!("tokens -> memory, {max_keys} x {inputs} --+--> ");
        let pad = format!("{}+--> ", " ".repeat(tokens.len() - 5));
        let (query, made) = (
            format!("linear, {query_lanes} lanes, {head_dim} outputs: queries --> predictor, rows"),
            format!("linear, {key_value_lanes} lanes, {double} outputs: keys, values"),
        );
        let parts = match self.predict_keys {
            true => format!(
                "{tokens}log_linear, {log_lanes} lanes: predicted keys --> predictor\n\
                 {pad}{query}\n\
                 {pad}{made} of needed columns --> exact stage\n\
                 predictor -> memory of survivors, columns asked for, importance\n"
            ),
            false => format!(
                "{tokens}{made} --> predictor, exact stage\n\
                 {pad}{query}\n\
                 predictor -> survivor queue, importance\n"
            ),
        };
        let feed = match self.feed_forward() {
            Some(feed) => format!(
                "feed_tokens, with their importance -> linear to {} -> linear to {} -> feed_out\n",
                feed.hidden, feed.outputs
            ),
            None => String::new(),
        };
        format!("{parts}queues -> exact stage -> out\n{feed}")
    }
}
