//! Batches of real numbers.

use crate::random::{Purpose, stream};
use crate::{Augment, DataError, Shape, Subset};

/// Items as a network takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Real numbers: item by item, row by row, channels innermost (N, H, W, C).
    pub inputs: Vec<f32>,
    /// A class for each item.
    pub labels: Vec<usize>,
    /// An item's shape.
    pub shape: Shape,
}

/// The batches of one epoch; the last may be smaller.
#[derive(Debug, Clone)]
pub struct Batches {
    items: Subset,
    size: usize,
    next: usize,
    augment: Augment,
    seed: u64,
    epoch: u64,
}

impl Batches {
    /// All items in their order, as they are.
    ///
    /// # Errors
    /// No item a batch.
    pub fn in_order(items: &Subset, size: usize) -> Result<Batches, DataError> {
        if size == 0 {
            return Err(DataError::number("batch size", size, "at least 1"));
        }
        let (items, augment) = (items.clone(), Augment::default());
        Ok(Batches { items, size, next: 0, augment, seed: 0, epoch: 0 })
    }

    /// An epoch of training: in an order of its own, each item changed by (seed, epoch, item) alone.
    ///
    /// # Errors
    /// No item a batch; a change that these items do not have.
    pub fn epoch(
        items: &Subset,
        size: usize,
        augment: &Augment,
        seed: u64,
        epoch: u32,
    ) -> Result<Batches, DataError> {
        augment.check(items.items())?;
        let epoch = u64::from(epoch);
        let batches = Batches::in_order(&items.shuffled(seed, epoch), size)?;
        Ok(Batches { augment: augment.clone(), seed, epoch, ..batches })
    }

    /// Those from the `n`th batch on.
    pub fn starting_at(self, n: usize) -> Batches {
        Batches { next: n.saturating_mul(self.size).min(self.items.len()), ..self }
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let end = self.items.len().min(self.next.saturating_add(self.size));
        let indices = self.items.indices().get(self.next..end).filter(|some| !some.is_empty())?;
        self.next = end;
        let (all, shape) = (self.items.items(), self.items.items().shape());
        let mut inputs = Vec::with_capacity(indices.len() * shape.elements());
        let mut labels = Vec::with_capacity(indices.len());
        for &index in indices {
            let (item, number) = (index as usize, self.epoch << 32 | u64::from(index));
            let mut rng = || stream(self.seed, Purpose::Augment, number);
            let values = self.augment.apply(all, all.values(item), &mut rng);
            inputs.extend(values.iter().map(|&q| all.scale().real(q)));
            labels.push(all.label(item));
        }
        Some(Batch { inputs, labels, shape })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.items.len() - self.next).div_ceil(self.size);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Batches {}
