//! Drivers and monitors of valid/ready streams, on any [`Device`].
//!
//! A driver offers queued payloads, a monitor takes what comes; both stall at random from a seed.
//! While a driver offers nothing its payload wires carry noise, so a circuit that reads them
//! without looking at `valid` is found out.
//!
//! ```
//! use hwgen_hdl::sim::{Bench, Engine, Simulator};
//! use hwgen_hdl::{ModuleBuilder, fields, u};
//!
//! let m = ModuleBuilder::new("through");
//! m.stream_out("out", &m.stream_in("q", &fields([("data", u(8))])));
//! let mut sim = Simulator::new(&m.finish(), Engine::Interpreter);
//! let mut bench = Bench::new(&mut sim);
//! let q = bench.driver("q", 0.3, 1);
//! let out = bench.monitor("out", 0.5, 2);
//! bench.drivers[q].push([7]);
//! bench.run_until(100, "a payload at `out`", |b| b.monitors[out].received.len() == 1).unwrap();
//! assert_eq!(bench.monitors[out].received, [[7.into()]]);
//! ```

use super::{Device, SimError};
use crate::netlist::{Direction, Module, Port, StreamPort};
use crate::ty::{Int, Type};
use num_bigint::Sign;
use num_traits::Zero;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::collections::VecDeque;

/// Offers payloads to a module's incoming stream.
pub struct StreamDriver {
    stream: String,
    valid: usize,
    ready: usize,
    fields: Vec<(usize, Type)>,
    queue: VecDeque<Vec<Int>>,
    stall: Chance,
    offering: bool,
    /// How many payloads have passed.
    pub sent: u64,
}

/// Takes payloads from a module's outgoing stream.
pub struct StreamMonitor {
    valid: usize,
    ready: usize,
    fields: Vec<usize>,
    stall: Chance,
    willing: bool,
    /// The payloads that have passed, their fields in the stream's order.
    pub received: Vec<Vec<Int>>,
    /// How many of the fields received had unknown bits; they read as 0.
    pub unknown: u64,
}

impl StreamDriver {
    /// A driver of the incoming stream `stream` that holds back an offer with probability `stall`
    /// in each cycle.
    ///
    /// # Errors
    /// [`SimError::NoSuchName`].
    pub fn new(module: &Module, stream: &str, stall: f64, seed: u64) -> Result<Self, SimError> {
        let port = find(module, stream, Direction::In)?;
        let input = |field: &str| position(&module.inputs, port, field);
        let fields = port.payload.iter().map(|(field, node)| (input(field), module.ty(*node)));
        Ok(StreamDriver {
            stream: stream.to_string(),
            valid: input("valid"),
            ready: position(&module.outputs, port, "ready"),
            fields: fields.collect(),
            queue: VecDeque::new(),
            stall: Chance::new(stall, seed),
            offering: false,
            sent: 0,
        })
    }

    /// Queues a payload, its fields in the stream's order.
    ///
    /// # Panics
    /// With [`SimError::PayloadFields`] if there are too few or too many.
    #[track_caller]
    pub fn push(&mut self, payload: impl IntoIterator<Item = impl Into<Int>>) {
        let payload: Vec<Int> = payload.into_iter().map(Into::into).collect();
        if payload.len() != self.fields.len() {
            let (fields, given) = (self.fields.len(), payload.len());
            panic!("{}", SimError::PayloadFields { stream: self.stream.clone(), fields, given });
        }
        self.queue.push_back(payload);
    }

    /// Payloads that have not passed yet.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Sets `valid` and the payload for this cycle.
    pub fn drive(&mut self, device: &mut dyn Device) {
        let waits = self.offering;
        if !waits {
            self.offering = !self.stall.comes() && !self.queue.is_empty();
            device.poke(self.valid, &Int::from(u8::from(self.offering)));
        }
        match self.queue.front().filter(|_| self.offering) {
            Some(_) if waits => {}
            Some(payload) => {
                for ((input, _), value) in self.fields.iter().zip(payload) {
                    device.poke(*input, value);
                }
            }
            None => {
                for (input, ty) in &self.fields {
                    device.poke(*input, &self.stall.noise(*ty));
                }
            }
        }
    }

    /// Looks, just before the edge, whether the payload passes.
    pub fn sample(&mut self, device: &mut dyn Device) {
        if self.offering && is_one(device, self.ready) {
            self.queue.pop_front();
            self.offering = false;
            self.sent += 1;
        }
    }
}

impl StreamMonitor {
    /// A monitor of the outgoing stream `stream` that is not ready with probability `stall` in each
    /// cycle.
    ///
    /// # Errors
    /// [`SimError::NoSuchName`].
    pub fn new(module: &Module, stream: &str, stall: f64, seed: u64) -> Result<Self, SimError> {
        let port = find(module, stream, Direction::Out)?;
        let output = |field: &str| position(&module.outputs, port, field);
        Ok(StreamMonitor {
            valid: output("valid"),
            ready: position(&module.inputs, port, "ready"),
            fields: port.payload.iter().map(|(field, _)| output(field)).collect(),
            stall: Chance::new(stall, seed),
            willing: false,
            received: vec![],
            unknown: 0,
        })
    }

    /// Sets `ready` for this cycle.
    pub fn drive(&mut self, device: &mut dyn Device) {
        self.willing = !self.stall.comes();
        device.poke(self.ready, &Int::from(u8::from(self.willing)));
    }

    /// Takes the payload that passes at this edge, just before it.
    pub fn sample(&mut self, device: &mut dyn Device) {
        if !self.willing || !is_one(device, self.valid) {
            return;
        }
        let mut payload = vec![];
        for &field in &self.fields {
            let (value, unknown) = device.peek_known(field);
            self.unknown += u64::from(!unknown.is_zero());
            payload.push(value);
        }
        self.received.push(payload);
    }
}

fn find<'m>(module: &'m Module, name: &str, end: Direction) -> Result<&'m StreamPort, SimError> {
    let mut ours = module.streams.iter().filter(|stream| stream.direction == end);
    let available = ours.clone().map(|stream| &*stream.name);
    let what = match end {
        Direction::In => "incoming stream",
        Direction::Out => "outgoing stream",
    };
    ours.find(|stream| *stream.name == *name)
        .ok_or_else(|| super::no_such_name(module, what, name, available))
}

fn position(ports: &[Port], stream: &StreamPort, field: &str) -> usize {
    let name = stream.port(field);
    let position = ports.iter().position(|port| *port.name == *name);
    position.expect("a stream's ports are the module's")
}

/// Whether a bit is certainly 1.
fn is_one(device: &mut dyn Device, output: usize) -> bool {
    let (value, unknown) = device.peek_known(output);
    !value.is_zero() && unknown.is_zero()
}

/// A seeded source of stalls and noise.
struct Chance {
    rng: ChaCha8Rng,
    probability: f64,
}

impl Chance {
    fn new(probability: f64, seed: u64) -> Chance {
        Chance { rng: ChaCha8Rng::seed_from_u64(seed), probability }
    }

    fn comes(&mut self) -> bool {
        f64::from(self.rng.next_u32()) < self.probability * 2f64.powi(32)
    }

    fn noise(&mut self, ty: Type) -> Int {
        let mut bytes = vec![0; ty.width.div_ceil(8) as usize];
        self.rng.fill_bytes(&mut bytes);
        ty.wrap(Int::from_bytes_le(Sign::Plus, &bytes))
    }
}
