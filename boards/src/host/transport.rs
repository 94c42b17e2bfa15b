//! What carries bytes.

use super::{BoardError, advice};
use serialport::{ClearBuffer, SerialPort};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

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
        let cannot = |why: io::Error| BoardError::Port {
            port: path.to_owned(),
            advice: advice::serial(path, &why),
            why: why.to_string(),
        };
        let port = open(path, baud).map_err(cannot)?;
        Ok(Serial { path: path.to_owned(), baud, port })
    }

    /// Opens a port that may be about to appear: a board that was just plugged in, a simulated one that is
    /// being made. `told` hears once that it is waited for.
    ///
    /// # Errors
    /// It is not there in time, or taken.
    pub fn open_within(
        path: &str,
        baud: u32,
        wait: Duration,
        told: impl FnOnce(),
    ) -> Result<Serial, BoardError> {
        let (until, mut told) = (Instant::now() + wait, Some(told));
        let gone =
            || matches!(std::fs::metadata(path), Err(why) if why.kind() == io::ErrorKind::NotFound);
        // a port of Windows is no file
        while cfg!(unix) && gone() && Instant::now() < until {
            if let Some(told) = told.take() {
                told();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Serial::open(path, baud)
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
