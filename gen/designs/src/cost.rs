//! Exact cycles of designs at work.

/// A design whose cycles are known before it runs.
pub trait Cost {
    /// What it works on: heads with the keys that each row keeps, batches of tokens, a program.
    type Workload: ?Sized;

    /// The cycle at whose end each result passes when no stream stalls; cycle 0 takes what comes first.
    /// Of a program: the last of its cycles.
    fn result_cycles(&self, workload: &Self::Workload) -> Vec<u64>;

    /// Cycles until the last result has passed.
    fn cycles(&self, workload: &Self::Workload) -> u64 {
        self.result_cycles(workload).last().map_or(0, |last| last + 1)
    }
}
