//! One key's score: exponents added, powers of two summed up.

use super::spec::{CODE_BITS, EXPONENT_BITS, MAX_EXPONENT};
use super::{FactPredictorSpec, cost};
use crate::wiring::{quiet, unpack};
use hwgen_hdl::lib::adder_tree::pipelined_adder_tree;
use hwgen_hdl::{Module, ModuleBuilder, u};
use std::sync::Arc;

/// The datapath of one key; never stalls.
///
/// In, all in one cycle: `live` (the key takes part), `keys` and `query` (leading-one codes,
/// element 0 low). Out, [`cost::row_cycles`] after: `live_out`, `score`; without a live key all
/// registers hold still.
pub(super) fn module(spec: &FactPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("fact_row");
    m.doc("Score of one key: sum of sign * 2^(exponent of the query + exponent of the key).");
    let live = m.input("live", u(1));
    let codes = u(spec.head_dim * CODE_BITS);
    let [keys, query] =
        ["keys", "query"].map(|name| unpack(m.input(name, codes), u(CODE_BITS), spec.head_dim));

    let mut pipeline = quiet(live);
    let terms: Vec<_> = (keys.iter().zip(query).enumerate())
        .map(|(d, (key, query))| {
            let exponents = [*key, query].map(|code| code.truncate(EXPONENT_BITS));
            let [of_key, of_query] = exponents.map(|e| e.extend(EXPONENT_BITS + 1));
            let zero = key.bit(EXPONENT_BITS) | query.bit(EXPONENT_BITS);
            let exponent = (of_key + of_query).named(format!("exponent_{d}"));
            let one_hot = m.lit(u(MAX_EXPONENT + 1), 1).shl(exponent);
            let power = zero.mux(m.lit(one_hot.ty(), 0), one_hot).called(format!("magnitude_{d}"));
            let power = power.to_signed().called(format!("power_{d}"));
            (key.msb() ^ query.msb()).mux(-power, power).named(format!("term_{d}"))
        })
        .collect();
    let sum = pipelined_adder_tree(&mut pipeline, &terms, cost::ADDERS_PER_STAGE);
    assert_eq!(pipeline.latency(), cost::row_cycles(spec));
    m.output("live_out", pipeline.valid());
    m.output("score", sum.resize(spec.score_bits()));
    m.finish()
}
