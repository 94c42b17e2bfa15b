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

/// The same for two layers one behind the other, each with its latency; its batches have the same
/// tokens in both.
///
/// The first layer stands still while the second does not take its result, and its next load begins
/// when the second has taken the batch's last.
pub fn chained_result_cycles(latencies: [u32; 2], batches: &[[Batch; 2]]) -> Vec<u64> {
    let [first_latency, latency] = latencies.map(u64::from);
    let (mut load_from, mut results) = ([0, 0], vec![]);
    for [first, second] in batches {
        let mut step = load_from[0] + first.load_beats;
        let mut free = load_from[1] + second.load_beats;
        let mut taken = 0;
        for (first_steps, steps) in first.token_steps.iter().zip(&second.token_steps) {
            taken = free.max(step + first_steps + first_latency);
            // waiting moves what follows in the first layer, too
            step = taken - first_latency;
            free = taken + steps;
            results.push(free + latency);
        }
        load_from = [taken + 1, free + latency + 1];
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
        assert_eq!(result_cycles(5, &[batch.clone(), batch.clone()]), [12, 14, 27, 29]);
        // the second layer takes the tokens in 12 and 14, or is as slow as it likes
        let pair = |load_beats, steps| {
            let second = Batch { load_beats, token_steps: vec![steps, steps] };
            [[batch.clone(), second]]
        };
        assert_eq!(chained_result_cycles([5, 6], &pair(1, 1)), [19, 21]);
        assert_eq!(chained_result_cycles([5, 6], &pair(1, 9)), [27, 36]);
        assert_eq!(chained_result_cycles([5, 6], &pair(30, 1)), [37, 39]);
        assert_eq!([1, 2, 4, 5, 16, 256].map(tree_cycles), [0, 1, 1, 2, 2, 4]);
    }
}
