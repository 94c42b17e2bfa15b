//! `spatten_attention`.

use crate::attention::spatten::SpattenAttentionSpec;
use crate::attention::spatten::drive::{Layer, Results, Stalls, run};
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for SpattenAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // two layers, the second without a reset
        let most = self.max_keys.min(3 * self.rows.max(4)) as usize;
        let layers = [1, 2].map(|_| Layer::random(self, &mut rng, most, 6));
        let mut stall = || [0.0, 0.1, 0.5][rng.random_range(0..3)];
        let stalls = Stalls { keys: stall(), queries: stall(), out: stall(), seed };
        let must = Results::concat(layers.iter().map(|layer| layer.expected(self)));
        let counts = [must.rows.len(), must.heads.len(), must.tokens.len()];
        let run = run(device, self, &layers, stalls, counts).map_err(|error| error.to_string())?;
        compare_lists("row", &run.results.rows, &must.rows)?;
        compare_lists("head", &run.results.heads, &must.heads)?;
        compare_lists("token", &run.results.tokens, &must.tokens)?;
        Ok(Batch { cycles: run.end, compared: must.count() })
    }
}
