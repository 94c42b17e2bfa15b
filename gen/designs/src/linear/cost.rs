//! The cycles of the layers, exactly, when no stream stalls.

/// Adder levels between registers.
pub const LEVELS_PER_STAGE: u32 = 2;

/// A batch as the timing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Beats of the load's longest stream.
    pub load_beats: u64,
    /// Steps of each token; at least one token.
    pub token_steps: Vec<u64>,
}

/// Registers of an adder tree over `terms` terms.
pub(super) fn tree_cycles(terms: u32) -> u32 {
    terms.next_power_of_two().trailing_zeros().div_ceil(LEVELS_PER_STAGE)
}

/// The cycle at whose end each result passes, in a layer whose result is taken `latency` cycles
/// after the cycle of the token's last step. Cycle 0 takes the first beat of the first load.
pub fn result_cycles(latency: u32, batches: &[Batch]) -> Vec<u64> {
    let (mut load_from, mut results) = (0, vec![]);
    for batch in batches {
        // a token is taken in the cycle before its first step
        let mut step = load_from + batch.load_beats;
        for steps in &batch.token_steps {
            step += steps;
            results.push(step + u64::from(latency));
        }
        load_from = step + u64::from(latency) + 1;
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let batch = Batch { load_beats: 3, token_steps: vec![4, 2] };
        // loads in 0..=2, the first token is taken in 3, steps in 4..=7, the next in 8..=9
        assert_eq!(result_cycles(5, &[batch.clone(), batch]), [12, 14, 27, 29]);
        assert_eq!([1, 2, 4, 5, 16, 256].map(tree_cycles), [0, 1, 1, 2, 2, 4]);
    }
}
