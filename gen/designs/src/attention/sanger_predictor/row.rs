//! One key's logit: products of four bits, summed up, scaled.

use super::spec::{MAX_SHIFT, SHORT_BITS, SHORT_SHIFT_BITS};
use super::{SangerPredictorSpec, cost};
use crate::attention::attend::spec::{LOGIT_BITS, SCALE_BITS, SHIFT_BITS};
use crate::wiring::{quiet, unpack};
use hwgen_hdl::lib::adder_tree::pipelined_adder_tree;
use hwgen_hdl::lib::saturate::saturate;
use hwgen_hdl::{Module, ModuleBuilder, s, u};
use std::sync::Arc;

/// Bits of the product of two short elements: -49..=49.
const PRODUCT_BITS: u32 = 7;

/// The datapath of one key; never stalls.
///
/// In, all in one cycle: `live` (the key takes part), `keys` and `query` (short elements, element 0
/// low, then the vector's power of two if vectors have their own); [`cost::product_cycles`] later
/// `scale` and `shift` of the row. Out, [`cost::row_cycles`] after: `live_out`, `score`, the logit;
/// without a live key all registers hold still.
pub(super) fn module(spec: &SangerPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("sanger_row");
    m.doc("Logit of one key, estimated from four bits an element.");
    let live = m.input("live", u(1));
    let own = if spec.row_normalise { SHORT_SHIFT_BITS } else { 0 };
    let words = ["keys", "query"].map(|name| m.input(name, u(spec.short_bits() + own)));
    let [keys, query] = words.map(|word| unpack(word, s(SHORT_BITS), spec.head_dim));

    let mut pipeline = quiet(live);
    let products: Vec<_> = (keys.iter().zip(query).enumerate())
        .map(|(d, (key, query))| {
            let product = key.mul(query).called(format!("product_{d}"));
            product.truncate(PRODUCT_BITS).named(format!("term_{d}"))
        })
        .collect();
    let sum = pipelined_adder_tree(&mut pipeline, &products, cost::ADDERS_PER_STAGE);
    assert_eq!(pipeline.latency(), cost::product_cycles(spec));

    // S = sum << n, so S m >> h is (sum m << 8) >> (h + 8 - n): n is at most 8
    let (most, amount_bits) = (2 * MAX_SHIFT, SHIFT_BITS + 1);
    let scale = m.input("scale", u(SCALE_BITS));
    let shift = m.input("shift", u(SHIFT_BITS)).extend(amount_bits);
    let amount = match spec.row_normalise {
        true => {
            let [of_key, of_query] = words.map(|word| word.high(SHORT_SHIFT_BITS));
            let n = of_key.extend(SHORT_SHIFT_BITS + 1) + of_query.extend(SHORT_SHIFT_BITS + 1);
            let mut beside = quiet(live);
            let n = (0..cost::product_cycles(spec)).fold(n, |n, _| beside.stage("places", &[n])[0]);
            shift + most - n.extend(amount_bits)
        }
        false => shift,
    };
    let scaled = sum.resize(spec.product_sum_bits()).mul(scale.to_signed());
    let stage = pipeline.stage("scaled", &[scaled, amount]);
    let (scaled, amount) = (stage[0], stage[1]);
    let scaled = scaled.extend(scaled.width() + most).shl(most).shr(amount);
    let logit = pipeline.stage("logit", &[saturate(scaled, s(LOGIT_BITS))])[0];
    assert_eq!(pipeline.latency(), cost::row_cycles(spec));
    m.output("live_out", pipeline.valid());
    m.output("score", logit);
    m.finish()
}
