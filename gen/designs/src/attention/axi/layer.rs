//! Attention whole behind AXI: it marks its rows itself, so nothing stands before it.

use super::lapa::MEANINGS as OF_LAPA;
use super::spec::{AxiSpec, Engine};
use crate::attention::lapa::LapaSpec;
use crate::generate::Generate;
use hwgen_hdl::Module;
use std::sync::Arc;

/// Attention from tokens to its output behind AXI, sized.
pub type LapaAxiSpec = AxiSpec<LapaSpec>;

/// What the counters mean that LAPA alone does not have.
const MEANINGS: &[(&str, &str)] = &[
    ("columns", "keys the predictor has taken"),
    ("columns_needed", "keys and values that were made"),
    ("filling", "cycles in which no key head is worked on"),
    ("predicting_keys", "cycles in which a token waits for the layer that predicts keys"),
    ("making_queries", "cycles in which a token waits for the layer that makes queries"),
    ("making_columns", "cycles in which a token waits for the layer that makes keys and values"),
    ("overtaking", "rows attended to before an older one"),
    ("feed_tokens", "tokens the feed-forward block has taken"),
    ("feed_precise", "tokens it has taken at eight bits"),
    ("feeding", "cycles in which a token waits for the feed-forward block"),
    (
        "feed_starved",
        "cycles in which the block's next token is not there, but its precision is known",
    ),
];

impl Engine for LapaSpec {
    const TOP: &'static str = "lapa_axi";
    const TOP_SUMMARY: &'static str =
        "LAPA from tokens to attention output behind AXI4-Stream and AXI4-Lite";
    const TOP_SIZES: &'static [&'static str] = &[
        "inputs=5 max_keys=2 head_dim=1 rows=1 lanes=1 log_lanes=1 query_lanes=1 \
         key_value_lanes=1 max_heads=1 hidden=2 first_lanes=1 second_lanes=1 bus_bits=32",
        "inputs=1 max_keys=2 head_dim=3 rows=1 lanes=1 log_lanes=1 query_lanes=1 \
         key_value_lanes=1 max_heads=1 predict_keys=false counters=false hidden=0 bus_bits=32",
        "inputs=1 max_keys=1 head_dim=1 rows=1 lanes=1 query_lanes=1 key_value_lanes=1 \
         max_heads=1 predict_keys=false filter.mode=radius hidden=0 bus_bits=64",
    ];

    fn core(&self) -> Arc<Module> {
        self.build()
    }

    fn meanings() -> Vec<(&'static str, &'static str)> {
        [OF_LAPA, MEANINGS].concat()
    }
}
