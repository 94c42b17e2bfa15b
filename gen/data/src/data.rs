//! A set as it came, and the parts that a search works with.

use crate::{DataError, Subset};

/// A set as its makers divided it.
#[derive(Debug, Clone)]
pub struct Data {
    /// What is trained on; all there is, where nobody divided it.
    pub train: Subset,
    /// What its makers chose networks by, where they say so.
    pub validation: Option<Subset>,
    /// What its makers test with, where they say so.
    pub test: Option<Subset>,
}

/// Parts that are wished for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// Share of the training items for validation, where the set has no such part.
    pub validation: f64,
    /// Share of the training items for the test, where the set has no such part.
    pub test: f64,
    /// Training items at most, validation's included.
    pub limit: Option<usize>,
    /// What all is drawn by.
    pub seed: u64,
}

impl Default for Wish {
    /// A tenth for validation, a fifth for the test, seed 0, no limit.
    fn default() -> Wish {
        Wish { validation: 0.1, test: 0.2, limit: None, seed: 0 }
    }
}

/// Three parts. No item is in two of them and, where we divide, no group.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What weights are fitted to.
    pub train: Subset,
    /// What a search may look at.
    pub validation: Subset,
    /// What is looked at once, at the end.
    pub test: Subset,
}

impl From<Subset> for Data {
    /// A set that nobody divided.
    fn from(train: Subset) -> Data {
        Data { train, validation: None, test: None }
    }
}

impl Data {
    /// Its parts: the makers' test and validation where there are such, else shares of the training items,
    /// by group where groups are known, else by class. The test comes off first, then the limit holds.
    ///
    /// # Errors
    /// Shares that are not in 0..=1, fewer groups than parts.
    pub fn parts(&self, wish: &Wish) -> Result<Parts, DataError> {
        let (test, rest) = match &self.test {
            Some(test) => (test.clone(), self.train.clone()),
            None => share(&self.train, wish.test, wish.seed)?,
        };
        let rest = wish.limit.map_or(rest.clone(), |most| rest.limit(most, wish.seed));
        let (validation, train) = match &self.validation {
            Some(validation) => (validation.clone(), rest),
            None => share(&rest, wish.validation, wish.seed)?,
        };
        Ok(Parts { train, validation, test })
    }
}

fn share(of: &Subset, share: f64, seed: u64) -> Result<(Subset, Subset), DataError> {
    match of.groups().is_empty() {
        true => of.split(share, seed),
        false => of.split_groups(share, seed),
    }
}
