//! A part of the items, by index.

use crate::random::{Purpose, stream};
use crate::{DataError, Item, Items};
use rand::seq::SliceRandom;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A part of the items in some order; copies share the items.
#[derive(Debug, Clone)]
pub struct Subset {
    items: Arc<Items>,
    indices: Arc<[u32]>,
}

impl From<Items> for Subset {
    /// All items in their order.
    fn from(items: Items) -> Subset {
        let indices = (0..items.len() as u32).collect();
        Subset { items: Arc::new(items), indices }
    }
}

impl Subset {
    /// The items that it is a part of.
    pub fn items(&self) -> &Arc<Items> {
        &self.items
    }

    /// Which items they are.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The item at a place.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn get(&self, place: usize) -> Item<'_> {
        self.items.item(self.indices[place] as usize)
    }

    /// All items in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Item<'_>> {
        self.indices.iter().map(|&index| self.items.item(index as usize))
    }

    /// The items of these indices of [`Subset::items`].
    pub(crate) fn of(&self, indices: impl IntoIterator<Item = u32>) -> Subset {
        Subset { items: self.items.clone(), indices: indices.into_iter().collect() }
    }

    /// The items at these places, in their order.
    ///
    /// # Panics
    /// If there is no such place.
    pub fn pick(&self, places: impl IntoIterator<Item = usize>) -> Subset {
        self.of(places.into_iter().map(|place| self.indices[place]))
    }

    /// The items that are to stay.
    pub fn filter(&self, mut keep: impl FnMut(&Item<'_>) -> bool) -> Subset {
        self.of(self.indices.iter().copied().filter(|&i| keep(&self.items.item(i as usize))))
    }

    /// In another order; each `round` has its own.
    pub fn shuffled(&self, seed: u64, round: u64) -> Subset {
        let mut indices = self.indices.to_vec();
        indices.shuffle(&mut stream(seed, Purpose::Shuffle, round));
        self.of(indices)
    }

    /// Items of each class.
    pub fn histogram(&self) -> Vec<usize> {
        let mut counts = vec![0; self.items.classes().len()];
        self.indices.iter().for_each(|&i| counts[self.items.label(i as usize)] += 1);
        counts
    }

    /// The groups that its items are in.
    pub fn groups(&self) -> BTreeSet<u32> {
        self.indices.iter().filter_map(|&i| self.items.group(i as usize)).collect()
    }

    /// The items of these groups.
    pub fn of_groups(&self, groups: &BTreeSet<u32>) -> Subset {
        self.filter(|item| item.group.is_some_and(|group| groups.contains(&group)))
    }

    /// Without `count` groups, drawn by seed, and those groups alone: speakers that come later. Items
    /// without a group stay with the first.
    ///
    /// # Errors
    /// Fewer than `count` + 1 groups.
    pub fn new_groups(&self, count: usize, seed: u64) -> Result<(Subset, Subset), DataError> {
        let mut groups: Vec<u32> = self.groups().into_iter().collect();
        if groups.len() <= count {
            let (set, pieces) = (self.items.head().name.clone(), groups.len());
            return Err(DataError::Parts { set, pieces, parts: count.saturating_add(1) });
        }
        groups.shuffle(&mut stream(seed, Purpose::Choose, 0));
        let new: BTreeSet<u32> = groups[..count].iter().copied().collect();
        let stays = |item: &Item<'_>| !item.group.is_some_and(|group| new.contains(&group));
        Ok((self.filter(stays), self.of_groups(&new)))
    }
}
