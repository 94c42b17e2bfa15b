//! Random matrices for the array.

use super::MacArraySpec;
use super::drive as mac_array;
use crate::golden::{Batch, Golden, compare_lists};
use hwgen_hdl::sim::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

impl Golden for MacArraySpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let job = mac_array::Job::random(self, &mut rng, 20);
        let expected = job.expected();
        let (sums, cycles) = mac_array::run(device, self, &job);
        compare_lists("vector of sums", &sums, &expected)?;
        let compared = expected.len() as u64 * u64::from(self.columns);
        Ok(Batch { cycles, compared })
    }
}
