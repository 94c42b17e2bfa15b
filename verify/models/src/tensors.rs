//! Where weights come from.

use crate::ModelError;
use ndarray::{Array1, Array2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A store of weights, by name.
pub trait Tensors {
    /// The values of the tensor of this name, `[rows, cols]` or `[length]`, row by row.
    ///
    /// # Errors
    /// None of that name or shape.
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError>;

    /// The tensor of this name, `[rows, cols]`.
    ///
    /// # Errors
    /// None of that name or shape.
    fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<Array2<f32>, ModelError> {
        let values = self.values(name, &[rows, cols])?;
        let got = values.len();
        Array2::from_shape_vec((rows, cols), values).map_err(|_| ModelError::Tensor {
            name: name.to_owned(),
            got: format!("{got} values"),
            expected: format!("{rows} x {cols}"),
        })
    }

    /// The tensor of this name, `[length]`.
    ///
    /// # Errors
    /// None of that name or shape.
    fn vector(&mut self, name: &str, length: usize) -> Result<Array1<f32>, ModelError> {
        Ok(self.values(name, &[length])?.into())
    }
}

/// Any tensor that is asked for, made from a seed.
///
/// Matrices are uniform with a deviation of `gain / sqrt(cols)`, so that a layer's output is about
/// as large as its input; vectors, which scale and shift, are within 0.2 of 1 if their name ends
/// in `weight`, else of 0.
#[derive(Debug, Clone)]
pub struct Random {
    rng: ChaCha8Rng,
    gain: f32,
}

impl Random {
    /// The store of this seed.
    pub fn new(seed: u64, gain: f32) -> Random {
        Random { rng: ChaCha8Rng::seed_from_u64(seed), gain }
    }
}

impl Tensors for Random {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let (center, limit) = match shape {
            // a uniform variable's deviation is its limit / sqrt(3)
            [_, cols] => (0.0, self.gain * (3.0 / *cols as f32).sqrt()),
            _ if name.ends_with("weight") => (1.0, 0.2),
            _ => (0.0, 0.2),
        };
        let count = shape.iter().product();
        Ok((0..count).map(|_| center + self.rng.random_range(-limit..=limit)).collect())
    }
}

/// Refuses a dimension outside `1..=most`.
pub(crate) fn bounded(what: &'static str, value: usize, most: usize) -> Result<(), ModelError> {
    match value {
        0 => Err(ModelError::Shape { what, value, allowed: format!("1..={most}") }),
        _ if value > most => Err(ModelError::Shape { what, value, allowed: format!("1..={most}") }),
        _ => Ok(()),
    }
}

/// Refuses a number of `what` that does not divide `whole`.
pub(crate) fn divides(what: &'static str, value: usize, whole: usize) -> Result<(), ModelError> {
    if value == 0 || !whole.is_multiple_of(value) {
        return Err(ModelError::Shape { what, value, allowed: format!("a divisor of {whole}") });
    }
    Ok(())
}
