//! What state holds before the first edge.

use super::flatten::Flat;
use crate::netlist::Memory;
use crate::ty::{Int, Type};
use num_bigint::Sign;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The content at power-up of state that nothing has set yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Initial {
    /// All zeros.
    #[default]
    Zero,
    /// Random bits from this seed: finds circuits that rely on zeros. The same on every engine.
    Random(u64),
}

/// The content of all state at power-up: given words, and [`Initial`] elsewhere.
pub(super) struct PowerUp {
    /// For each register.
    pub(super) registers: Vec<Int>,
    /// For each memory, its first words; the others are 0.
    pub(super) memories: Vec<Vec<Int>>,
    /// For each memory, the words its registered read ports show.
    pub(super) reads: Vec<Vec<Int>>,
}

impl PowerUp {
    pub(super) fn new(flat: &Flat, initial: Initial) -> PowerUp {
        let mut rng = match initial {
            Initial::Zero => None,
            Initial::Random(seed) => Some(ChaCha8Rng::seed_from_u64(seed)),
        };
        let mut fresh = |ty: Type| match &mut rng {
            None => Int::ZERO,
            Some(rng) => {
                let mut bytes = vec![0; ty.width.div_ceil(8) as usize];
                rng.fill_bytes(&mut bytes);
                ty.wrap(Int::from_bytes_le(Sign::Plus, &bytes))
            }
        };
        let module = &flat.module;
        let mut registers: Vec<Int> =
            module.registers.iter().map(|register| fresh(module.ty(register.node))).collect();
        registers[flat.watchers..].fill(Int::ZERO);
        let mut memories = vec![];
        for Memory { init, depth, word, .. } in &module.memories {
            let mut words = init.clone();
            if initial != Initial::Zero {
                words.resize_with(*depth, || fresh(*word));
            }
            memories.push(words);
        }
        let reads = (module.memories.iter())
            .map(|memory| memory.reads.iter().map(|_| fresh(memory.word)).collect())
            .collect();
        PowerUp { registers, memories, reads }
    }
}
