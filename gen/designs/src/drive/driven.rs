//! Jobs through a design, and what must come out of it.

use super::{Feed, Run, Stalls, run};
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Device, SimError};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Debug;

/// A design between stream drivers and its golden model: jobs go in one behind the other, without a
/// reset between them, and all that must come out comes out of `out`.
pub trait Driven: Debug {
    /// What it works on: a head, a load with its tokens, a clip.
    type Job;
    /// A beat of `out`.
    type Out: Debug + PartialEq;

    /// A random job, with at most `most` rows, tokens or whatever it has many of.
    fn random(&self, rng: &mut impl Rng, most: usize) -> Self::Job;

    /// What jobs are to the streams in, none of which stalls; `rng` makes what nobody may read.
    fn feeds(&self, jobs: &[Self::Job], rng: &mut impl Rng) -> Vec<Feed>;

    /// What the golden model says.
    ///
    /// # Errors
    /// A job that does not fit the specification, in words.
    fn expected(&self, jobs: &[Self::Job]) -> Result<Vec<Self::Out>, String>;

    /// A beat of `out` by its fields.
    fn read(&self, beat: &[Int]) -> Self::Out;

    /// The cycle at whose end each beat of `out` passes when no stream stalls, as the design's model
    /// of cycles has it; cycle 0 is the first after reset.
    fn out_cycles(&self, jobs: &[Self::Job]) -> Vec<u64>;

    /// Values that a beat of `out` is.
    fn values(&self) -> u32;

    /// The jobs of a random batch: a few, those behind the first without a reset.
    fn few(&self, rng: &mut impl Rng) -> Vec<Self::Job> {
        (0..2).map(|_| self.random(rng, 4)).collect()
    }

    /// So many beats of a batch are compared.
    fn beats(&self) -> usize {
        usize::MAX
    }

    /// What jobs are to the streams in, all of which stall.
    fn stalled(&self, jobs: &[Self::Job], stalls: Stalls) -> Vec<Feed> {
        let mut feeds = self.feeds(jobs, &mut ChaCha8Rng::seed_from_u64(stalls.seed));
        feeds.iter_mut().for_each(|feed| feed.stall = stalls.ins);
        feeds
    }

    /// Resets the device, sends it all jobs, and takes `beats` beats, or gives up.
    ///
    /// # Errors
    /// [`SimError::TimedOut`] if there is no beat for long.
    fn run(
        &self,
        device: &mut dyn Device,
        jobs: &[Self::Job],
        stalls: Stalls,
        beats: usize,
    ) -> Result<Run<Self::Out>, SimError> {
        self.run_fed(device, &self.stalled(jobs, stalls), stalls, beats)
    }

    /// [`run`](Driven::run) of whatever streams are fed, with stalls of their own.
    ///
    /// # Errors
    /// [`SimError::TimedOut`] if there is no beat for long.
    fn run_fed(
        &self,
        device: &mut dyn Device,
        feeds: &[Feed],
        stalls: Stalls,
        beats: usize,
    ) -> Result<Run<Self::Out>, SimError> {
        let Run { beats, cycles, unknown } = run(device, feeds, stalls.out, stalls.seed, beats)?;
        let beats = beats.iter().map(|beat| self.read(beat)).collect();
        Ok(Run { beats, cycles, unknown })
    }
}
