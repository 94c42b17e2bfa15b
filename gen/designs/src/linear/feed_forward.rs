//! `feed_forward`: two exact layers, one behind the other, in the precision of each token.

use super::cost::{self, Batch};
use super::layer::Layer;
use super::{LinearSpec, exact};
use crate::cost::Cost;
use crate::generate::Generate;
use crate::spec::{Parameters, Spec, SpecError};
use crate::wiring::stream_fields;
use hwgen_hdl::{InstanceBuilder, Module, ModuleBuilder};
use std::sync::Arc;

/// A Transformer's feed-forward block, sized.
#[derive(Debug, Clone, PartialEq, Eq, Parameters)]
pub struct FeedForwardSpec {
    /// Elements of a token.
    #[parameter(default = 64, range = 1..=4096)]
    pub inputs: u32,
    /// Elements between the layers; inputs x hidden at most 4194304.
    #[parameter(default = 256, range = 1..=4096)]
    pub hidden: u32,
    /// Elements of a result; hidden x outputs at most 4194304.
    #[parameter(default = 64, range = 1..=4096)]
    pub outputs: u32,
    /// Inputs the first layer takes at once.
    #[parameter(default = 16, range = 1..=256, power_of_two)]
    pub first_lanes: u32,
    /// Hidden elements the second layer takes at once.
    #[parameter(default = 16, range = 1..=256, power_of_two)]
    pub second_lanes: u32,
}

impl Spec for FeedForwardSpec {
    fn check_relations(&self) -> Result<(), SpecError> {
        let [first, second]: [Layer; 2] = self.layers().map(|layer| layer.layer());
        first.check_weights("hidden", "inputs")?;
        second.check_weights("outputs", "hidden elements")
    }
}

/// A batch as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchShape {
    /// Beats of the longest stream of each layer's load.
    pub load_beats: [u64; 2],
    /// Whether each token is precise; at least one token.
    pub precise: Vec<bool>,
}

impl FeedForwardSpec {
    /// The two layers.
    pub fn layers(&self) -> [LinearSpec; 2] {
        let FeedForwardSpec { inputs, hidden, outputs, first_lanes, second_lanes } = *self;
        [
            LinearSpec { inputs, outputs: hidden, lanes: first_lanes },
            LinearSpec { inputs: hidden, outputs, lanes: second_lanes },
        ]
    }

    /// Cycles between tokens: those of the slower layer.
    pub fn token_cycles(&self, precise: bool) -> u32 {
        let [first, second] = self.layers().map(|layer| layer.token_cycles(precise));
        first.max(second)
    }
}

/// The circuit; top module `feed_forward`. Streams as `docs/linear.md` tells.
fn module(spec: &FeedForwardSpec) -> Arc<Module> {
    let m = ModuleBuilder::new(FeedForwardSpec::NAME);
    m.doc("Feed-forward block: two linear layers, both in the precision of each token.");
    let [first, second] = spec.layers();
    let first = m.instance("first", &first.build_passing_precise("first_linear"));
    let second = m.instance("second", &second.build_without_activation("second_linear"));
    let pass = |name: &str, layer: InstanceBuilder<'_>, stream: &str| {
        layer.stream_into(stream, m.stream_in(name, &stream_fields(&layer.module(), stream)));
    };
    pass("first_weights", first, "weights");
    pass("first_scales", first, "scales");
    pass("first_table", first, "table");
    pass("second_weights", second, "weights");
    pass("second_scales", second, "scales");
    pass("tokens", first, "tokens");
    second.stream_into("tokens", first.stream_from("out"));
    m.stream_out("out", &second.stream_from("out"));
    m.finish()
}

impl Generate for FeedForwardSpec {
    const NAME: &'static str = "feed_forward";
    const SUMMARY: &'static str =
        "feed-forward block: two linear layers, int8 or int4 by each token's importance";
    const PAGE: &'static str = "docs/linear.md";

    const SIZES: &'static [&'static str] = &[
        "inputs=1 hidden=1 outputs=1 first_lanes=1 second_lanes=1",
        "inputs=5 hidden=3 outputs=2 first_lanes=2 second_lanes=4",
        "inputs=4 hidden=8 outputs=4 first_lanes=4 second_lanes=2",
    ];

    fn circuit(&self) -> Arc<Module> {
        module(self)
    }

    fn latency(&self) -> String {
        let [first, second] = self.layers();
        let alone = |precise| first.token_cycles(precise) + second.token_cycles(precise);
        format!(
            "{} cycles a precise token, {} any other, back to back; alone {} or {}, and {} more to its result; \
             weights load in {} and {} cycles, side by side, the first {} with a table if that is more",
            self.token_cycles(true),
            self.token_cycles(false),
            alone(true),
            alone(false),
            first.latency_cycles() + second.latency_cycles(),
            first.load_cycles(1),
            second.load_cycles(1),
            exact::TABLE_ENTRIES,
        )
    }

    fn diagram(&self) -> String {
        let FeedForwardSpec { inputs, hidden, outputs, first_lanes, second_lanes } = self;
        let first = format!("linear, {first_lanes} lanes, {inputs} to {hidden} -> activation");
        let second = format!("linear, {second_lanes} lanes, {hidden} to {outputs}");
        let width = first.len().max(second.len() + 1);
        let pad = width + 12;
        format!(
            "weights, scales, table and weights, scales --> memories of the two layers\n\
             tokens --> {first:-<width$}-+\n{:pad$}| data, precise\nout <----- {:-<width$}-+\n",
            "",
            second + " <",
        )
    }
}

impl Cost for FeedForwardSpec {
    type Workload = [BatchShape];

    /// The cycle at whose end each result passes.
    fn result_cycles(&self, batches: &[BatchShape]) -> Vec<u64> {
        let layers = self.layers();
        let of_layer = |batch: &BatchShape, n: usize| Batch {
            load_beats: batch.load_beats[n],
            token_steps: batch.precise.iter().map(|&p| layers[n].token_cycles(p).into()).collect(),
        };
        let batches: Vec<_> = batches.iter().map(|b| [0, 1].map(|n| of_layer(b, n))).collect();
        let [first, second] = &layers;
        cost::chained_result_cycles([first.latency_cycles(), second.latency_cycles()], &batches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let error = |inputs, hidden, outputs| {
            let spec = FeedForwardSpec { inputs, hidden, outputs, ..FeedForwardSpec::default() };
            spec.validate().unwrap_err().to_string()
        };
        let range = "out of range: must be";
        assert_eq!(
            error(4096, 1025, 1),
            format!("`hidden` = 1025 is {range} at most 1024 with 4096 inputs")
        );
        assert_eq!(
            error(1, 4096, 1025),
            format!("`outputs` = 1025 is {range} at most 1024 with 4096 hidden elements")
        );
        assert_eq!(error(1, 0, 1), format!("`hidden` = 0 is {range} 1..=4096"));
    }
}
