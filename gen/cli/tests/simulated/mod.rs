//! A simulated board, or the bridge in front of one, as a process.

use crate::command::command;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// A command that prints the path of a terminal and serves it; killed in the end.
pub(crate) struct Simulated {
    process: Child,
    port: String,
}

impl Simulated {
    /// `hwgen board sim`, once its port is there.
    pub(crate) fn start(arguments: &[&str]) -> Simulated {
        Simulated::serve(&[&["board", "sim"], arguments].concat())
    }

    /// Any such command.
    pub(crate) fn serve(arguments: &[&str]) -> Simulated {
        let mut process = command(arguments).stdout(Stdio::piped()).spawn().unwrap();
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
