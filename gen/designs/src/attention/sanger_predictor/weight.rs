//! One key's weight in the softmax estimate.

use super::{SangerPredictorSpec, cost};
use crate::attention::attend::spec::LOGIT_FRACTION;
use crate::attention::attend::weights::{halved, powers};
use crate::wiring::quiet;
use hwgen_hdl::{Module, ModuleBuilder, bits_for, u};
use std::sync::Arc;

/// Bits of the powers of two that a logit is below its row's largest: see
/// [`halvings`](hwgen_designs::attention::attend::weights::halvings).
pub(super) fn halvings_bits(spec: &SangerPredictorSpec) -> u32 {
    bits_for((spec.probability_bits + 1).into())
}

/// Module `sanger_weight`; never stalls.
///
/// In: `issue` (the key takes part), `fraction` and `halvings` of how far its logit is below its
/// row's largest. Out, [`cost::WEIGHT_CYCLES`] later: `live_out`, `weight`; without a key all registers
/// hold still.
pub(super) fn module(spec: &SangerPredictorSpec) -> Arc<Module> {
    let m = ModuleBuilder::new("sanger_weight");
    m.doc("Weight of a key: 2^(logit - maximum), from a table and a shift.");
    let issue = m.input("issue", u(1));
    let fraction = m.input("fraction", u(LOGIT_FRACTION));
    let halvings = m.input("halvings", u(halvings_bits(spec)));
    let bits = spec.probability_bits;
    let table = m.memory("powers", 1 << LOGIT_FRACTION, u(bits)).init(powers(bits));
    let power = table.read_sync(fraction, issue & halvings.le(bits));

    let mut pipeline = quiet(issue);
    let halvings = pipeline.stage("lookup", &[halvings])[0];
    let weight = pipeline.stage("weight", &[halved(power, halvings)])[0];
    assert_eq!(pipeline.latency(), cost::WEIGHT_CYCLES);
    m.output("live_out", pipeline.valid());
    m.output("weight", weight);
    m.finish()
}
