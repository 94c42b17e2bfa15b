//! Batches for any predictor or engine.

use crate::attention::attend::drive::Head;
use crate::attention::predictor::head::Predict;
use crate::drive::{Driven, Values};
use crate::golden::{Batch, batch};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Two heads, the second without a reset; few groups, so that rows follow closely. Each beat that
/// comes out is `compared` values.
pub(crate) fn heads_batch(
    spec: &(impl Driven<Job = Head> + Predict),
    device: &mut dyn Device,
    seed: u64,
    compared: u32,
) -> Result<Batch, String> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let size = spec.size();
    let most = size.max_keys.min(3 * size.rows) as usize;
    let mut head = |_| {
        let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=6));
        let values = Values::any(rng);
        Head::random(spec, rng, keys, rows, values).map_err(|error| error.to_string())
    };
    let heads = [head(1)?, head(2)?];
    batch(spec, device, (rng, seed), &heads, (usize::MAX, compared))
}
