//! A simulated board as a process.

use crate::command::command;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// `hwgen board sim`, killed in the end.
pub(crate) struct Simulated {
    process: Child,
    port: String,
}

impl Simulated {
    /// Starts one and waits for its port.
    pub(crate) fn start(arguments: &[&str]) -> Simulated {
        let mut command = command(&[&["board", "sim"], arguments].concat());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("/dev/"), "{line}");
        Simulated { process, port: line.trim().to_owned() }
    }

    /// What to open.
    pub(crate) fn port(&self) -> &str {
        &self.port
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
