//! The linear layers against their golden models.

use crate::golden::{Batch, Golden, check, stall};
use crate::linear::drive::{exact, importance, log};
use crate::linear::{ImportanceSpec, LinearSpec, LogLinearSpec};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

impl Golden for LogLinearSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two batches, the second without a reset
        let batches = [1, 2].map(|_| {
            let (tokens, corners) = (rng.random_range(1..5), rng.random());
            log::Batch::random(self, rng, tokens, corners)
        });
        let stalls = [stall(rng), stall(rng)];
        let feeds = log::feeds(self, &batches, stalls, rng);
        let expected: Vec<_> = batches.iter().flat_map(log::Batch::expected).collect();
        let run = (&feeds[..], stall(rng), seed);
        check(device, run, &expected, |run| log::results(self, run), self.outputs + 1)
    }
}

impl Golden for ImportanceSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // three jobs, two without a reset
        let jobs = [1, 2, 3].map(|_| importance::Job::random(self, rng));
        let stalls = [stall(rng), stall(rng)];
        let feeds = importance::feeds(self, &jobs, stalls, rng);
        let expected: Vec<_> = jobs.iter().flat_map(|job| job.expected(self)).collect();
        let run = (&feeds[..], stall(rng), seed);
        check(device, run, &expected, |run| importance::results(self, run), 3 * self.rows + 1)
    }
}

impl Golden for LinearSpec {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        // two batches, the second without a reset
        let batches = [1, 2].map(|_| {
            let (tokens, corners) = (rng.random_range(1..5), rng.random());
            exact::Batch::random(self, rng, tokens, corners)
        });
        let stalls = [0; 4].map(|_| stall(rng));
        let feeds = exact::feeds(self, &batches, stalls, rng);
        let expected: Vec<_> = batches.iter().flat_map(exact::Batch::expected).collect();
        let run = (&feeds[..], stall(rng), seed);
        check(device, run, &expected, |run| exact::results(self, run), self.outputs + 1)
    }
}
