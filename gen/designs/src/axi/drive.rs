//! A host of designs behind AXI: register accesses, payloads cut into transfers, [loads](Load) of
//! LAPA, jobs for attention whole ([`layer`]).

use crate::axi::golden::{Cell, Registers, payload, transfers};
use crate::axi::map::{Access, RegisterMap};
use hwgen_hdl::Int;
use hwgen_hdl::sim::{Bench, Device, SimError};
use num_traits::ToPrimitive;

/// Cycles without progress after which a test gives up.
const PATIENCE: u64 = 50_000;

/// How buses stall: the probability that a cycle is one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stalls {
    /// The five channels of AXI4-Lite, each by itself.
    pub registers: f64,
    /// Streams in.
    pub inputs: f64,
    /// Streams out.
    pub outputs: f64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// The registers after reset, as the golden model takes them.
pub fn registers(map: &RegisterMap) -> Registers {
    let inputs = map.registers.iter().map(|register| {
        let (mask, value) = (u32::MAX >> (32 - register.bits), register.reset);
        let cell = match (register.access, register.name.as_str()) {
            // of control, `reset` is kept
            (Access::ReadWrite, "control") => Cell::ReadWrite { value, mask: 1 },
            (Access::ReadWrite | Access::Pulse, _) => Cell::ReadWrite { value, mask },
            (Access::ReadOnly, "id" | "version" | "fingerprint") => Cell::Constant(value),
            (Access::ReadOnly, _) => Cell::Live,
        };
        (register.offset, cell)
    });
    Registers::new(inputs)
}

/// A host at the buses of a device, which it has reset.
pub struct Host<'d> {
    /// The device between drivers and monitors.
    pub bench: Bench<'d>,
    map: RegisterMap,
    /// Streams in by name, with the place of their driver; out, with that of their monitor.
    inputs: Vec<(String, usize)>,
    outputs: Vec<(String, usize)>,
    writes: usize,
    reads: usize,
}

impl<'d> Host<'d> {
    const AW: usize = 0;
    const W: usize = 1;
    const AR: usize = 2;
    const B: usize = 0;
    const R: usize = 1;

    /// Resets the device.
    pub fn new(device: &'d mut dyn Device, map: &RegisterMap, stalls: Stalls) -> Host<'d> {
        let module = device.module().clone();
        let mut bench = Bench::new(device);
        let mut seeds = stalls.seed * 100..;
        let mut seed = || seeds.next().unwrap_or_default();
        for channel in ["s_axil_aw", "s_axil_w", "s_axil_ar"] {
            bench.driver(channel, stalls.registers, seed());
        }
        for channel in ["s_axil_b", "s_axil_r"] {
            bench.monitor(channel, stalls.registers, seed());
        }
        let names = module.streams.iter().map(|stream| stream.name.to_string());
        let (mut inputs, mut outputs) = (vec![], vec![]);
        for name in names {
            if let Some(of) = name.strip_prefix("s_axis_") {
                inputs.push((of.to_owned(), bench.driver(&name, stalls.inputs, seed())));
            } else if let Some(of) = name.strip_prefix("m_axis_") {
                outputs.push((of.to_owned(), bench.monitor(&name, stalls.outputs, seed())));
            }
        }
        Host { bench, map: map.clone(), inputs, outputs, writes: 0, reads: 0 }
    }

    fn offset(&self, register: &str) -> u32 {
        self.map.get(register).unwrap_or_else(|| panic!("no register `{register}`")).offset
    }

    /// Begins a write.
    pub fn begin_write(&mut self, address: u32, data: u32, strobe: u8) {
        self.bench.drivers[Host::AW].push([Int::from(address), Int::from(address >> 2 & 7)]);
        self.bench.drivers[Host::W].push([Int::from(data), Int::from(strobe)]);
        self.writes += 1;
    }

    /// Begins a read.
    pub fn begin_read(&mut self, address: u32) {
        self.bench.drivers[Host::AR].push([Int::from(address), Int::from(address >> 3 & 7)]);
        self.reads += 1;
    }

    /// Waits for all that has begun; responses to writes, and data and responses to reads, since
    /// the last call.
    ///
    /// # Errors
    /// [`SimError::TimedOut`].
    pub fn settle(&mut self) -> Result<Answers, SimError> {
        let (writes, reads) = (self.writes, self.reads);
        self.bench.run_until(PATIENCE, "responses of registers", |bench| {
            bench.monitors[Host::B].received.len() >= writes
                && bench.monitors[Host::R].received.len() >= reads
        })?;
        let number = |value: &Int| value.to_u32().unwrap_or_default();
        let responses = std::mem::take(&mut self.bench.monitors[Host::B].received);
        let answers = std::mem::take(&mut self.bench.monitors[Host::R].received);
        (self.writes, self.reads) = (0, 0);
        Ok(Answers {
            writes: responses.iter().map(|beat| number(&beat[0])).collect(),
            reads: answers.iter().map(|beat| (number(&beat[1]), number(&beat[0]))).collect(),
        })
    }

    /// Writes registers.
    ///
    /// # Errors
    /// [`SimError::TimedOut`].
    pub fn write(&mut self, values: &[(&str, u32)]) -> Result<(), SimError> {
        for (register, value) in values {
            self.begin_write(self.offset(register), *value, 0b1111);
        }
        let answers = self.settle()?;
        assert!(answers.writes.iter().all(|response| *response == 0), "{values:?}: {answers:?}");
        Ok(())
    }

    /// Reads a register.
    ///
    /// # Errors
    /// [`SimError::TimedOut`].
    pub fn read(&mut self, register: &str) -> Result<u32, SimError> {
        self.begin_read(self.offset(register));
        let answers = self.settle()?;
        assert_eq!(answers.reads[0].0, 0, "reading `{register}`");
        Ok(answers.reads[0].1)
    }

    /// Queues transfers, each with its `tlast` if the stream has one.
    pub fn send(&mut self, stream: &str, beats: impl IntoIterator<Item = Vec<Int>>) {
        let (_, driver) = self.inputs.iter().find(|(name, _)| name == stream).expect("a stream");
        beats.into_iter().for_each(|beat| self.bench.drivers[*driver].push(beat));
    }

    /// Transfers that came out of a stream so far.
    pub fn received(&self, stream: &str) -> &[Vec<Int>] {
        let (_, monitor) = self.outputs.iter().find(|(name, _)| name == stream).expect("a stream");
        &self.bench.monitors[*monitor].received
    }

    /// Waits until so many transfers have come out of a stream.
    ///
    /// # Errors
    /// [`SimError::TimedOut`].
    pub fn await_transfers(&mut self, stream: &str, count: usize) -> Result<(), SimError> {
        while self.received(stream).len() < count {
            let (before, mut cycles) = (self.received(stream).len(), 0);
            while self.received(stream).len() == before {
                if cycles == PATIENCE {
                    let what = format!("transfer {before} of `{stream}`");
                    return Err(SimError::TimedOut { what, cycles });
                }
                self.bench.step();
                cycles += 1;
            }
        }
        Ok(())
    }

    /// Fields with unknown bits that came out anywhere.
    pub fn unknown(&self) -> u64 {
        self.bench.monitors.iter().map(|monitor| monitor.unknown).sum()
    }
}

/// What registers answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Responses.
    pub writes: Vec<u32>,
    /// Responses and data.
    pub reads: Vec<(u32, u32)>,
}

/// The transfers of a payload on a bus, `last` with the last of them.
pub fn cut(data: &Int, payload_bits: u32, bus_bits: u32, last: bool) -> Vec<Vec<Int>> {
    let words = transfers(data, payload_bits, bus_bits);
    let end = words.len() - 1;
    let beat = |(i, word)| vec![word, Int::from(u8::from(last && i == end))];
    words.into_iter().enumerate().map(beat).collect()
}

/// The payloads that transfers are, each with its `last`; none if a `last` or a bit above a
/// payload is out of place.
pub fn join(beats: &[Vec<Int>], payload_bits: u32, bus_bits: u32) -> Option<Vec<(Int, bool)>> {
    let count = payload_bits.div_ceil(bus_bits) as usize;
    beats
        .chunks_exact(count)
        .map(|beats| {
            let words: Vec<_> = beats.iter().map(|beat| beat[0].clone()).collect();
            let early = beats[..count - 1].iter().any(|beat| beat[1] != Int::ZERO);
            let data = payload(&words, payload_bits, bus_bits).filter(|_| !early)?;
            Some((data, beats[count - 1][1] != Int::ZERO))
        })
        .collect()
}
