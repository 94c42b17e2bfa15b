//! The linear layers against their golden models.

use super::{Batch, Golden, compare_lists};
use crate::drive::linear::{exact, importance, log};
use crate::drive::{Feed, run};
use hwgen_designs::linear::{ImportanceSpec, LinearSpec, LogLinearSpec};
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How often a stream stalls.
pub(super) fn stall(rng: &mut impl Rng) -> f64 {
    [0.0, 0.1, 0.5][rng.random_range(0..3)]
}

/// Runs a device and compares what comes out, each entry `compared` values.
pub(super) fn check<T: PartialEq + std::fmt::Debug>(
    device: &mut dyn Device,
    (feeds, stall, seed): (&[Feed], f64, u64),
    expected: &[T],
    read: impl Fn(&crate::drive::Run) -> Vec<T>,
    compared: u32,
) -> Result<Batch, String> {
    let run = run(device, feeds, stall, seed, expected.len()).map_err(|error| error.to_string())?;
    compare_lists("result", &read(&run), expected)?;
    let cycles = run.cycles.last().map_or(0, |last| last + 1);
    Ok(Batch { cycles, compared: expected.len() as u64 * u64::from(compared) })
}

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
