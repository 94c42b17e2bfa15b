//! LAPA behind AXI: a sequencer marks its rows.

use super::spec::{AxiSpec, Engine};
use crate::attention::engine::LapaAttentionSpec;
use crate::axi::sequence;
use crate::axi::sequence::MEANINGS as OF_ROWS;
use hwgen_hdl::Module;
use std::sync::Arc;

/// LAPA behind AXI, sized.
pub type LapaAttentionAxiSpec = AxiSpec<LapaAttentionSpec>;

/// What the engine's settings and counters mean.
pub(super) const MEANINGS: &[(&str, &str)] = &[
    ("scale", "factor of a score"),
    ("shift", "bits a scaled score is shifted down by"),
    ("radius", "of the filter, in units of a whole key's score"),
    ("cycles", "cycles since reset or clear"),
    ("rows", "rows whose survivors the exact stage has taken"),
    ("groups", "groups of keys predicted"),
    ("survivors", "keys that survived"),
    ("scoring", "cycles in which a key is issued to the score unit"),
    ("loading", "cycles in which none is, since keys are loaded or read out"),
    ("starved", "cycles in which none is, since no survivor is listed"),
    ("blocked", "cycles in which none is, since query or room behind the score unit is missing"),
];

impl Engine for LapaAttentionSpec {
    const TOP: &'static str = "lapa_attention_axi";
    const TOP_SUMMARY: &'static str =
        "LAPA behind AXI4-Stream and AXI4-Lite, rows marked in hardware";
    const TOP_SIZES: &'static [&'static str] = &[
        "max_keys=8 head_dim=4 rows=2 lanes=4 bus_bits=32",
        "max_keys=9 head_dim=3 rows=1 lanes=2 bus_bits=64 counters=false",
        "max_keys=16 head_dim=9 rows=4 lanes=4 filter.mode=radius bus_bits=32",
    ];

    fn core(&self) -> Arc<Module> {
        sequence("lapa_rows", &crate::attention::engine::build(self))
    }

    fn meanings() -> Vec<(&'static str, &'static str)> {
        [OF_ROWS, MEANINGS].concat()
    }
}
