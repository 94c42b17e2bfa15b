//! Who comes before whom.

use super::{Individual, Worth};
use std::cmp::Ordering;

/// One is better in something and worse in nothing; who keeps all comes before who does not.
pub fn dominates(a: &Worth, b: &Worth) -> bool {
    if a.violation > 0.0 || b.violation > 0.0 {
        return a.violation < b.violation;
    }
    let pairs = || a.objectives.iter().zip(&b.objectives);
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}

/// The front of each: 0 is dominated by none, the next only by those.
pub fn fronts(worths: &[Worth]) -> Vec<usize> {
    let mut front = vec![usize::MAX; worths.len()];
    for level in 0..worths.len() {
        let left = |n: &usize| front[*n] >= level;
        let standing: Vec<usize> = (0..worths.len()).filter(left).collect();
        if standing.is_empty() {
            break;
        }
        let free = |&&n: &&usize| !standing.iter().any(|&m| dominates(&worths[m], &worths[n]));
        let free: Vec<usize> = standing.iter().filter(free).copied().collect();
        free.iter().for_each(|&n| front[n] = level);
    }
    front
}

/// How far those of a front are from their neighbors: the ends of it infinitely.
pub fn crowding(worths: &[Worth], members: &[usize]) -> Vec<f64> {
    let mut distance = vec![0.0; members.len()];
    for objective in 0..2 {
        let at = |n: usize| worths[members[n]].objectives[objective];
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by(|&a, &b| at(a).total_cmp(&at(b)).then(a.cmp(&b)));
        let (Some(&first), Some(&last)) = (order.first(), order.last()) else { continue };
        let span = (at(last) - at(first)).max(f64::MIN_POSITIVE);
        (distance[first], distance[last]) = (f64::INFINITY, f64::INFINITY);
        for three in order.windows(3) {
            distance[three[1]] += (at(three[2]) - at(three[0])) / span;
        }
    }
    distance
}

/// Each one's place, the best first: by front, then by how far from neighbors.
pub(super) fn order(population: &[Individual]) -> Vec<usize> {
    let worths: Vec<Worth> = population.iter().map(|individual| individual.worth).collect();
    let front = fronts(&worths);
    let mut crowded = vec![0.0; worths.len()];
    for level in 0..=front.iter().copied().max().unwrap_or(0) {
        let members: Vec<usize> = (0..worths.len()).filter(|&n| front[n] == level).collect();
        for (&n, distance) in members.iter().zip(crowding(&worths, &members)) {
            crowded[n] = distance;
        }
    }
    let mut sorted: Vec<usize> = (0..worths.len()).collect();
    sorted.sort_by(|&a, &b| match front[a].cmp(&front[b]) {
        Ordering::Equal => crowded[b].total_cmp(&crowded[a]).then(a.cmp(&b)),
        other => other,
    });
    let mut places = vec![0; worths.len()];
    sorted.iter().enumerate().for_each(|(place, &n)| places[n] = place);
    places
}

/// The best so many, in their order.
pub(super) fn survivors(population: Vec<Individual>, count: usize) -> Vec<Individual> {
    let places = order(&population);
    let mut placed: Vec<(usize, Individual)> = places.into_iter().zip(population).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().take(count).map(|(_, individual)| individual).collect()
}
