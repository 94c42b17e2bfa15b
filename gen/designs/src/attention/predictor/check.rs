//! Batches for any predictor that says a bit a key.

use crate::attention::predictor::drive as predictor;
use crate::attention::predictor::drive::Predict;
use crate::attention::predictor::head::{Head, Stalls};
use crate::drive::Values;
use crate::golden::{Batch, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Two heads, the second without a reset; few groups, so that rows follow closely.
pub(crate) fn heads(spec: &impl Predict, rng: &mut ChaCha8Rng) -> Result<Vec<Head>, String> {
    let size = spec.size();
    let most = size.max_keys.min(3 * size.rows) as usize;
    let head = |_| {
        let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=6));
        let values = [Values::Uniform, Values::Corner, Values::Small];
        let values = values[rng.random_range(0..3)];
        Head::random(spec, rng, keys, rows, values).map_err(|error| error.to_string())
    };
    (0..2).map(head).collect()
}

/// How often each stream stalls.
pub(crate) fn stalls(rng: &mut impl Rng, seed: u64) -> Stalls {
    let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
    Stalls { keys: stall(), queries: stall(), out: stall(), seed }
}

/// A batch of a predictor that says a bit a key.
pub(crate) fn predictor_batch(
    spec: &impl Predict,
    device: &mut dyn Device,
    seed: u64,
) -> Result<Batch, String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let heads = heads(spec, &mut rng)?;
    let stalls = stalls(&mut rng, seed);
    let rows = spec.size().rows;
    let expected = predictor::expected(&heads, rows);
    let run = predictor::run(device, spec, &heads, stalls, expected.len());
    let run = run.map_err(|error| error.to_string())?;
    compare_lists("group", &run.groups, &expected)?;
    Ok(Batch {
        cycles: run.cycles.last().map_or(0, |last| last + 1),
        // a bit a key, row_last
        compared: expected.len() as u64 * u64::from(rows + 1),
    })
}
