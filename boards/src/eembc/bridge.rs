//! From the runner's lines to a board's packets.

use super::{Clock, Commands, Device};
use crate::host::cnn::Inference;
use crate::host::{BoardError, Transport};
use crate::sim::Terminal;
use hwgen_network::graph::Tensor;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a bridge waits for bytes before it looks whether it is to stop.
const NAP: Duration = Duration::from_millis(100);

/// A board with a network, as the runner's device.
pub struct Bridge<T> {
    inference: Inference<T>,
    input: Tensor,
    output: Tensor,
    clock: Clock,
    looked: Instant,
}

impl<T: Transport> Bridge<T> {
    /// In front of a network that is loaded; `input` and `output` are its tensors.
    ///
    /// # Errors
    /// The board does not answer.
    pub fn new(
        mut inference: Inference<T>,
        input: &Tensor,
        output: &Tensor,
    ) -> Result<Bridge<T>, BoardError> {
        let clock_hz = inference.board().identity().clock_hz;
        let clock = Clock::new(clock_hz, inference.cycles()?);
        let (input, output) = (input.clone(), output.clone());
        Ok(Bridge { inference, input, output, clock, looked: Instant::now() })
    }
}

impl<T: Transport> Device for Bridge<T> {
    type Error = BoardError;

    fn input_bytes(&self) -> usize {
        self.input.elements()
    }

    fn infer(&mut self, input: &[u8]) -> Result<Vec<f64>, BoardError> {
        let element = |&byte: &u8| match self.input.signed {
            true => i16::from(byte as i8),
            false => byte.into(),
        };
        let input: Vec<i16> = input.iter().map(element).collect();
        let outputs = self.inference.infer(&input)?;
        let scores = outputs.last().map(|scores| self.output.integers(scores)).unwrap_or_default();
        let real = |(n, score): (usize, i32)| self.output.real_of(n, score);
        Ok(scores.into_iter().enumerate().map(real).collect())
    }

    fn micros(&mut self) -> Result<u64, BoardError> {
        let counter = self.inference.cycles()?;
        let elapsed = std::mem::replace(&mut self.looked, Instant::now()).elapsed();
        Ok(self.clock.micros(counter, elapsed))
    }
}

/// Answers the runner on a pseudo-terminal until told to stop.
///
/// # Errors
/// The terminal fails.
pub fn serve<D: Device>(
    commands: &mut Commands<D>,
    terminal: &Terminal,
    stop: &AtomicBool,
) -> io::Result<()> {
    terminal.send(commands.greeting().as_bytes())?;
    while !stop.load(Ordering::Relaxed) {
        for byte in terminal.receive(NAP)? {
            terminal.send(commands.push(byte).as_bytes())?;
        }
    }
    Ok(())
}
