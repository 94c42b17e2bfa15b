//! Exact cycles of designs at work.

/// A design whose cycles are known before it runs.
pub trait Cost {
    /// What it works on: heads with the keys that each row keeps, batches of tokens, a program.
    type Workload: ?Sized;

    /// Cycles until the last result has passed when no stream stalls; the first one takes what
    /// comes first.
    fn cycles(&self, workload: &Self::Workload) -> u64;
}

/// Cycles until the last of what passes at the ends of these cycles, counted from 0.
pub(crate) fn until_last(cycles: &[u64]) -> u64 {
    cycles.last().map_or(0, |last| last + 1)
}
