//! A recorded run as vectors: the inputs of a VCD, FST or GHW file, the outputs to compare with.
//!
//! The design is the outermost scope that has all its inputs and its clock by name. Inputs and
//! outputs are taken as they are just before each rising edge of the clock. An input's unknown
//! bits become 0; an output's are not compared, and no output is before a reset has been seen, if
//! the design has one.

mod apart;
mod file;

pub use apart::serve;

use file::{Changes, Fault, Ports, Waves};
use hwgen_files::{FileError, printable};
use hwgen_hdl::Module;
use hwgen_hdl::sim::Device;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 30;
/// What the reader of the formats may say.
const LONGEST_REASON: usize = 200;

/// Why a file is no recording of a design, or not that of its gates.
#[derive(Debug, thiserror::Error)]
pub enum WaveError {
    /// Not there, or of no size to be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// No waves.
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
    waves: Waves,
    /// The input that resets, and the digit that does.
    reset: Option<(usize, u8)>,
}

impl Recording {
    /// Reads the ports of a design with one clock, in this process.
    ///
    /// The reader of the formats trusts its files: one that is damaged on purpose may take all
    /// memory and end the process. [`Recording::read_apart`] is for files of strangers.
    ///
    /// # Errors
    /// No waves; no scope like the design.
    pub fn read(path: &Path, module: &Module) -> Result<Recording, WaveError> {
        let bytes = hwgen_files::read(path, MOST_BYTES)?;
        Recording::of(path, module, |ports| file::waves(bytes, ports))
    }

    /// Reads them in a process of its own, which `reader` starts and which calls [`serve`] at
    /// once: what a damaged file does to it, or asks of it, is an error here.
    ///
    /// # Errors
    /// As [`Recording::read`]; a process that cannot be started.
    pub fn read_apart(
        path: &Path,
        module: &Module,
        reader: &Command,
    ) -> Result<Recording, WaveError> {
        let bytes = hwgen_files::read(path, MOST_BYTES)?;
        Recording::of(path, module, |ports| apart::waves(bytes, ports, reader))
    }

    fn of(
        path: &Path,
        module: &Module,
        read: impl FnOnce(&Ports) -> Result<Waves, Fault>,
    ) -> Result<Recording, WaveError> {
        let ports = Ports::of(module);
        let waves = read(&ports).map_err(|fault| match fault {
            Fault::Read(why) => {
                let words: Vec<&str> = why.split_whitespace().collect();
                let why = printable(&words.join(" ")).chars().take(LONGEST_REASON).collect();
                WaveError::Read { path: path.to_owned(), why }
            }
            Fault::Scope => WaveError::Scope {
                path: path.to_owned(),
                module: module.name.to_string(),
                ports: ports.needed().collect::<Vec<_>>().join(", "),
            },
            Fault::Width { port, is, must } => WaveError::Width { port, is, must },
        })?;
        let reset = module.clocks.first().and_then(|clock| {
            let reset = clock.reset.as_ref()?;
            let input = module.inputs.iter().position(|port| port.node == reset.signal)?;
            Some((input, if reset.active_low { b'0' } else { b'1' }))
        });
        Ok(Recording { waves, reset })
    }

    /// Rising edges of the clock.
    pub fn cycles(&self) -> usize {
        self.waves.edges.len()
    }

    /// Runs a device with the recorded inputs; returns the output values compared.
    ///
    /// # Errors
    /// The first output that differs.
    pub fn replay(&self, device: &mut dyn Device) -> Result<u64, WaveError> {
        let module = device.module().clone();
        let clocks: Vec<_> = module.clock_ids().collect();
        let mut inputs: Vec<Cursor> = self.waves.inputs.iter().map(Cursor::new).collect();
        let mut outputs: Vec<(usize, Cursor)> =
            self.waves.outputs.iter().map(|(index, all)| (*index, Cursor::new(all))).collect();
        let mut known = self.reset.is_none();
        let mut compared = 0;
        for (edge, &time) in self.waves.edges.iter().enumerate() {
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

/// A walk through a signal's changes.
struct Cursor<'c> {
    changes: &'c Changes,
    next: usize,
}

impl<'c> Cursor<'c> {
    fn new(changes: &'c Changes) -> Cursor<'c> {
        Cursor { changes, next: 0 }
    }

    /// The value just before a time, which must not go back; empty before the first.
    fn before(&mut self, time: u32) -> &'c str {
        while self.changes.at.get(self.next).is_some_and(|at| *at < time) {
            self.next += 1;
        }
        self.next.checked_sub(1).map_or("", |last| self.changes.value(last))
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
