//! `spatten_tokens`.

use crate::attention::spatten::SpattenTokensSpec;
use crate::attention::spatten::tokens_drive::{Sequence, beats, feeds, results};
use crate::drive::run;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for SpattenTokensSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two sequences, the second without a reset
        let most = self.max_keys.min(20) as usize;
        let (sequences, stays): (Vec<_>, Vec<_>) =
            [1, 2].map(|_| Sequence::random(rng, most)).into_iter().unzip();
        let must = beats(&stays.concat());
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let feeds = feeds(&sequences, [stall(), stall()]);
        let run = run(device, &feeds, stall(), seed, must.len());
        let run = run.map_err(|error| error.to_string())?;
        compare_lists("token", &results(&run), &must)?;
        let cycles = run.cycles.last().map_or(0, |last| last + 1);
        Ok(Batch { cycles, compared: 2 * must.len() as u64 })
    }
}
