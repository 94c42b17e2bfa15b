//! A line to a simulated board in the same process.

use super::SimBoard;
use super::faults::Faults;
use crate::host::Transport;
use std::io;
use std::time::Duration;

/// The driver's line to a simulated board: time passes only while it listens.
pub struct SimLine {
    /// The board.
    pub board: SimBoard,
    faults: [Faults; 2],
}

impl SimLine {
    /// With faults to the board and from it.
    pub fn new(board: SimBoard, faults: [Faults; 2]) -> SimLine {
        SimLine { board, faults }
    }
}

impl Transport for SimLine {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for byte in bytes.iter().flat_map(|&byte| self.faults[0].pass(byte)) {
            self.board.send(byte);
        }
        Ok(())
    }

    fn receive(&mut self, bytes: &mut [u8], _: Duration) -> io::Result<usize> {
        let mut came = vec![];
        // a fault makes two of a byte at most
        while came.len() + 2 <= bytes.len() && !self.board.is_quiet() {
            let byte = self.board.advance();
            came.extend(byte.into_iter().flat_map(|byte| self.faults[1].pass(byte)));
        }
        bytes[..came.len()].copy_from_slice(&came);
        Ok(came.len())
    }

    fn reconnect(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn travel(&self, _: usize) -> Duration {
        Duration::ZERO
    }
}
