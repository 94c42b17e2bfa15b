//! Random numbers: a stream for each purpose, epoch and item, so that none depends on another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What numbers are for. The same seed gives each its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Shuffle = 1,
    Choose,
    Divide,
    Augment,
    Drift,
    Shapes,
    Tones,
    Speakers,
    Silence,
}

/// The stream of this number.
pub(crate) fn stream(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(number);
    rng
}
