//! How full Sanger's array would be: its survivors packed into segments, as its authors count.
//!
//! Source: "Sanger" (MICRO 2021), "pack and split", and the authors' published model of the array's
//! load: a row of the mask is cut into vectors, a vector's survivors into segments of as many as the
//! array has processing elements for a row; a vector without a survivor costs nothing.

use bitvec::slice::BitSlice;

/// Keys of a vector.
pub const VECTOR: usize = 64;

/// Segments and what is in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Segments {
    /// Segments, full or not: each takes the array's row for as long as a full one.
    pub segments: usize,
    /// Surviving keys in them.
    pub survivors: usize,
}

impl Segments {
    /// Packs one more row of `survivors` into segments of `size` keys.
    pub fn pack(&mut self, survivors: &BitSlice, size: usize) {
        for vector in survivors.chunks(VECTOR) {
            let count = vector.count_ones();
            self.segments += count.div_ceil(size);
            self.survivors += count;
        }
    }

    /// The part of the segments of `size` keys that survivors fill; 1 if there are none.
    pub fn utilization(&self, size: usize) -> f64 {
        if self.segments == 0 {
            return 1.0;
        }
        self.survivors as f64 / (self.segments * size) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitvec::vec::BitVec;

    #[test]
    fn vectors_are_split_and_empty_ones_skipped() {
        // 17 survivors in the first vector, none in the second, 3 in the third, which is short
        let mut row = BitVec::<usize>::repeat(false, 2 * VECTOR + 10);
        (0..17).for_each(|key| row.set(3 * key, true));
        (0..3).for_each(|key| row.set(2 * VECTOR + key, true));
        let mut segments = Segments::default();
        segments.pack(&row, 16);
        assert_eq!(segments, Segments { segments: 3, survivors: 20 });
        assert!((segments.utilization(16) - 20.0 / 48.0).abs() < 1e-12);
        assert_eq!(Segments::default().utilization(16), 1.0);
    }
}
