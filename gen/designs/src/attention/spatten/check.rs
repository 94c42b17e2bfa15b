//! `spatten_attention`.

use crate::attention::spatten::SpattenAttentionSpec;
use crate::attention::spatten::drive::{Layer, Results, run};
use crate::drive::Stalls;
use crate::golden::{Batch, Golden, compare_lists, stall};
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for SpattenAttentionSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // two layers, the second without a reset
        let most = self.max_keys.min(3 * self.rows.max(4)) as usize;
        let layers = [1, 2].map(|_| Layer::random(self, &mut rng, most, 6));
        let stalls = Stalls { ins: stall(&mut rng), out: stall(&mut rng), seed };
        let must = Results::concat(layers.iter().map(|layer| layer.expected(self)));
        let counts = [must.rows.len(), must.heads.len(), must.tokens.len()];
        let run = run(device, self, &layers, stalls, counts).map_err(|error| error.to_string())?;
        compare_lists("row", &run.results.rows, &must.rows)?;
        compare_lists("head", &run.results.heads, &must.heads)?;
        compare_lists("token", &run.results.tokens, &must.tokens)?;
        Ok(Batch { cycles: run.end, compared: must.count() })
    }
}
