//! Heads between stream drivers and golden models, and what any predictor makes of them.

use crate::attention::attend::golden::{Attend, AttendError, Memory, Query};
use crate::attention::attend::spec::ELEMENT_BITS;
use crate::attention::predictor::golden::InputError;
use crate::drive::Values;
use bitvec::vec::BitVec;
use rand::Rng;

/// How large a predictor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Elements of a query or key.
    pub head_dim: u32,
    /// Keys it holds.
    pub max_keys: u32,
    /// Keys of a group.
    pub rows: u32,
}

/// A predictor, alone or in an engine, and its golden model.
pub trait Predict: std::fmt::Debug {
    /// Its size.
    fn size(&self) -> Size;

    /// Bits of a row's radius, if rows bring one.
    fn radius_bits(&self) -> Option<u32> {
        None
    }

    /// Whether the predictor takes a row's scale and shift.
    fn takes_scale(&self) -> bool {
        false
    }

    /// What the model keeps of the keys: for each row a bit a visible key.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError>;
}

/// One attention head: its keys and values, then its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Each `head_dim` elements.
    pub keys: Vec<Vec<i32>>,
    /// A value a key.
    pub values: Vec<Vec<i32>>,
    /// At least one.
    pub rows: Vec<Row>,
}

/// A query row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The query, with its scale.
    pub query: Query,
    /// Keys it sees, from key 0.
    pub visible: usize,
    /// For predictors that take one.
    pub radius: Option<u64>,
    /// What its predictor's model keeps: a bit a visible key.
    pub survivors: BitVec,
}

impl Head {
    /// A random head for a predictor or an engine; each row sees a random part of the keys.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    pub fn random(
        spec: &impl Predict,
        rng: &mut impl Rng,
        keys: usize,
        rows: usize,
        values: Values,
    ) -> Result<Head, InputError> {
        let dim = spec.size().head_dim as usize;
        let vector =
            |rng: &mut _| (0..dim).map(|_| values.draw(rng, ELEMENT_BITS)).collect::<Vec<i32>>();
        let mut vectors = || (0..keys).map(|_| vector(rng)).collect::<Vec<_>>();
        let (keys, values) = (vectors(), vectors());
        let mut head = Head { rows: vec![], keys, values };
        for _ in 0..rows {
            let shift = rng.random_range(0..32);
            let query = Query { elements: vector(rng), scale: rng.random(), shift };
            let radius = spec.radius_bits().map(|bits| rng.random_range(0..1 << bits));
            let visible = rng.random_range(1..=head.keys.len());
            head.rows.push(Row { query, visible, radius, survivors: BitVec::new() });
        }
        head.predict(spec)?;
        Ok(head)
    }

    /// Sets every row's survivors to those of the predictor's model.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    pub fn predict(&mut self, spec: &impl Predict) -> Result<(), InputError> {
        let survivors = spec.survivors(&self.keys, &self.rows)?;
        for (row, survivors) in self.rows.iter_mut().zip(survivors) {
            row.survivors = survivors;
        }
        Ok(())
    }

    /// What the exact stage's model makes of the survivors: each row's result.
    ///
    /// # Errors
    /// A row without a survivor, or lists that do not fit each other.
    pub fn expected(&self, probability_bits: u32) -> Result<Vec<Vec<i32>>, AttendError> {
        let attend = Attend::new(probability_bits);
        let memory = Memory { keys: &self.keys, values: &self.values };
        let rows = self.rows.iter();
        rows.map(|row| Ok(attend.row(&row.query, memory, &row.survivors)?.out)).collect()
    }

    /// Keys kept, of all rows.
    pub fn kept(&self) -> usize {
        self.rows.iter().map(|row| row.survivors.count_ones()).sum()
    }

    /// Keys seen, of all rows.
    pub fn seen(&self) -> usize {
        self.rows.iter().map(|row| row.visible).sum()
    }
}

/// How streams stall: the probability that a cycle is one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stalls {
    /// Of `keys`.
    pub keys: f64,
    /// Of `queries`.
    pub queries: f64,
    /// Of `out`.
    pub out: f64,
    /// Where the random numbers start.
    pub seed: u64,
}
