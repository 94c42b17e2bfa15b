//! `importance`: how many rows keep each token, and what follows from it.

/// What a job says of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importance {
    /// Rows that keep each token.
    pub counts: Vec<u64>,
    /// Counts at or above it make a token precise.
    pub threshold: u64,
}

impl Importance {
    /// Counts the rows of a job of `keys` tokens. `rows` are the tokens each row keeps, as bits;
    /// rows may be shorter than the job, and are cut off at its end.
    ///
    /// `factor256` is the unit's parameter; `keys` is at least 1.
    pub fn of(rows: &[Vec<bool>], keys: usize, factor256: u32) -> Importance {
        let kept = |j: usize| rows.iter().filter(|row| row.get(j) == Some(&true)).count() as u64;
        let counts: Vec<u64> = (0..keys).map(kept).collect();
        let scaled = counts.iter().sum::<u64>() * u64::from(factor256) / 256;
        Importance { threshold: scaled / keys as u64, counts }
    }

    /// Whether a row keeps token `j`.
    pub fn needed(&self, j: usize) -> bool {
        self.counts[j] > 0
    }

    /// Whether token `j` passes the feed-forward layers at eight bits.
    pub fn precise(&self, j: usize) -> bool {
        self.counts[j] >= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let row = |bits: &str| bits.chars().map(|bit| bit == '1').collect::<Vec<_>>();
        let rows = ["1", "11", "101", "1111", "00011111"].map(row);
        let half = Importance::of(&rows, 5, 128);
        assert_eq!((half.counts.clone(), half.threshold), (vec![4, 2, 2, 2, 1], 1));
        let most = Importance::of(&rows, 5, 256);
        assert_eq!(most.threshold, 2);
        assert_eq!([0, 1, 4].map(|j| most.precise(j)), [true, true, false]);
        let wide = Importance::of(&rows, 9, 256);
        assert_eq!((wide.counts[8], wide.needed(8), wide.needed(7)), (0, false, true));
        assert_eq!(wide.threshold, 1);
    }
}
