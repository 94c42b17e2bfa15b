//! Attention whole behind AXI: it marks its rows itself, so nothing stands before it.

use super::lapa::MEANINGS as OF_LAPA;
use super::spec::{AxiSpec, Engine};
use crate::generate::Generate;
use crate::layer::LayerSpec;
use hwgen_hdl::Module;
use std::sync::Arc;

/// Attention from tokens to its output behind AXI, sized.
pub type LapaLayerAxiSpec = AxiSpec<LayerSpec>;

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

impl Engine for LayerSpec {
    const TOP: &'static str = "lapa_axi";
    const TOP_SUMMARY: &'static str =
        "LAPA from tokens to attention output behind AXI4-Stream and AXI4-Lite";

    fn core(&self) -> Arc<Module> {
        self.build()
    }

    fn meanings() -> Vec<(&'static str, &'static str)> {
        [OF_LAPA, MEANINGS].concat()
    }
}
