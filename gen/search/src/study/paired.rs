//! Differences of two networks on the same items.

/// How two networks differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Items.
    pub items: usize,
    /// The share that the first gets right, less that of the second.
    pub difference: f64,
    /// Half the width of the interval that holds it in 95 of 100 cases.
    pub half_width: f64,
}

/// What the first gets right more often than the second; only items on which they differ tell anything.
pub fn paired(first: &[bool], second: &[bool]) -> Paired {
    let items = first.len().min(second.len());
    let pairs = || first.iter().zip(second);
    let only = |a: bool, b: bool| pairs().filter(|&(&x, &y)| x == a && y == b).count() as f64;
    let (won, lost, n) = (only(true, false), only(false, true), items.max(1) as f64);
    let difference = (won - lost) / n;
    let variance = ((won + lost) / n - difference * difference) / n;
    Paired { items, difference, half_width: 1.96 * variance.max(0.0).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_items_that_differ_count() {
        let first: Vec<bool> = (0..1000).map(|n| n % 10 != 0).collect();
        let same = paired(&first, &first);
        assert_eq!((same.difference, same.half_width), (0.0, 0.0));
        let second: Vec<bool> = (0..1000).map(|n| n % 10 != 0 && n >= 30).collect();
        let worse = paired(&first, &second);
        assert!((worse.difference - 0.027).abs() < 1e-12);
        // McNemar: sqrt(27 - 27^2 / 1000) / 1000
        assert!((worse.half_width / 1.96 - (27.0f64 - 0.729).sqrt() / 1000.0).abs() < 1e-9);
    }
}
