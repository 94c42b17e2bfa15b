//! What any predictor makes of heads.

pub use crate::attention::attend::drive::{Head, Row};

use crate::attention::Shape;
use crate::attention::attend::spec::ELEMENT_BITS;
use crate::attention::predictor::golden::InputError;
use crate::drive::Values;
use bitvec::vec::BitVec;
use rand::Rng;

/// A predictor, alone or in an engine, and its golden model.
pub trait Predict: std::fmt::Debug {
    /// How large it is.
    fn size(&self) -> Shape;

    /// Bits of a key's element and of a query's.
    fn bits(&self) -> [u32; 2] {
        [ELEMENT_BITS; 2]
    }

    /// Bits of a row's radius, if rows bring one.
    fn radius_bits(&self) -> Option<u32> {
        None
    }

    /// What the model keeps of the keys: for each row a bit a visible key.
    ///
    /// # Errors
    /// Sizes that do not fit the specification.
    fn survivors(&self, keys: &[Vec<i32>], rows: &[Row]) -> Result<Vec<BitVec>, InputError>;
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
        let mut head = Head::drawn(rng, spec.size().head_dim, spec.bits(), (keys, rows), values);
        for row in &mut head.rows {
            row.radius = spec.radius_bits().map(|bits| match values {
                Values::Corner => [0, (1 << bits) - 1][rng.random_range(0..2)],
                _ => rng.random_range(0..1 << bits),
            });
        }
        head.predict(spec)?;
        Ok(head)
    }

    /// A random head of any number of keys and up to `most` rows.
    pub(crate) fn any(spec: &impl Predict, rng: &mut impl Rng, most: usize) -> Head {
        let keys = rng.random_range(1..=spec.size().max_keys as usize);
        let rows = rng.random_range(1..=most);
        let values = Values::any(rng);
        Head::random(spec, rng, keys, rows, values).expect("a head that fits")
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
}
