//! What attention's mask saves before and behind it: a whole layer's energy, a token.
//!
//! Energies of a multiplication are measured on gates ([`LinearEnergy`]); how many there are follows
//! from the mask and the model's shape. The feed-forward layers are taken to have 8 D^2 weights for
//! tokens of D elements, as those of all the recorded models do.

use super::accelerator::{HeadRun, Model};
use super::report::layer;
use crate::power::{Library, Options, PowerModel};
use hwgen_designs::drive::{self, Driven};
use hwgen_designs::generate::Generate;
use hwgen_designs::linear::drive::{exact, log};
use hwgen_designs::linear::golden::importance::Importance;
use hwgen_designs::linear::{LinearSpec, LogLinearSpec};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::fmt::Write;

/// Energies of linear layers, in pJ a weight and token: `linear` and `log_linear` of 64 x 64 weights
/// and 16 lanes on random elements, memories included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearEnergy {
    /// Both of eight bits.
    pub int8_pj: f64,
    /// Both of four.
    pub int4_pj: f64,
    /// A shift by the weight's leading one.
    pub shift_pj: f64,
}

/// Elements of a token, and of a result.
const SIZE: u32 = 64;
/// Tokens measured.
const TOKENS: usize = 40;

impl LinearEnergy {
    /// Measures them.
    ///
    /// # Errors
    /// No Yosys, or a cell of the library that is not understood.
    pub fn measure(library: &Library) -> Result<LinearEnergy, Box<dyn Error>> {
        let spec = LinearSpec { inputs: SIZE, outputs: SIZE, lanes: 16 };
        let model = gates(&spec, library)?;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut batch = exact::Batch::random(&spec, &mut rng, TOKENS + 1, false);
        let mut linear = |precise: bool| {
            batch.tokens.iter_mut().for_each(|token| token.precise = precise);
            marginal(&model, |count| {
                let batch =
                    exact::Batch { tokens: batch.tokens[..count].to_vec(), ..batch.clone() };
                spec.feeds(&[batch], &mut ChaCha8Rng::seed_from_u64(2))
            })
        };
        let (int8_pj, int4_pj) = (linear(true)?, linear(false)?);
        let spec = LogLinearSpec { inputs: SIZE, outputs: SIZE, lanes: 16 };
        let batch = log::Batch::random(&spec, &mut rng, TOKENS + 1, false);
        let shift_pj = marginal(&gates(&spec, library)?, |count| {
            let batch = log::Batch { tokens: batch.tokens[..count].to_vec(), ..batch.clone() };
            spec.feeds(&[batch], &mut ChaCha8Rng::seed_from_u64(2))
        })?;
        Ok(LinearEnergy { int8_pj, int4_pj, shift_pj })
    }
}

fn gates(spec: &impl Generate, library: &Library) -> Result<PowerModel, Box<dyn Error>> {
    let options = Options { clock_gating: true, ..Options::default() };
    Ok(PowerModel::new(&spec.build(), library, &options)?)
}

/// What a token costs beyond the first, so that loading weights does not count; a weight.
fn marginal(
    model: &PowerModel,
    feeds: impl Fn(usize) -> Vec<drive::Feed>,
) -> Result<f64, Box<dyn Error>> {
    let run = |count: usize| -> Result<f64, Box<dyn Error>> {
        let mut device = model.device();
        drive::run(&mut device, &feeds(count), 0.0, 0, count)?;
        Ok(model.report(&device).total().energy.total_joules() * 1e12)
    };
    Ok((run(TOKENS + 1)? - run(1)?) / (TOKENS as f64 * f64::from(SIZE * SIZE)))
}

/// What an accelerator's masks say of the layers around attention; means over the model's layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The model.
    pub workload: String,
    /// The accelerator.
    pub accelerator: String,
    /// Tokens whose key and value a row of the head keeps, of all.
    pub needed: f64,
    /// Tokens that pass the feed-forward layers at eight bits.
    pub precise: f64,
    /// Query heads of a layer.
    pub query_heads: usize,
    /// Key heads of a layer.
    pub key_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
}

impl Use {
    /// Looks at the masks of all heads.
    pub fn of(model: &Model, accelerator: &str, heads: &[HeadRun]) -> Use {
        let (mut needed, mut precise) = (vec![], vec![]);
        let (mut query_heads, mut key_heads) = (0, 0);
        let both: Vec<_> = model.heads.iter().zip(heads).collect();
        for of_layer in both.chunk_by(|a, b| layer(&a.0.name) == layer(&b.0.name)) {
            query_heads = of_layer.len();
            let tokens = of_layer[0].0.integers.keys.rows.len();
            let rows = |heads: &[&(&super::accelerator::ModelHead, &HeadRun)]| {
                let rows = heads.iter().flat_map(|(_, run)| &run.survivors);
                rows.map(|row| row.iter().by_vals().collect()).collect::<Vec<Vec<bool>>>()
            };
            let fraction = |count: usize| count as f64 / tokens.max(1) as f64;
            let all: Vec<_> = of_layer.iter().collect();
            let importance = Importance::of(&rows(&all), tokens, 128);
            precise.push(fraction((0..tokens).filter(|&j| importance.precise(j)).count()));
            // grouped heads share their keys
            let same = |a: &(&super::accelerator::ModelHead, _), b: &(&_, _)| {
                let b: &super::accelerator::ModelHead = b.0;
                a.0.integers.keys.rows == b.integers.keys.rows
            };
            key_heads = 0;
            for group in of_layer.chunk_by(same) {
                key_heads += 1;
                let group: Vec<_> = group.iter().collect();
                let importance = Importance::of(&rows(&group), tokens, 128);
                needed.push(fraction((0..tokens).filter(|&j| importance.needed(j)).count()));
            }
        }
        let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len().max(1) as f64;
        Use {
            workload: model.name.clone(),
            accelerator: accelerator.to_owned(),
            needed: mean(&needed),
            precise: mean(&precise),
            query_heads,
            key_heads,
            head_dim: model.heads.first().map_or(0, |head| head.integers.keys.rows[0].len()),
        }
    }

    /// Energy of a layer, in pJ a token: keys predicted, queries, keys and values made, attention, its
    /// output projected, feed-forward; `attention_pj` is that of a query row. `crosses` says whether
    /// the mask is used before and behind attention, and how many of queries and keys are predicted.
    pub fn energy(&self, linear: &LinearEnergy, attention_pj: f64, crosses: Crosses) -> [f64; 5] {
        let (d, k) = (self.query_heads * self.head_dim, self.key_heads * self.head_dim);
        let (d, k) = (d as f64, k as f64);
        let LinearEnergy { int8_pj, int4_pj, shift_pj } = *linear;
        let (predicted, needed, precise) = match crosses {
            Crosses::Not => (0.0, 1.0, 1.0),
            Crosses::Keys => (d * k, self.needed, self.precise),
            Crosses::QueriesAndKeys => (d * (d + k), self.needed, self.precise),
        };
        [
            predicted * shift_pj,
            (d * d + 2.0 * d * k * needed) * int8_pj,
            self.query_heads as f64 * attention_pj,
            d * d * int8_pj,
            8.0 * d * d * (precise * int8_pj + (1.0 - precise) * int4_pj),
        ]
    }
}

/// What of a layer is predicted, so that the mask is known before keys and values are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crosses {
    /// Nothing.
    Not,
    /// Keys.
    Keys,
    /// Queries too.
    QueriesAndKeys,
}

/// A line of the table of layers.
pub struct Line {
    /// The accelerator, and how its mask is used.
    pub name: String,
    /// What its masks say.
    pub uses: Use,
    /// See [`Use::energy`].
    pub energy: [f64; 5],
    /// The predictor's part of the attention's energy.
    pub predict_share: f64,
}

impl Line {
    fn total(&self) -> f64 {
        self.energy.iter().sum()
    }

    /// The part of the layer's energy that goes into knowing which keys matter.
    pub fn predicting(&self) -> f64 {
        let [keys, _, attention, ..] = self.energy;
        (keys + self.predict_share * attention) / self.total()
    }
}

/// A table; ratios to the line of the same model named `reference`.
pub fn table(lines: &[Line], reference: &str) -> String {
    let mut text = String::from(
        "| model | accelerator | needed columns | precise tokens | predict keys | make q, k, v | attention | project | feed-forward | nJ a token and layer | ratio | prediction |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for line in lines {
        let same =
            |other: &&Line| other.uses.workload == line.uses.workload && other.name == reference;
        let ratio = lines.iter().find(same).map(|other| line.total() / other.total());
        let parts = line.energy.map(|pj| format!("{:.1}", pj / 1000.0)).join(" | ");
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "| {} | {} | {:.3} | {:.3} | {parts} | {:.1} | {} | {:.1} % |",
            line.uses.workload,
            line.name,
            line.uses.needed,
            line.uses.precise,
            line.total() / 1000.0,
            ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            100.0 * line.predicting(),
        );
    }
    text
}
