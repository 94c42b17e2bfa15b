//! The link's bytes over SPI, of which the host is the master: `docs/link.md`.

use super::Transport;
use crate::link::spi::{FILLER, Unfill, selection};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// Bytes of a look for an answer.
const LOOK: usize = 64;

/// The pins of an SPI bus, mode 0, most significant bit first.
pub trait Exchange {
    /// Selects the board, sends all bytes, deselects it; returns those that came meanwhile.
    ///
    /// # Errors
    /// The bridge failed; [`Exchange::reconnect`] may bring it back.
    fn exchange(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>>;

    /// Takes up a bridge that failed.
    ///
    /// # Errors
    /// It is still not there.
    fn reconnect(&mut self) -> io::Result<()>;

    /// Bits a second.
    fn hertz(&self) -> u32;
}

/// A line to a board over such pins.
#[derive(Debug)]
pub struct Spi<E> {
    /// The pins.
    pub pins: E,
    came: VecDeque<u8>,
    unfill: Unfill,
}

impl<E: Exchange> Spi<E> {
    /// A line over these pins.
    pub fn new(pins: E) -> Spi<E> {
        Spi { pins, came: VecDeque::new(), unfill: Unfill::default() }
    }

    fn exchange(&mut self, bytes: &[u8]) -> io::Result<()> {
        let came = self.pins.exchange(&selection(bytes))?;
        self.came.extend(self.unfill.selection(&came));
        Ok(())
    }
}

impl<E: Exchange> Transport for Spi<E> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.exchange(bytes)
    }

    fn receive(&mut self, bytes: &mut [u8], wait: Duration) -> io::Result<usize> {
        let until = Instant::now() + wait;
        while self.came.is_empty() {
            self.exchange(&[FILLER; LOOK])?;
            if Instant::now() >= until {
                break;
            }
        }
        let count = self.came.len().min(bytes.len());
        for (place, byte) in bytes.iter_mut().zip(self.came.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn reconnect(&mut self) -> io::Result<()> {
        (self.came, self.unfill) = (VecDeque::new(), Unfill::default());
        self.pins.reconnect()
    }

    fn travel(&self, bytes: usize) -> Duration {
        Duration::from_secs(8 * (bytes + LOOK) as u64) / self.pins.hertz().max(1)
    }
}
