//! A race: the same stimulus into any engine, so that cycles per second compare.

use hwgen_hdl::netlist::ClockId;
use hwgen_hdl::sim::Device;
use hwgen_hdl::{Int, Module};
use std::time::Instant;

/// What goes into the inputs.
///
/// Every reset is asserted for two edges of all clocks, then released. From then on the inputs
/// that are not resets take values from a xorshift64 generator (`x ^= x << 13; x ^= x >> 7;
/// x ^= x << 17`, started at the seed, or 1 for 0): in the order of the ports, a draw for each
/// 64 bits, the lowest first, cut to the port's width. A cycle is: set inputs, an edge of all
/// clocks. The checksum is FNV-1a over 64-bit words of the outputs' bit patterns, in the order
/// of the ports, the lowest word first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// New values each cycle; every output of every cycle is in the checksum.
    Random,
    /// Values drawn once; the outputs after the last cycle are in the checksum.
    Held,
}

impl Stimulus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Stimulus::Random => "random",
            Stimulus::Held => "held",
        }
    }
}

/// The result of a race.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// Cycles run after the reset.
    pub cycles: u64,
    /// The time they took but for the first, in which an engine may still compile.
    pub seconds: f64,
    /// The same for every engine that is right.
    pub checksum: u64,
}

impl Race {
    /// Cycles a second.
    pub fn cycles_per_second(&self) -> f64 {
        (self.cycles - 1) as f64 / self.seconds
    }
}

/// The inputs' values, draw by draw.
#[derive(Clone, Debug)]
pub struct Xorshift(u64);

impl Xorshift {
    /// A generator started at a seed.
    pub fn new(seed: u64) -> Xorshift {
        Xorshift(seed.max(1))
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The next bit pattern of a width: 64-bit words, the lowest first.
    pub fn pattern(&mut self, width: u32, words: &mut Vec<u64>) {
        words.clear();
        words.extend((0..width.div_ceil(64)).map(|_| self.word()));
        if let Some(top) = words.last_mut()
            && !width.is_multiple_of(64)
        {
            *top &= (1 << (width % 64)) - 1;
        }
    }
}

/// The outputs, folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(pub u64);

impl Default for Checksum {
    fn default() -> Checksum {
        Checksum(0xcbf2_9ce4_8422_2325)
    }
}

impl Checksum {
    /// Folds a word in.
    pub fn fold(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x100_0000_01b3);
    }

    fn fold_outputs(&mut self, device: &mut dyn Device, module: &Module, words: &mut Vec<u64>) {
        for (output, port) in module.outputs.iter().enumerate() {
            words.resize(port.ty.words(), 0);
            device.peek_pattern(output, words);
            words.iter().for_each(|&word| self.fold(word));
        }
    }
}

/// Races any device, from outside.
pub fn race(device: &mut dyn Device, cycles: u64, seed: u64, stimulus: Stimulus) -> Race {
    let module = device.module().clone();
    let clocks: Vec<ClockId> = module.clock_ids().collect();
    reset(device, &module, &clocks);
    let resets: Vec<_> = resets(&module).map(|(input, _)| input).collect();
    let inputs = module.inputs.iter().enumerate().filter(|(input, _)| !resets.contains(input));
    let inputs: Vec<_> = inputs.map(|(input, port)| (input, port.ty.width)).collect();
    let (mut random, mut words) = (Xorshift::new(seed), vec![]);
    let (mut sum, mut began) = (Checksum::default(), Instant::now());
    for cycle in 0..cycles {
        if cycle == 0 || stimulus == Stimulus::Random {
            for &(input, width) in &inputs {
                random.pattern(width, &mut words);
                device.poke_pattern(input, &words);
            }
        }
        device.tick(&clocks);
        if cycle + 1 == cycles || stimulus == Stimulus::Random {
            sum.fold_outputs(device, &module, &mut words);
        }
        if cycle == 0 {
            began = Instant::now();
        }
    }
    Race { cycles, seconds: began.elapsed().as_secs_f64(), checksum: sum.0 }
}

/// The inputs that are resets, and whether 1 asserts them.
pub(super) fn resets(module: &Module) -> impl Iterator<Item = (usize, bool)> {
    let all = module.clocks.iter().filter_map(|clock| clock.reset.as_ref());
    all.filter_map(|reset| {
        let input = module.inputs.iter().position(|port| port.node == reset.signal)?;
        Some((input, !reset.active_low))
    })
}

/// Asserts every reset for two edges of all clocks, then releases them.
pub(super) fn reset(device: &mut dyn Device, module: &Module, clocks: &[ClockId]) {
    for asserted in [true, false] {
        for (input, active) in resets(module) {
            device.poke(input, &Int::from(u8::from(asserted == active)));
        }
        if asserted {
            device.tick(clocks);
            device.tick(clocks);
        }
    }
}
