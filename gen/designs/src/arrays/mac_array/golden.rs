//! MAC array, in integers: a vector times a matrix.

/// `sums[c] = sum over r of weights[r][c] * activations[r]`; a row of weights an activation.
pub fn product(weights: &[Vec<i64>], activations: &[i64]) -> Vec<i64> {
    let columns = weights.first().map_or(0, Vec::len);
    let sum = |c| weights.iter().zip(activations).map(|(row, x)| row[c] * x).sum();
    (0..columns).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let weights = [vec![1, -2, 3], vec![4, 5, -6]];
        assert_eq!(product(&weights, &[10, -1]), [6, -25, 36]);
        assert!(product(&[], &[]).is_empty());
    }
}
