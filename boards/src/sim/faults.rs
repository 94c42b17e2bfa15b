//! Damage to the bytes of a line.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Changes, loses, doubles and swaps bytes at random.
#[derive(Debug, Clone)]
pub struct Faults {
    rate: f64,
    rng: ChaCha8Rng,
    /// A byte that comes behind the next.
    late: Option<u8>,
    done: u64,
}

impl Faults {
    /// So large a share of bytes, 0..=1.
    pub fn new(rate: f64, seed: u64) -> Faults {
        Faults {
            rate: rate.clamp(0.0, 1.0),
            rng: ChaCha8Rng::seed_from_u64(seed),
            late: None,
            done: 0,
        }
    }

    /// What arrives of a byte: most often itself, else another byte, two of it, or nothing; or it arrives
    /// behind the next. Two bytes at most.
    pub fn pass(&mut self, byte: u8) -> Vec<u8> {
        if let Some(late) = self.late.take() {
            return vec![byte, late];
        }
        if !self.rng.random_bool(self.rate) {
            return vec![byte];
        }
        self.done += 1;
        match self.rng.random_range(0..5) {
            0 => vec![],
            4 => {
                self.late = Some(byte);
                vec![]
            }
            1 => vec![byte, byte],
            2 => vec![self.rng.random()],
            _ => vec![byte ^ 1 << self.rng.random_range(0..8)],
        }
    }

    /// Faults so far.
    pub fn count(&self) -> u64 {
        self.done
    }
}
