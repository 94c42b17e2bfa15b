//! `search.json` and what lies beside it.

use super::finish::{Agreement, Finished};
use super::{Order, Search, SearchError, Settings, front};
use crate::evolve::Individual;
use crate::space::Choice;
use crate::supernet::Supernet;
use hwgen_designs::cnn::CnnSpec;
use schemars::{JsonSchema, Schema, SchemaGenerator, schema_for};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The largest `search.json`.
const MOST: u64 = 1 << 26;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// Version of the format: 1.
    pub version: u32,
    /// What was asked for.
    pub settings: Settings,
    /// Subnets of the space.
    pub size: f64,
    /// Numbers of the supernet.
    pub numbers: usize,
    /// Seconds of each stage.
    pub seconds: Vec<(String, f64)>,
    /// All that were judged: cycles and accuracy on the validation part.
    pub judged: Vec<(u64, f64)>,
    /// The front, the fastest first.
    pub front: Vec<(Choice, u64, f64)>,
    /// What trained gates chose, for each weight of cycles.
    pub gated: Vec<(f32, Choice)>,
    /// How well the supernet orders subnets, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Points that were trained on, the most accurate of the supernet first.
    pub points: Vec<Point>,
}

/// A point: files of its number lie beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The choice.
    pub choice: Choice,
    /// Its accuracy within the supernet.
    pub supernet_accuracy: f64,
    /// Cycles of an inference on its core.
    pub cycles: u64,
    /// Milliseconds of it.
    pub milliseconds: f64,
    /// Bytes of weights that are stored.
    pub weight_bytes: u64,
    /// Bytes of activations at most.
    pub activation_bytes: u64,
    /// Weights.
    pub weights: usize,
    /// Products.
    pub multiplies: u64,
    /// On the validation part.
    pub validation: Agreement,
    /// On the test.
    pub test: Agreement,
    /// Which items of the test are right, four a hex digit, the first in the highest bit.
    pub right: String,
    /// Layers, their bits of weights and of activations.
    pub layers: Vec<(String, Option<u32>, u32)>,
    /// Multipliers that its core was allowed: fewer than those of the target if the device has no room for them.
    pub multipliers: u32,
    /// The core: `hwgen describe cnn --schema`.
    #[schemars(schema_with = "core")]
    pub core: CnnSpec,
    /// What is written for it.
    #[serde(skip)]
    files: Vec<(String, Vec<u8>)>,
}

fn core(_: &mut SchemaGenerator) -> Schema {
    let mut schema = hwgen_designs::registry::of::<CnnSpec>().schema();
    // said once, at the top
    schema.as_object_mut().map(|schema| schema.remove("$schema"));
    schema.try_into().unwrap_or_default()
}

impl Found {
    /// The JSON schema of `search.json`.
    pub fn schema() -> Schema {
        schema_for!(Found)
    }

    /// The text of `search.json`.
    pub fn text(&self) -> String {
        String::from_utf8(pretty(self)).unwrap_or_default()
    }

    pub(super) fn new(
        search: &Search<'_>,
        supernet: &Supernet,
        (individuals, gated, order): (&[Individual], Vec<Choice>, Option<Order>),
        finished: Vec<Finished>,
        seconds: Vec<(String, f64)>,
    ) -> Found {
        let settings = search.settings;
        let told = |i: &Individual| (i.worth.objectives[1] as u64, 1.0 - i.worth.objectives[0]);
        let judged = individuals.iter().filter(|i| i.worth.objectives[0] < 1.0).map(told).collect();
        let front = front(individuals);
        let front = front.iter().map(|i| {
            let (cycles, accuracy) = told(i);
            (i.choice.clone(), cycles, accuracy)
        });
        let points = finished.into_iter().enumerate().map(|(n, done)| {
            let choice = done.individual.choice.clone();
            Point::new(settings, n, choice, done)
        });
        Found {
            version: 1,
            settings: settings.clone(),
            size: settings.space.size(),
            numbers: supernet.numbers.count(),
            seconds,
            judged,
            front: front.collect(),
            gated: settings.gates.iter().copied().zip(gated).collect(),
            order,
            points: points.collect(),
        }
    }

    /// Reads `search.json`.
    ///
    /// # Errors
    /// It is not there, or none.
    pub fn read(path: &Path) -> Result<Found, SearchError> {
        let bytes = hwgen_files::read(path, MOST)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| SearchError::NotFound { path: path.into(), why: error.to_string() })
    }

    /// Writes `search.json` and the points' files.
    pub(super) fn write(&self, folder: &Path) -> Result<(), SearchError> {
        for (name, bytes) in self.points.iter().flat_map(|point| &point.files) {
            hwgen_files::write(&folder.join(name), bytes)?;
        }
        hwgen_files::write(&folder.join("search.json"), self.text().as_bytes())?;
        Ok(())
    }
}

impl Point {
    fn new(settings: &Settings, n: usize, choice: Choice, done: Finished) -> Point {
        let layers = done.subnet.nodes.iter();
        let layers = layers.map(|node| (node.name.clone(), node.layer.weight_bits(), node.bits));
        let files = vec![
            (format!("point_{n}.network.json"), pretty(&done.network)),
            (format!("point_{n}.policy.json"), pretty(&done.policy)),
            (format!("point_{n}.core.json"), pretty(&done.cost.core)),
        ];
        Point {
            choice,
            supernet_accuracy: 1.0 - done.individual.worth.objectives[0],
            cycles: done.cost.cycles,
            milliseconds: settings.target.milliseconds(done.cost.cycles),
            weight_bytes: done.cost.weight_bytes,
            activation_bytes: done.cost.activation_bytes,
            weights: done.subnet.weights(),
            multiplies: done.subnet.multiplies(),
            validation: done.validation,
            test: done.test,
            right: hex(&done.right),
            layers: layers.collect(),
            multipliers: done.multipliers,
            core: done.cost.core,
            files,
        }
    }
}

fn hex(bits: &[bool]) -> String {
    let digit = |four: &[bool]| {
        let number =
            (0..4).fold(0, |number, n| number << 1 | u32::from(four.get(n) == Some(&true)));
        char::from_digit(number, 16).unwrap_or('0')
    };
    bits.chunks(4).map(digit).collect()
}

fn pretty(of: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(of).unwrap_or_default();
    text.push(b'\n');
    text
}
