//! The cycles of the front end, exactly, when no stream stalls.

use super::MfccSpec;
use super::cosines::coefficient_cycles;
use super::logs::LOGS_WAIT;
use super::walk::STAGE_GAP;
use super::{multiply::PRODUCT_CYCLES, tables};
use crate::cost::Cost;

impl MfccSpec {
    /// Complex points of the transform: M.
    pub(super) fn points(&self) -> u32 {
        self.fft / 2
    }

    /// Stages of the transform.
    pub(super) fn stages(&self) -> u32 {
        self.points().trailing_zeros()
    }

    /// Cycles between turns: four products, by one multiplier or by two.
    pub(super) fn turn_cycles(&self) -> u32 {
        4 / self.multipliers
    }

    /// Cycles from the read of a turn's second point to its result.
    pub(super) fn turn_latency(&self) -> u32 {
        self.turn_cycles() + PRODUCT_CYCLES + 2
    }

    /// Cycles of a stage of the transform.
    pub(super) fn stage_cycles(&self) -> u32 {
        self.turn_cycles() * self.points() / 2 + STAGE_GAP
    }

    /// Cycles from the start of a frame to its transform's.
    fn window_cycles(&self) -> u32 {
        self.fft + PRODUCT_CYCLES + 2
    }

    /// Cycles a bin, from its decision to the next one.
    fn bin_cycles(&self) -> u32 {
        self.turn_latency() + self.rotations + PRODUCT_CYCLES + 3
    }

    /// Cycles of the bins and bands.
    fn band_cycles(&self) -> u32 {
        tables::bins(self).len() as u32 * self.bin_cycles() + self.mels + 1
    }

    /// Cycles from the start of a frame to the next one's, if its samples are there in time.
    pub fn frame_cycles(&self) -> u32 {
        let coefficients = self.coefficients * coefficient_cycles(self);
        self.before_features() + coefficients
    }

    /// Cycles from the start of a frame to its first coefficient's.
    fn before_features(&self) -> u32 {
        let transform = self.stages() * self.stage_cycles();
        // one cycle decides that all bins are done
        self.window_cycles() + transform + self.band_cycles() + 1 + LOGS_WAIT
    }
}

impl Cost for MfccSpec {
    type Workload = [u64];

    /// The cycle at whose end each feature passes, of clips with so many samples. Cycle 0 takes the
    /// first level.
    fn result_cycles(&self, clips: &[u64]) -> Vec<u64> {
        let [window, hop] = [self.window, self.hop].map(u64::from);
        let [before, frame] = [self.before_features(), self.frame_cycles()].map(u64::from);
        let (mut begins, mut cycles) = (0, vec![]);
        for &samples in clips {
            // the first frame's samples come from the cycle after the level's
            let (mut full, mut free) = (begins + window + 1, 0);
            let mut start = full;
            for _ in 0..self.frames {
                start = full.max(free);
                let passed = (1..=self.coefficients).map(|k| k * coefficient_cycles(self) - 1);
                cycles.extend(passed.map(|passed| start + before + u64::from(passed)));
                full = start + hop + 2;
                free = start + frame;
            }
            // samples beyond the last frame are taken when it begins
            let used = u64::from(self.frames - 1) * hop + window;
            let beyond = samples.saturating_sub(used.saturating_sub(self.lead.into()));
            let ended = if beyond == 0 { 0 } else { start + beyond + 1 };
            begins = free.max(ended) + 1;
        }
        cycles
    }
}
