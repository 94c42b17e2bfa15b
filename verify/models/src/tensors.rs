//! Where weights come from.

use crate::ModelError;
use ndarray::{Array1, Array2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A store of weights, by name.
pub trait Tensors {
    /// The tensor of this name, `[rows, cols]`.
    ///
    /// # Errors
    /// None of that name or shape.
    fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<Array2<f32>, ModelError>;

    /// The tensor of this name, `[length]`.
    ///
    /// # Errors
    /// None of that name or shape.
    fn vector(&mut self, name: &str, length: usize) -> Result<Array1<f32>, ModelError>;
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

    fn draw(&mut self, limit: f32) -> f32 {
        self.rng.random_range(-limit..=limit)
    }
}

impl Tensors for Random {
    fn matrix(&mut self, _: &str, rows: usize, cols: usize) -> Result<Array2<f32>, ModelError> {
        // a uniform variable's deviation is its limit / sqrt(3)
        let limit = self.gain * (3.0 / cols as f32).sqrt();
        Ok(Array2::from_shape_simple_fn((rows, cols), || self.draw(limit)))
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Array1<f32>, ModelError> {
        let center = if name.ends_with("weight") { 1.0 } else { 0.0 };
        Ok(Array1::from_shape_simple_fn(length, || center + self.draw(0.2)))
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
