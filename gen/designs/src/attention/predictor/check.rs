//! Heads through any predictor or engine.

use crate::attention::attend::cost::HeadShape;
use crate::attention::attend::drive::{Head, shapes};
use crate::attention::predictor::head::Predict;
use crate::cost::Cost;
use crate::drive::{Driven, Feed, Values};
use hwgen_hdl::Int;
use rand::Rng;
use std::fmt::Debug;

/// What heads go through, between stream drivers and its golden model; see [`Driven`].
pub trait Heads: Predict + Cost<Workload = [HeadShape]> {
    /// A beat of `out`.
    type Out: Debug + PartialEq;

    /// What heads are to the streams in.
    fn feeds(&self, heads: &[Head]) -> Vec<Feed>;

    /// What the golden model says.
    ///
    /// # Errors
    /// A head that does not fit the specification, in words.
    fn expected(&self, heads: &[Head]) -> Result<Vec<Self::Out>, String>;

    /// A beat of `out` by its fields.
    fn read(&self, beat: &[Int]) -> Self::Out;

    /// Values that a beat of `out` is.
    fn values(&self) -> u32;
}

impl<H: Heads> Driven for H {
    type Job = Head;
    type Out = H::Out;

    fn random(&self, rng: &mut impl Rng, most_rows: usize) -> Head {
        Head::any(self, rng, most_rows)
    }

    fn feeds(&self, heads: &[Head], _: &mut impl Rng) -> Vec<Feed> {
        Heads::feeds(self, heads)
    }

    fn expected(&self, heads: &[Head]) -> Result<Vec<H::Out>, String> {
        Heads::expected(self, heads)
    }

    fn read(&self, beat: &[Int]) -> H::Out {
        Heads::read(self, beat)
    }

    fn out_cycles(&self, heads: &[Head]) -> Vec<u64> {
        self.result_cycles(&shapes(heads, self.size().rows))
    }

    fn values(&self) -> u32 {
        Heads::values(self)
    }

    /// Of few groups, so that rows follow closely.
    fn few(&self, rng: &mut impl Rng) -> Vec<Head> {
        let size = self.size();
        let most = size.max_keys.min(3 * size.rows) as usize;
        let head = |_| {
            let (keys, rows) = (rng.random_range(1..=most), rng.random_range(1..=6));
            let values = Values::any(rng);
            Head::random(self, rng, keys, rows, values).expect("a head that fits")
        };
        (0..2).map(head).collect()
    }
}
