//! The other end of a simulated board's line, where the host's bytes come in and go out.

use crate::link::spi::{FILLER, LEAD, Unfill};
use crate::link::{END, MOST_DATA};
use hwgen_hdl::Module;
use hwgen_hdl::sim::Simulator;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Bits of a byte on a serial line.
const FRAME_BITS: u64 = 10;

/// Least and most cycles of half a period of a simulated SPI clock.
const HALF_PERIOD: [u64; 2] = [2, 3];

/// Bytes of a selection at most.
const MOST_SELECTED: u32 = MOST_DATA as u32 / 2;

/// Bytes for the board.
pub(super) type Queue = VecDeque<u8>;

/// The other end.
pub(super) enum Far {
    /// A transceiver in the simulation.
    Uart(Uart),
    /// A master that moves the pins bit by bit.
    Spi(Box<Master>),
}

impl Far {
    /// Lets a little time pass: a byte that came from the board, and whether any moved.
    pub(super) fn advance(&mut self, sim: &mut Simulator, queue: &mut Queue) -> (Option<u8>, bool) {
        match self {
            Far::Uart(uart) => uart.advance(sim, queue),
            Far::Spi(master) => master.advance(sim, queue),
        }
    }

    /// A byte that the board hears as a damaged one.
    pub(super) fn damage(&mut self, sim: &mut Simulator) {
        match self {
            Far::Uart(uart) => uart.damage(sim),
            Far::Spi(master) => master.cut(sim),
        }
    }

    /// Cycles of a byte.
    pub(super) fn byte_cycles(&self) -> u64 {
        match self {
            Far::Uart(uart) => FRAME_BITS * uart.divisor,
            Far::Spi(_) => 2 * 8 * HALF_PERIOD[1],
        }
    }

    /// Cycles without a byte behind which none is on its way.
    pub(super) fn silence(&self) -> u64 {
        match self {
            Far::Uart(uart) => (FRAME_BITS + 4) * uart.divisor,
            // two may wait in the board until the master fetches them
            Far::Spi(_) => 5 * self.byte_cycles(),
        }
    }
}

/// Positions of ports by name; of one that is not there the first's.
pub(super) fn input(module: &Module, name: &str) -> usize {
    module.inputs.iter().position(|port| *port.name == *name).unwrap_or(0)
}

/// As [`input`].
pub(super) fn output(module: &Module, name: &str) -> usize {
    module.outputs.iter().position(|port| *port.name == *name).unwrap_or(0)
}

/// Positions of the ports of a transceiver.
pub(super) struct Uart {
    divisor: u64,
    in_valid: usize,
    in_data: usize,
    breaks: usize,
    out_ready: usize,
    in_ready: usize,
    out_valid: usize,
    out_data: usize,
}

impl Uart {
    pub(super) fn new(module: &Module, divisor: u32) -> Uart {
        let (input, output) = (|name| input(module, name), |name| output(module, name));
        Uart {
            divisor: divisor.into(),
            in_valid: input("in_valid"),
            in_data: input("in_data"),
            breaks: input("breaks"),
            out_ready: input("out_ready"),
            in_ready: output("in_ready"),
            out_valid: output("out_valid"),
            out_data: output("out_data"),
        }
    }

    fn advance(&mut self, sim: &mut Simulator, queue: &mut Queue) -> (Option<u8>, bool) {
        let mut moved = false;
        if let Some(&byte) = queue.front()
            && sim.get_u64(self.in_ready) == 1
        {
            queue.pop_front();
            sim.set_u64(self.in_valid, 1);
            sim.set_u64(self.in_data, byte.into());
            sim.steps(1);
            sim.set_u64(self.in_valid, 0);
            moved = true;
        }
        if sim.get_u64(self.out_valid) == 0 {
            // half a byte's time: no byte is missed
            sim.steps(FRAME_BITS / 2 * self.divisor);
            return (None, moved);
        }
        let byte = sim.get_u64(self.out_data);
        sim.set_u64(self.out_ready, 1);
        sim.steps(1);
        sim.set_u64(self.out_ready, 0);
        (u8::try_from(byte).ok(), true)
    }

    /// Holds the line low for longer than a byte: the stop bit is wrong.
    fn damage(&mut self, sim: &mut Simulator) {
        sim.set_u64(self.breaks, 1);
        sim.steps((FRAME_BITS + 2) * self.divisor);
        sim.set_u64(self.breaks, 0);
        sim.steps(2 * self.divisor);
    }
}

/// A master at the pins of the board: its clock is as fast as the board's allows and not even, its selections are of any
/// length.
pub(super) struct Master {
    sclk: usize,
    mosi: usize,
    cs_n: usize,
    miso: usize,
    rng: ChaCha8Rng,
    /// Bytes until the selection ends; 0: there is none.
    selected: u32,
    /// The host's latest byte was within a frame: no filler goes behind it.
    in_frame: bool,
    unfill: Unfill,
}

impl Master {
    pub(super) fn new(module: &Module, sim: &mut Simulator, seed: u64) -> Master {
        let cs_n = input(module, "spi_cs_n");
        sim.set_u64(cs_n, 1);
        Master {
            sclk: input(module, "spi_sclk"),
            mosi: input(module, "spi_mosi"),
            cs_n,
            miso: output(module, "spi_miso"),
            rng: ChaCha8Rng::seed_from_u64(seed),
            selected: 0,
            in_frame: false,
            unfill: Unfill::default(),
        }
    }

    fn half_period(&mut self) -> u64 {
        self.rng.random_range(HALF_PERIOD[0]..=HALF_PERIOD[1])
    }

    /// So many bits of a byte; those that come meanwhile.
    fn bits(&mut self, sim: &mut Simulator, byte: u8, count: u32) -> u8 {
        let mut came = 0;
        for bit in 0..count {
            sim.set_u64(self.mosi, (byte << bit >> 7).into());
            sim.steps(self.half_period());
            came = came << 1 | u8::from(sim.get_u64(self.miso) == 1);
            sim.set_u64(self.sclk, 1);
            sim.steps(self.half_period());
            sim.set_u64(self.sclk, 0);
        }
        came
    }

    fn select(&mut self, sim: &mut Simulator, level: u64) {
        sim.steps(HALF_PERIOD[1]);
        sim.set_u64(self.cs_n, level);
        sim.steps(HALF_PERIOD[1]);
    }

    fn advance(&mut self, sim: &mut Simulator, queue: &mut Queue) -> (Option<u8>, bool) {
        if queue.is_empty() && self.in_frame {
            // the rest of the frame is still to come
            sim.steps(8 * HALF_PERIOD[1]);
            return (None, false);
        }
        if self.selected == 0 {
            self.select(sim, 0);
            self.bits(sim, LEAD, 8);
            self.selected = self.rng.random_range(1..=MOST_SELECTED);
        }
        let sent = queue.pop_front();
        let came = self.bits(sim, sent.unwrap_or(FILLER), 8);
        self.in_frame = sent.is_some_and(|byte| byte != END);
        self.selected -= 1;
        if self.selected == 0 {
            self.select(sim, 1);
        }
        let came = self.unfill.pass(came);
        (came, sent.is_some() || came.is_some())
    }

    /// Ends a selection within a byte.
    fn cut(&mut self, sim: &mut Simulator) {
        if self.selected == 0 {
            self.select(sim, 0);
            self.bits(sim, LEAD, 8);
        }
        let (byte, count) = (self.rng.random(), self.rng.random_range(1..8));
        self.bits(sim, byte, count);
        self.select(sim, 1);
        self.selected = 0;
    }

    /// A selection of these bytes; those that came meanwhile.
    pub(super) fn exchange(&mut self, sim: &mut Simulator, bytes: &[u8]) -> Vec<u8> {
        self.select(sim, 0);
        let came = bytes.iter().map(|&byte| self.bits(sim, byte, 8)).collect();
        self.select(sim, 1);
        came
    }
}
