//! How a design is held against its integer model.

use crate::drive::{Driven, Feed, run};
use hwgen_hdl::Int;
use hwgen_hdl::sim::Device;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Vectors for a design, and the golden model's answers.
///
/// A batch starts with a reset, wherever the batch before it ended.
pub trait Golden {
    /// Runs the batch of that seed on a device.
    ///
    /// # Errors
    /// The first value that differs, in words.
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String>;
}

/// A batch that came out right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Cycles it took.
    pub cycles: u64,
    /// Values compared.
    pub compared: u64,
}

/// Compares what came with what must come.
///
/// # Errors
/// The first that differs, or another number of them.
pub(crate) fn compare_lists<T: PartialEq + std::fmt::Debug>(
    what: &str,
    seen: &[T],
    golden: &[T],
) -> Result<(), String> {
    let differs = seen.iter().zip(golden).position(|(seen, golden)| seen != golden);
    if let Some(n) = differs {
        return Err(format!("{what} {n}: {:?}, golden {:?}", seen[n], golden[n]));
    }
    if seen.len() != golden.len() {
        return Err(format!("{} times {what}, golden {}", seen.len(), golden.len()));
    }
    Ok(())
}

/// How often a stream stalls.
pub(crate) fn stall(rng: &mut impl Rng) -> f64 {
    [0.0, 0.1, 0.5][rng.random_range(0..3)]
}

/// Runs a device and compares what comes out, each beat `compared` values.
pub(crate) fn check<T: PartialEq + std::fmt::Debug>(
    device: &mut dyn Device,
    (feeds, stall, seed): (&[Feed], f64, u64),
    expected: &[T],
    read: impl Fn(&[Int]) -> T,
    compared: u32,
) -> Result<Batch, String> {
    let run = run(device, feeds, stall, seed, expected.len()).map_err(|error| error.to_string())?;
    let seen: Vec<_> = run.beats.iter().map(|beat| read(beat)).collect();
    compare_lists("result", &seen, expected)?;
    let cycles = run.cycles.last().map_or(0, |last| last + 1);
    Ok(Batch { cycles, compared: expected.len() as u64 * u64::from(compared) })
}

/// Random jobs, streams stalling at random.
impl<D: Driven> Golden for D {
    fn batch(&self, device: &mut dyn Device, seed: u64) -> Result<Batch, String> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let jobs = self.few(rng);
        let mut feeds = self.feeds(&jobs, rng);
        feeds.iter_mut().for_each(|feed| feed.stall = stall(rng));
        let mut expected = self.expected(&jobs)?;
        expected.truncate(self.beats());
        let read = |beat: &[Int]| self.read(beat);
        check(device, (&feeds, stall(rng), seed), &expected, read, self.values())
    }
}
