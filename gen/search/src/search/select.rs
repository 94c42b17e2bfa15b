//! Which of many points are taken.

use crate::evolve::Individual;

/// Points that no other beats, the fastest first.
pub fn front(individuals: &[Individual]) -> Vec<Individual> {
    let mut kept: Vec<&Individual> =
        individuals.iter().filter(|individual| individual.worth.violation == 0.0).collect();
    let objectives = |individual: &Individual| individual.worth.objectives;
    kept.sort_by(|a, b| {
        let ([ea, ca], [eb, cb]) = (objectives(a), objectives(b));
        ca.total_cmp(&cb).then(ea.total_cmp(&eb)).then(a.choice.cmp(&b.choice))
    });
    let mut best = f64::INFINITY;
    let better = |individual: &&Individual| {
        let error = objectives(individual)[0];
        let better = error < best;
        best = best.min(error);
        better
    };
    kept.into_iter().filter(better).cloned().collect()
}

/// So many points of the front: the most accurate first, then those that are nearest to shares of its cycles.
pub fn picks(individuals: &[Individual], count: usize) -> Vec<Individual> {
    let front = front(individuals);
    let Some(best) = front.last() else { return vec![] };
    let most = best.worth.objectives[1];
    let mut picked = vec![best.clone()];
    for n in 1..count {
        // each a good third faster than the one before
        let aim = (most * 0.65f64.powi(n as i32)).ln();
        let distance = |i: &Individual| (i.worth.objectives[1].max(1.0).ln() - aim).abs();
        let left = front.iter().filter(|individual| !picked.contains(individual));
        let nearest = left.min_by(|a, b| distance(a).total_cmp(&distance(b)));
        picked.extend(nearest.cloned());
    }
    picked
}

/// How well two orders agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kendall {
    /// Kendall's tau-b: 1 if they are the same, 0 if they have nothing to do with each other.
    pub tau: f64,
    /// Pairs.
    pub pairs: usize,
}

/// Kendall's tau-b of two lists of the same things.
pub fn kendall(a: &[f64], b: &[f64]) -> Kendall {
    let (mut same, mut other, mut ties_a, mut ties_b, mut pairs) = (0i64, 0i64, 0i64, 0i64, 0i64);
    for i in 0..a.len().min(b.len()) {
        for j in 0..i {
            let (x, y) = (a[i].total_cmp(&a[j]) as i64, b[i].total_cmp(&b[j]) as i64);
            pairs += 1;
            ties_a += i64::from(x == 0);
            ties_b += i64::from(y == 0);
            same += i64::from(x * y > 0);
            other += i64::from(x * y < 0);
        }
    }
    let scale = ((pairs - ties_a) as f64 * (pairs - ties_b) as f64).sqrt();
    let tau = if scale > 0.0 { (same - other) as f64 / scale } else { 0.0 };
    Kendall { tau, pairs: pairs as usize }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolve::Worth;
    use crate::space::Choice;

    fn individual(n: u8, error: f64, cycles: f64, violation: f64) -> Individual {
        let worth = Worth { objectives: [error, cycles], violation };
        Individual { choice: Choice(vec![n]), worth }
    }

    #[test]
    fn a_front_has_what_nobody_beats() {
        let all = [
            individual(0, 0.1, 100.0, 0.0),
            individual(1, 0.2, 50.0, 0.0),
            individual(2, 0.2, 60.0, 0.0),
            individual(3, 0.05, 70.0, 0.1),
            individual(4, 0.1, 120.0, 0.0),
            individual(5, 0.3, 20.0, 0.0),
        ];
        let of = |list: Vec<Individual>| list.iter().map(|i| i.choice.0[0]).collect::<Vec<u8>>();
        assert_eq!(of(front(&all)), [5, 1, 0]);
        assert_eq!(of(picks(&all, 2)), [0, 1]);
        assert_eq!(of(picks(&all, 9)), [0, 1, 5]);
        assert!(picks(&[], 3).is_empty());
    }

    #[test]
    fn tau_is_that_of_tables() {
        // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) is -0.4714
        let tau = kendall(&[12.0, 2.0, 1.0, 12.0, 2.0], &[1.0, 4.0, 7.0, 1.0, 0.0]).tau;
        assert!((tau + 0.471_404_5).abs() < 1e-6, "{tau}");
        assert_eq!(kendall(&[1.0, 2.0, 3.0], &[4.0, 5.0, 9.0]).tau, 1.0);
        assert_eq!(kendall(&[1.0, 1.0], &[4.0, 5.0]).tau, 0.0);
    }
}
