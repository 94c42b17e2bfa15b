//! The exchangeable part of a model.

use bitvec::vec::BitVec;
use hwgen_designs::attention::attend::golden::{Attend, Memory};
use hwgen_verify::attention::output::{Integers, Selection};
use hwgen_verify::attention::quality::MIN_VISIBLE;
use hwgen_verify::attention::{Head, Matrix};
use ndarray::{Array2, ShapeError};
use std::error::Error;

/// Where a head stands in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// Counted from 0.
    pub layer: usize,
    /// Counted from 0.
    pub head: usize,
}

/// Attention of one head.
pub trait Attention {
    /// A row for each query, as wide as the values.
    ///
    /// # Errors
    /// A head that cannot be run.
    fn attend(&mut self, site: Site, head: &Head) -> Result<Array2<f32>, Box<dyn Error>>;
}

/// Attention in floating point, to all visible keys.
#[derive(Debug, Clone, Default)]
pub struct Float {
    /// Of each head that was run, in order: its place, and the mean probability of key 0 over the
    /// rows that see [`MIN_VISIBLE`] keys, with the number of these rows.
    pub first_key: Vec<(Site, f64, usize)>,
}

impl Attention for Float {
    fn attend(&mut self, site: Site, head: &Head) -> Result<Array2<f32>, Box<dyn Error>> {
        let [queries, keys, values] = [&head.queries, &head.keys, &head.values].map(array);
        let (queries, keys, values) = (queries?, keys?, values?);
        let mut weights = queries.dot(&keys.t()) * head.scale;
        let (mut first, mut rows) = (0.0, 0);
        for (i, mut row) in weights.rows_mut().into_iter().enumerate() {
            let visible = head.visible(i);
            let largest = row.iter().take(visible).fold(f32::NEG_INFINITY, |max, x| max.max(*x));
            for (j, weight) in row.iter_mut().enumerate() {
                *weight = if j < visible { (*weight - largest).exp() } else { 0.0 };
            }
            row /= row.sum();
            if visible >= MIN_VISIBLE {
                first += f64::from(row[0]);
                rows += 1;
            }
        }
        self.first_key.push((site, first / rows.max(1) as f64, rows));
        Ok(weights.dot(&values))
    }
}

/// The rows as an array.
///
/// # Errors
/// None: a matrix has full rows only.
pub fn array(matrix: &Matrix) -> Result<Array2<f32>, ShapeError> {
    let values = matrix.iter().flatten().copied().collect();
    Array2::from_shape_vec((matrix.rows(), matrix.cols()), values)
}

/// Which keys each query of the head at this place attends to.
pub type Select<'s> = dyn Fn(Site, &Integers) -> Selection + Sync + 's;

/// Attention in integers to selected keys: queries, keys and values in `s8`, each with one step a
/// head, by the exact stage's golden model.
#[derive(Clone)]
pub struct Integer<'s> {
    select: &'s Select<'s>,
    engine: Attend,
    /// What was kept so far.
    pub kept: Kept,
}

/// Keys kept, over the rows that see [`MIN_VISIBLE`] keys.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Kept {
    /// Rows counted.
    pub rows: usize,
    /// Sum over the rows of the kept part of the visible keys.
    pub parts: f64,
}

impl Kept {
    /// Mean over the rows of the kept part.
    pub fn mean(self) -> f64 {
        self.parts / self.rows.max(1) as f64
    }

    /// Counts the rows of both.
    pub fn and(self, other: Kept) -> Kept {
        Kept { rows: self.rows + other.rows, parts: self.parts + other.parts }
    }
}

impl<'s> Integer<'s> {
    /// Attends to what `select` keeps, with weights of `probability_bits` bits, 4..=16.
    pub fn new(probability_bits: u32, select: &'s Select<'s>) -> Integer<'s> {
        Integer { select, engine: Attend::new(probability_bits), kept: Kept::default() }
    }

    fn count(&mut self, survivors: &BitVec, visible: usize) {
        if visible >= MIN_VISIBLE {
            self.kept.rows += 1;
            self.kept.parts += survivors.count_ones() as f64 / visible as f64;
        }
    }
}

impl Attention for Integer<'_> {
    fn attend(&mut self, site: Site, head: &Head) -> Result<Array2<f32>, Box<dyn Error>> {
        let integers = Integers::of(head);
        let memory = Memory { keys: &integers.keys.rows, values: &integers.values.rows };
        // a unit of the result is a 256th of a unit of the values
        let step = integers.values.step / 256.0;
        let mut out = Vec::with_capacity(head.queries.rows() * head.values.cols());
        for (row, survivors) in (self.select)(site, &integers)?.iter().enumerate() {
            self.count(survivors, integers.visible[row]);
            let result = self.engine.row(&integers.query(row), memory, survivors)?;
            out.extend(result.out.iter().map(|&x| x as f32 * step));
        }
        Ok(Array2::from_shape_vec((head.queries.rows(), head.values.cols()), out)?)
    }
}

/// Keeps the heads that pass through, for another attention to work on.
pub struct Recorder<A> {
    /// What attends.
    pub attention: A,
    /// Every head, in order.
    pub heads: Vec<(Site, Head)>,
}

impl<A: Attention> Attention for Recorder<A> {
    fn attend(&mut self, site: Site, head: &Head) -> Result<Array2<f32>, Box<dyn Error>> {
        self.heads.push((site, head.clone()));
        self.attention.attend(site, head)
    }
}
