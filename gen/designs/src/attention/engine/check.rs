//! Random heads for whole engines.

use crate::attention::engine::drive;
use crate::attention::engine::{Engine, FactAttentionSpec, LapaAttentionSpec, SangerAttentionSpec};
use crate::attention::predictor::check::{heads, stalls};
use crate::attention::predictor::head::Predict;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for LapaAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        engine_batch(self, device, seed)
    }
}

impl Golden for FactAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        engine_batch(self, device, seed)
    }
}

impl Golden for SangerAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        engine_batch(self, device, seed)
    }
}

/// Two heads through an engine, whatever predicts in it.
fn engine_batch<E: Engine + Predict>(
    spec: &E,
    device: &mut dyn Device,
    seed: u64,
) -> Result<Batch, String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let heads = heads(spec, &mut rng)?;
    let stalls = stalls(&mut rng, seed);
    let mut expected = vec![];
    for head in &heads {
        let rows = head.expected(spec.attend().probability_bits);
        expected.extend(rows.map_err(|error| error.to_string())?);
    }
    let head_dim = spec.size().head_dim;
    let run = drive::run(device, head_dim, &heads, stalls, expected.len());
    let run = run.map_err(|error| error.to_string())?;
    compare_lists("row", &run.rows, &expected)?;
    Ok(Batch {
        cycles: run.cycles.last().map_or(0, |last| last + 1),
        compared: expected.len() as u64 * u64::from(head_dim),
    })
}
