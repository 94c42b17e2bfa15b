//! A recorded run as vectors: the inputs of a VCD, FST or GHW file, the outputs to compare with.
//!
//! The design is the outermost scope that has all its inputs and its clock by name. Inputs and
//! outputs are taken as they are just before each rising edge of the clock. An input's unknown
//! bits become 0; an output's are not compared, and no output is before a reset has been seen, if
//! the design has one.

use hwgen_hdl::Module;
use hwgen_hdl::sim::Device;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use wellen::simple::Waveform;
use wellen::{Hierarchy, ScopeRef, SignalRef};

/// Why a file is no recording of a design, or not that of its gates.
#[derive(Debug, thiserror::Error)]
pub enum WaveError {
    /// Not there, or no waves.
    #[error("cannot read {}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        why: String,
    },
    /// Recorded from something else.
    #[error("{} has no scope with the clock and all inputs of `{module}`: {ports}", path.display())]
    Scope {
        /// The file.
        path: PathBuf,
        /// The design.
        module: String,
        /// Names that a scope must have.
        ports: String,
    },
    /// Recorded from the design in another size.
    #[error("`{port}` has {is} bits in the file and {must} in the design")]
    Width {
        /// The port.
        port: String,
        /// In the file.
        is: usize,
        /// In the design.
        must: usize,
    },
    /// The answer is another.
    #[error("rising edge {edge}: `{port}` is {is}, {must} in the file")]
    Differs {
        /// Counted from 0.
        edge: usize,
        /// The output.
        port: String,
        /// In the device, binary.
        is: String,
        /// In the file, binary.
        must: String,
    },
}

/// The ports of a design over time.
#[derive(Debug)]
pub struct Recording {
    /// Positions in the file's time table.
    edges: Vec<u32>,
    inputs: Vec<Changes>,
    /// Those of the design's that the file has.
    outputs: Vec<(usize, Changes)>,
    /// The input that resets, and the digit that does.
    reset: Option<(usize, u8)>,
}

/// A signal's values, binary digits, each from a position in the time table on.
type Changes = Vec<(u32, String)>;

impl Recording {
    /// Reads the ports of a design with one clock.
    ///
    /// # Errors
    /// No waves; no scope like the design.
    pub fn read(path: &Path, module: &Module) -> Result<Recording, WaveError> {
        let mut file = open(path).map_err(|why| WaveError::Read { path: path.to_owned(), why })?;
        let clock = module.clocks.first().map(|clock| clock.name.to_string());
        let inputs = module.inputs.iter().map(|port| port.name.to_string());
        let wanted: Vec<String> = clock.into_iter().chain(inputs).collect();
        let ports = scope(file.hierarchy(), &wanted).ok_or_else(|| WaveError::Scope {
            path: path.to_owned(),
            module: module.name.to_string(),
            ports: wanted.join(", "),
        })?;
        let mut changes = |name: &str, width: u32| changes(&mut file, ports[name], name, width);
        let edges = match module.clocks.first() {
            Some(clock) => rising(&changes(&clock.name, 1)?),
            None => vec![],
        };
        let inputs = module.inputs.iter().map(|port| changes(&port.name, port.ty.width));
        let inputs = inputs.collect::<Result<_, _>>()?;
        let outputs = module.outputs.iter().enumerate();
        let outputs = outputs.filter(|(_, port)| ports.contains_key(&*port.name));
        let outputs = outputs.map(|(index, port)| Ok((index, changes(&port.name, port.ty.width)?)));
        let reset = module.clocks.first().and_then(|clock| {
            let reset = clock.reset.as_ref()?;
            let input = module.inputs.iter().position(|port| port.node == reset.signal)?;
            Some((input, if reset.active_low { b'0' } else { b'1' }))
        });
        Ok(Recording { edges, inputs, outputs: outputs.collect::<Result<_, _>>()?, reset })
    }

    /// Rising edges of the clock.
    pub fn cycles(&self) -> usize {
        self.edges.len()
    }

    /// Runs a device with the recorded inputs; returns the output values compared.
    ///
    /// # Errors
    /// The first output that differs.
    pub fn replay(&self, device: &mut dyn Device) -> Result<u64, WaveError> {
        let module = device.module().clone();
        let clocks: Vec<_> = module.clock_ids().collect();
        let mut inputs: Vec<Cursor> = self.inputs.iter().map(|all| Cursor::new(all)).collect();
        let mut outputs: Vec<(usize, Cursor)> =
            self.outputs.iter().map(|(index, all)| (*index, Cursor::new(all))).collect();
        let mut known = self.reset.is_none();
        let mut compared = 0;
        for (edge, &time) in self.edges.iter().enumerate() {
            for (input, cursor) in inputs.iter_mut().enumerate() {
                let width = module.inputs[input].ty.width as usize;
                device.poke_pattern(input, &pattern(cursor.before(time), width));
            }
            for (output, cursor) in outputs.iter_mut().filter(|_| known) {
                let port = &module.outputs[*output];
                let mut words = vec![0; port.ty.words()];
                device.peek_pattern(*output, &mut words);
                let must = cursor.before(time);
                let is = digits(&words, port.ty.width as usize);
                if !agree(&is, must) {
                    let (port, must) = (port.name.to_string(), must.to_owned());
                    return Err(WaveError::Differs { edge, port, is, must });
                }
                compared += 1;
            }
            device.tick(&clocks);
            known |= self.reset.is_some_and(|(input, digit)| {
                inputs[input].before(time).as_bytes().last() == Some(&digit)
            });
        }
        Ok(compared)
    }
}

fn open(path: &Path) -> Result<Waveform, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = || wellen::simple::read_from_reader(BufReader::new(file));
    // the reader trusts what it reads more than we do
    let read = std::panic::catch_unwind(AssertUnwindSafe(read));
    read.map_err(|_| "it is damaged".to_owned())?.map_err(|error| error.to_string())
}

/// The outermost scope with all these names: its variables.
fn scope(hierarchy: &Hierarchy, wanted: &[String]) -> Option<HashMap<String, SignalRef>> {
    let mut level: Vec<ScopeRef> = hierarchy.scopes().collect();
    while !level.is_empty() {
        for &scope in &level {
            let variables = hierarchy[scope].vars(hierarchy).map(|variable| {
                let variable = &hierarchy[variable];
                (variable.name(hierarchy).to_owned(), variable.signal_ref())
            });
            let variables: HashMap<_, _> = variables.collect();
            if wanted.iter().all(|name| variables.contains_key(name)) {
                return Some(variables);
            }
        }
        level = level.iter().flat_map(|&scope| hierarchy[scope].scopes(hierarchy)).collect();
    }
    None
}

fn changes(
    file: &mut Waveform,
    signal: SignalRef,
    port: &str,
    width: u32,
) -> Result<Changes, WaveError> {
    file.load_signals(&[signal]);
    let found = file.get_signal(signal).map(|signal| {
        let digits = |(time, value): (u32, wellen::SignalValueRef)| {
            (time, value.to_bit_string().unwrap_or_default())
        };
        signal.iter_changes().map(digits).collect::<Changes>()
    });
    let (found, must) = (found.unwrap_or_default(), width as usize);
    match found.iter().find(|(_, digits)| digits.len() != must) {
        Some((_, digits)) => {
            Err(WaveError::Width { port: port.to_owned(), is: digits.len(), must })
        }
        None => Ok(found),
    }
}

/// When a clock becomes 1.
fn rising(clock: &Changes) -> Vec<u32> {
    let pairs = clock.windows(2).filter(|pair| pair[0].1 != "1" && pair[1].1 == "1");
    pairs.map(|pair| pair[1].0).collect()
}

/// A walk through a signal's changes.
struct Cursor<'c> {
    changes: &'c [(u32, String)],
    next: usize,
}

impl<'c> Cursor<'c> {
    fn new(changes: &'c [(u32, String)]) -> Cursor<'c> {
        Cursor { changes, next: 0 }
    }

    /// The value just before a time, which must not go back; empty before the first.
    fn before(&mut self, time: u32) -> &'c str {
        while self.changes.get(self.next).is_some_and(|(at, _)| *at < time) {
            self.next += 1;
        }
        self.next.checked_sub(1).map_or("", |last| &self.changes[last].1)
    }
}

fn pattern(digits: &str, width: usize) -> Vec<u64> {
    let mut words = vec![0; width.div_ceil(64)];
    for (bit, digit) in digits.bytes().rev().enumerate() {
        words[bit / 64] |= u64::from(digit == b'1') << (bit % 64);
    }
    words
}

fn digits(words: &[u64], width: usize) -> String {
    let bit = |bit: usize| if words[bit / 64] >> (bit % 64) & 1 == 1 { '1' } else { '0' };
    (0..width).rev().map(bit).collect()
}

/// Whether all bits known in the file are the device's.
fn agree(is: &str, must: &str) -> bool {
    let pairs = is.bytes().zip(must.bytes());
    pairs.into_iter().all(|(is, must)| is == must || !b"01".contains(&must))
}
