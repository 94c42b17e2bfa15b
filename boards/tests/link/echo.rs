//! A core that gives back what it takes: a queue of 18-bit beats, named as what is loaded is, and a port
//! shown at another.

use hwgen_boards::link::channel::Channels;
use hwgen_boards::link::identity::Identity;
use hwgen_boards::link::model::Core;
use hwgen_hdl::lib::fifo;
use hwgen_hdl::{Module, ModuleBuilder, fields, u};
use std::collections::VecDeque;
use std::sync::Arc;

/// Beats that the queue holds.
pub(crate) const DEPTH: usize = 24;

/// Bits of a beat: three bytes, the highest not used in full.
const BITS: u32 = 18;

/// The model.
#[derive(Default)]
pub(crate) struct Echo {
    queue: VecDeque<(Vec<u8>, bool)>,
    shown: Vec<u8>,
}

impl Core for Echo {
    fn offer(&mut self, _: usize, beat: &[u8], last: bool) -> bool {
        if self.queue.len() == DEPTH {
            return false;
        }
        let mut beat = beat.to_vec();
        beat[2] &= (1 << (BITS - 16)) - 1;
        self.queue.push_back((beat, last));
        true
    }

    fn show(&mut self, _: usize, value: &[u8]) {
        self.shown = value.to_vec();
    }

    fn take(&mut self, channel: usize) -> Option<(Vec<u8>, bool)> {
        if channel == 0 {
            return self.queue.pop_front();
        }
        let shown = if self.shown.is_empty() { vec![0; 2] } else { self.shown.clone() };
        Some((shown, false))
    }

    fn reset(&mut self) {
        *self = Echo::default();
    }
}

/// The circuit.
pub(crate) fn echo() -> Arc<Module> {
    let m = ModuleBuilder::new("echo");
    let shape = fields([("data", u(BITS)), ("last", u(1))]);
    let queue = m.stream_in("load", &shape).through("queue", &fifo(DEPTH, &shape));
    m.stream_out("out", &queue);
    m.output("shown", m.input("value", u(16)));
    m.finish()
}

pub(crate) fn channels() -> Channels {
    Channels::of(&echo()).unwrap()
}

pub(crate) fn identity() -> Identity {
    Identity::new("echo", 7, 1_000_000, &channels())
}
