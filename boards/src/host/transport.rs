//! What carries bytes.

use super::BoardError;
use serialport::{ClearBuffer, SerialPort};
use std::io::{self, Read, Write};
use std::time::Duration;

/// A line to a board.
pub trait Transport {
    /// Sends all bytes.
    ///
    /// # Errors
    /// The line failed; [`Transport::reconnect`] may bring it back.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits for bytes, so long at most; returns how many came, 0 if none did.
    ///
    /// # Errors
    /// The line failed; [`Transport::reconnect`] may bring it back.
    fn receive(&mut self, bytes: &mut [u8], wait: Duration) -> io::Result<usize>;

    /// Takes up a line that failed.
    ///
    /// # Errors
    /// It is still not there.
    fn reconnect(&mut self) -> io::Result<()>;

    /// How long so many bytes take.
    fn travel(&self, bytes: usize) -> Duration;
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).send(bytes)
    }

    fn receive(&mut self, bytes: &mut [u8], wait: Duration) -> io::Result<usize> {
        (**self).receive(bytes, wait)
    }

    fn reconnect(&mut self) -> io::Result<()> {
        (**self).reconnect()
    }

    fn travel(&self, bytes: usize) -> Duration {
        (**self).travel(bytes)
    }
}

/// A serial port, or what looks like one.
pub struct Serial {
    path: String,
    baud: u32,
    port: Box<dyn SerialPort>,
}

impl Serial {
    /// Opens a port by its path.
    ///
    /// # Errors
    /// It is not there, or taken.
    pub fn open(path: &str, baud: u32) -> Result<Serial, BoardError> {
        let port = open(path, baud)
            .map_err(|why| BoardError::Port { port: path.to_owned(), why: why.to_string() })?;
        Ok(Serial { path: path.to_owned(), baud, port })
    }
}

fn open(path: &str, baud: u32) -> io::Result<Box<dyn SerialPort>> {
    // 8 data bits, no parity, 1 stop bit, no flow control are what the builder begins with
    let port = serialport::new(path, baud).open()?;
    // what lies in the buffers was meant for somebody else
    port.clear(ClearBuffer::All)?;
    Ok(port)
}

impl Transport for Serial {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(Duration::from_secs(2) + self.travel(bytes.len()))?;
        self.port.write_all(bytes)
    }

    fn receive(&mut self, bytes: &mut [u8], wait: Duration) -> io::Result<usize> {
        self.port.set_timeout(wait.max(Duration::from_millis(1)))?;
        match self.port.read(bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            came => came,
        }
    }

    fn reconnect(&mut self) -> io::Result<()> {
        self.port = open(&self.path, self.baud)?;
        Ok(())
    }

    fn travel(&self, bytes: usize) -> Duration {
        // start bit, eight bits, stop bit
        Duration::from_secs(10 * bytes as u64) / self.baud.max(1)
    }
}
