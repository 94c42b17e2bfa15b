//! Parts of a subset: as even by class as can be, no group on both sides.

use crate::random::{Purpose, stream};
use crate::{DataError, Subset};
use rand::seq::SliceRandom;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// One of several folds.
#[derive(Debug, Clone)]
pub struct Fold {
    /// All but the fold.
    pub train: Subset,
    /// The fold.
    pub test: Subset,
}

/// Items that stay together: a group, or one item that is in none.
struct Piece {
    items: Vec<u32>,
    /// Classes and how many items are of each.
    classes: BTreeMap<usize, f64>,
}

/// A part that pieces are put into.
struct Part {
    weight: f64,
    items: Vec<u32>,
    classes: Vec<f64>,
}

impl Subset {
    /// `most` items, or all if there are fewer, drawn by seed, of each class its share of them.
    pub fn limit(&self, most: usize, seed: u64) -> Subset {
        self.divide(most.min(self.len()), seed).0
    }

    /// A share of the items, of each class alike, and the rest.
    ///
    /// # Errors
    /// A share that is not in 0..=1.
    pub fn split(&self, share: f64, seed: u64) -> Result<(Subset, Subset), DataError> {
        check(share)?;
        Ok(self.divide((share * self.len() as f64).round() as usize, seed))
    }

    /// About a share of the items, and the rest, no group on both sides; classes as even as groups allow.
    ///
    /// # Errors
    /// A share that is not in 0..=1; fewer than two groups, if both sides are to have some.
    pub fn split_groups(&self, share: f64, seed: u64) -> Result<(Subset, Subset), DataError> {
        check(share)?;
        if share == 0.0 || share == 1.0 {
            return self.split(share, seed);
        }
        let mut parts = self.apportion(&[share, 1.0 - share], seed)?;
        let rest = parts.split_off(1);
        Ok((self.of(parts.concat()), self.of(rest.concat())))
    }

    /// Folds: each item is tested in one, no group is on both sides of any, classes are as even as groups
    /// allow. Items without a group stand for themselves.
    ///
    /// # Errors
    /// Fewer than two folds, or fewer groups than folds.
    pub fn folds(&self, folds: usize, seed: u64) -> Result<Vec<Fold>, DataError> {
        if !(2..=1 << 16).contains(&folds) {
            return Err(DataError::number("folds", folds, "2..=65536"));
        }
        let parts = self.apportion(&vec![1.0 / folds as f64; folds], seed)?;
        let fold = |at: usize| {
            let others = parts.iter().enumerate().filter(|(other, _)| *other != at);
            let mut train: Vec<u32> = others.flat_map(|(_, part)| part).copied().collect();
            train.sort_unstable();
            Fold { train: self.of(train), test: self.of(parts[at].iter().copied()) }
        };
        Ok((0..folds).map(fold).collect())
    }

    /// So many items, of each class its share, drawn by seed, and the rest; both in their old order.
    fn divide(&self, count: usize, seed: u64) -> (Subset, Subset) {
        let counts = shares(&self.histogram(), count);
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut stream(seed, Purpose::Choose, 1));
        let (mut left, mut first) = (counts, vec![false; self.len()]);
        for place in order {
            let left = &mut left[self.items().label(self.indices()[place] as usize)];
            first[place] = *left > 0;
            *left = left.saturating_sub(1);
        }
        let side = |which: bool| self.pick((0..self.len()).filter(|&place| first[place] == which));
        (side(true), side(false))
    }

    /// The groups, and items without one, each on its own; the largest first, else in seeded order.
    fn pieces(&self, seed: u64) -> Vec<Piece> {
        let (mut groups, mut pieces) = (BTreeMap::<u32, Vec<u32>>::new(), vec![]);
        for &index in self.indices() {
            match self.items().group(index as usize) {
                Some(group) => groups.entry(group).or_default().push(index),
                None => pieces.push(vec![index]),
            }
        }
        pieces.extend(groups.into_values());
        pieces.shuffle(&mut stream(seed, Purpose::Divide, 0));
        pieces.sort_by_key(|items| Reverse(items.len()));
        let piece = |items: Vec<u32>| {
            let mut classes = BTreeMap::new();
            for &index in &items {
                *classes.entry(self.items().label(index as usize)).or_default() += 1.0;
            }
            Piece { items, classes }
        };
        pieces.into_iter().map(piece).collect()
    }

    /// Indices of each part, sorted. A piece goes where it adds least to the sum, over parts and classes,
    /// of count^2 / (weight * items of the class), with all items as a class of their own: the sum is
    /// least where each part has its share of everything. None stays empty.
    fn apportion(&self, weights: &[f64], seed: u64) -> Result<Vec<Vec<u32>>, DataError> {
        let (pieces, totals) = (self.pieces(seed), self.histogram());
        if pieces.len() < weights.len() {
            let (set, pieces) = (self.items().head().name.clone(), pieces.len());
            return Err(DataError::Parts { set, pieces, parts: weights.len() });
        }
        let part = |&weight| Part { weight, items: vec![], classes: vec![0.0; totals.len()] };
        let mut parts: Vec<Part> = weights.iter().map(part).collect();
        let (mut empty, count) = (parts.len(), pieces.len());
        for (at, piece) in pieces.into_iter().enumerate() {
            let only_empty = count - at == empty;
            let costs = parts.iter().enumerate().filter(|(_, p)| !only_empty || p.items.is_empty());
            let costs = costs.map(|(at, part)| (part.cost(&piece, &totals, self.len()), at));
            let least = costs.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, at)| at);
            empty -= usize::from(parts[least].items.is_empty());
            parts[least].take(piece);
        }
        let sorted = |mut part: Part| {
            part.items.sort_unstable();
            part.items
        };
        Ok(parts.into_iter().map(sorted).collect())
    }
}

impl Part {
    /// What a piece would add to the sum.
    fn cost(&self, piece: &Piece, totals: &[usize], items: usize) -> f64 {
        let adds = |has: f64, more: f64, total: usize| {
            (2.0 * has + more) * more / (self.weight * total as f64)
        };
        let all = adds(self.items.len() as f64, piece.items.len() as f64, items);
        let class =
            |(&class, &more): (&usize, &f64)| adds(self.classes[class], more, totals[class]);
        all + piece.classes.iter().map(class).sum::<f64>()
    }

    fn take(&mut self, piece: Piece) {
        self.items.extend(piece.items);
        piece.classes.into_iter().for_each(|(class, more)| self.classes[class] += more);
    }
}

/// `count` divided as the counts are, by largest remainders.
pub(crate) fn shares(counts: &[usize], count: usize) -> Vec<usize> {
    let total = counts.iter().sum::<usize>().max(1);
    // below 2^22 items each: the product has 64 bits
    let mut shares: Vec<usize> = counts.iter().map(|&n| n * count / total).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| Reverse(counts[class] * count % total));
    let left = count - shares.iter().sum::<usize>();
    order[..left.min(order.len())].iter().for_each(|&class| shares[class] += 1);
    shares
}

fn check(share: f64) -> Result<(), DataError> {
    match (0.0..=1.0).contains(&share) {
        true => Ok(()),
        false => Err(DataError::number("share", share, "0..=1")),
    }
}
