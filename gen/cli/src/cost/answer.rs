//! What is told of a cost.

use hwgen_area as area;
use hwgen_designs::cnn::{CnnSpec, Outline};
use hwgen_designs::registry::Configured;
use hwgen_network::plan::Plan;
use schemars::{JsonSchema, schema_for};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The version of what is told, and of requests.
pub(super) const VERSION: u32 = 1;

/// A network on a core.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) spec: CnnSpec,
    pub(super) plan: Plan<Outline>,
    /// The board's clock.
    pub(super) hertz: Option<u32>,
}

/// What a network costs.
#[derive(Serialize, JsonSchema)]
pub(super) struct Cost {
    /// Version of the format: 1.
    pub(super) version: u32,
    /// The network.
    pub(super) network: String,
    /// Cycles from the first job's first word to the last beat out, streams never waiting.
    pub(super) cycles: u64,
    /// The same at the board's clock, if a board is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) milliseconds: Option<f64>,
    /// Products that are needed.
    pub(super) products: u64,
    /// Their part of all that the array could make.
    pub(super) used: f64,
    /// What the network needs of a core.
    pub(super) needs: Needs,
    /// The core.
    pub(super) core: Core,
    /// What each layer takes, transfers among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) layers: Option<Vec<Layer>>,
    /// The core on parts, estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) area: Option<Vec<Area>>,
}

/// What a network needs of a core.
#[derive(Serialize, JsonSchema)]
pub(super) struct Needs {
    /// Activations in use at once, at most; in memories of one port in the bank that is used most.
    pub(super) activation_bytes: u64,
    /// Weights.
    pub(super) weight_bytes: u64,
    /// Biases, multipliers and shifts.
    pub(super) scale_bytes: u64,
    /// Jobs of the program.
    pub(super) jobs: usize,
    /// Tables of softmaxes and functions.
    pub(super) tables: usize,
    /// Bits of the widest sum of a convolution or dense layer.
    pub(super) sum_bits: u32,
    /// Bits of multipliers.
    pub(super) multiplier_bits: u32,
}

/// A core.
#[derive(Serialize, JsonSchema)]
pub(super) struct Core {
    /// Multipliers, as they are made of those of 25 x 18 bits.
    pub(super) multipliers: u32,
    /// Products that its array makes a cycle.
    pub(super) products_a_cycle: u32,
    /// Its specification: what `--spec` takes.
    pub(super) spec: Value,
}

/// A layer's share.
#[derive(Serialize, JsonSchema)]
pub(super) struct Layer {
    /// The layer; `in` and `out` for transfers.
    pub(super) layer: String,
    /// Jobs it takes.
    pub(super) jobs: usize,
    /// Cycles, fetching included.
    pub(super) cycles: u64,
    /// Products that it needs.
    pub(super) products: u64,
    /// Their part of all that the array could make.
    pub(super) used: f64,
    /// In a network with weights of at most 4 bits: why lanes have one of this layer's, if they have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) one_weight: Option<String>,
}

/// An estimate.
#[derive(Serialize, JsonSchema)]
pub(super) struct Area {
    /// Of which family of parts.
    pub(super) family: String,
    /// What it takes there.
    #[serde(flatten)]
    pub(super) resources: Resources,
}

/// Counts of what a chip has.
#[derive(Serialize, JsonSchema)]
pub(super) struct Resources {
    /// Look-up tables.
    pub(super) lut: u64,
    /// Flip-flops.
    pub(super) ff: u64,
    /// Multiplier blocks.
    pub(super) dsp: u64,
    /// Block RAM: of 18 kbit on Xilinx, of 4 kbit on iCE40.
    pub(super) bram: u64,
}

impl From<area::Resources> for Resources {
    fn from(area::Resources { lut, ff, dsp, bram, .. }: area::Resources) -> Resources {
        Resources { lut, ff, dsp, bram }
    }
}

impl Found {
    /// In numbers.
    pub(super) fn told(&self, layers: bool, area: impl Into<Option<Vec<Area>>>) -> Cost {
        let Found { name, spec, plan, hertz } = self;
        let Outline { planes, scale_rows, jobs, tables, .. } = &plan.image;
        let cycles = plan.cycles();
        let all = |cycles: u64| (cycles * u64::from(spec.products())).max(1) as f64;
        let of = |step: &hwgen_network::plan::Step| Layer {
            layer: step.layer.clone(),
            jobs: step.jobs,
            cycles: step.cycles,
            products: step.products,
            used: step.products as f64 / all(step.cycles),
            one_weight: step.one_weight.map(|reason| reason.to_string()),
        };
        let bits = *scale_rows as u64 * u64::from(spec.scale_row_bits());
        Cost {
            version: VERSION,
            network: name.clone(),
            cycles,
            milliseconds: hertz.map(|hertz| 1e3 * cycles as f64 / f64::from(hertz)),
            products: plan.steps.iter().map(|step| step.products).sum(),
            used: plan.utilization(spec),
            needs: Needs {
                activation_bytes: plan.bank_bytes.into(),
                weight_bytes: (*planes as u64 * u64::from(spec.lanes)).div_ceil(8),
                scale_bytes: bits.div_ceil(8),
                jobs: jobs.len(),
                tables: tables.len(),
                sum_bits: plan.sum_bits,
                multiplier_bits: plan.multiplier_bits,
            },
            core: Core {
                multipliers: spec.all_multipliers(),
                products_a_cycle: spec.products(),
                spec: serde_json::from_str(&spec.json()).unwrap_or_default(),
            },
            layers: layers.then(|| plan.steps.iter().map(of).collect()),
            area: area.into(),
        }
    }
}

/// A line of the server: one of `cost`, `costs`, `error`.
#[derive(Serialize, JsonSchema)]
pub(super) struct Answer<'r> {
    /// Version of the format: 1.
    pub(super) version: u32,
    /// What the request had; null if it had none, or was none.
    #[schemars(with = "Value")]
    pub(super) id: Option<&'r RawValue>,
    /// Of one candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<Cost>,
    /// Of each of a list, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) costs: Option<Vec<OneOf>>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// A candidate of a list.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OneOf {
    /// It has a cost.
    Cost(Box<Cost>),
    /// It has none.
    Error {
        /// Why.
        error: String,
    },
}

/// The JSON schema of a line of the server.
pub(super) fn schema() -> Value {
    schema_for!(Answer<'_>).to_value()
}

/// The JSON schema of what `--json` prints.
pub(super) fn cost_schema() -> Value {
    schema_for!(Cost).to_value()
}
