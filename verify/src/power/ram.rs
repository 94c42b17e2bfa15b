//! The content of a kept memory, and how often its ports are used.

use super::memory::MemoryCell;

/// A memory while it runs.
#[derive(Clone, Debug)]
pub(super) struct Ram {
    words: usize,
    bits: usize,
    /// Words of 64 bits: `limbs` for each word of the memory.
    content: Vec<u64>,
    limbs: usize,
    pub(super) counts: Accesses,
    /// For each port that reads at once, the address at the last edge.
    addresses: Vec<Option<usize>>,
}

/// How often a memory is used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accesses {
    /// Cycles in which a port reads: registered ones whose enable is set, and others whose
    /// address differs from that of the cycle before.
    pub(super) reads: u64,
    /// Cycles in which a port writes a bit or more.
    pub(super) writes: u64,
    /// Bits they write.
    pub(super) written_bits: u64,
}

impl Ram {
    pub(super) fn new(memory: &MemoryCell) -> Ram {
        let limbs = memory.bits.div_ceil(64);
        let mut ram = Ram {
            words: memory.words,
            bits: memory.bits,
            content: vec![0; memory.words * limbs],
            limbs,
            counts: Accesses::default(),
            addresses: vec![None; memory.reads.len()],
        };
        for (n, _) in memory.init.iter().enumerate().filter(|(_, bit)| **bit) {
            ram.write(n / memory.bits, n % memory.bits, true);
        }
        ram
    }

    pub(super) fn start(&mut self) {
        self.counts = Accesses::default();
    }

    /// A bit of a word; 0 beyond the memory.
    pub(super) fn bit(&self, address: usize, bit: usize) -> bool {
        address < self.words && self.content[address * self.limbs + bit / 64] >> (bit % 64) & 1 == 1
    }

    /// Writes a bit; nothing beyond the memory.
    pub(super) fn write(&mut self, address: usize, bit: usize, value: bool) {
        if address < self.words && bit < self.bits {
            let limb = &mut self.content[address * self.limbs + bit / 64];
            *limb = *limb & !(1 << (bit % 64)) | u64::from(value) << (bit % 64);
        }
    }

    /// Counts a read at once if its address is another than at the edge before.
    pub(super) fn note_address(&mut self, port: usize, address: usize) {
        let before = self.addresses[port].replace(address);
        self.counts.reads += u64::from(before != Some(address));
    }
}
