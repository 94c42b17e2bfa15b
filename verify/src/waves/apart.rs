//! Reading in a process of its own.
//!
//! Readers of VCD, FST and GHW believe what a file says of itself: a length of 147 TB is
//! allocated, which no process outlives. So another process reads; it bounds its memory and time
//! before it sees the file, and its end without an answer is the answer. Where the system has no
//! bound of memory (macOS), that of time is left.

use super::file::{Fault, Ports, Waves, waves as read};
use hwgen_files::{Group, reason};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::process::{Command, Stdio};

/// Memory for the process itself and for what a small file unpacks to.
const BASE_BYTES: u64 = 384 << 20;
/// Memory for each byte of a file.
const BYTES_A_BYTE: u64 = 64;
/// The processor's seconds for a small file, and for each MiB more.
const SECONDS: u64 = 2;
/// The longest question: ports by name.
const MOST_QUESTION: u64 = 64 << 20;

/// Has the file read: the ports and its length in a line, then the file.
pub(super) fn waves(bytes: Vec<u8>, ports: &Ports, reader: &Command) -> Result<Waves, Fault> {
    let failed = |error| Fault::Read(format!("its reader does not start: {}", reason(&error)));
    let process = Group::start(reader, true, Stdio::piped(), Stdio::null());
    let mut process = process.map_err(failed)?;
    let size = bytes.len() as u64;
    let asked = process.take_input().map(|stdin| ask(stdin, ports, &bytes));
    drop(bytes);
    let most = most_memory(size);
    // an answer takes no more memory here than it has bytes
    let stdout = process.take_output().filter(|_| matches!(asked, Some(Ok(()))));
    let answer =
        stdout.map(|stdout| serde_json::from_reader(BufReader::new(stdout.take(most / 2))));
    match answer {
        Some(Ok(answer)) => answer,
        _ => {
            let most = most >> 20;
            Err(Fault::Read(format!("it is damaged, or takes more than {most} MiB to read")))
        }
    }
}

fn ask(stdin: impl Write, ports: &Ports, bytes: &[u8]) -> io::Result<()> {
    let mut stdin = BufWriter::new(stdin);
    serde_json::to_writer(&mut stdin, &(ports, bytes.len() as u64))?;
    stdin.write_all(b"\n")?;
    stdin.write_all(bytes)?;
    stdin.flush()
}

/// The other process: a question on stdin, the answer on stdout.
///
/// # Errors
/// A question that is none, an answer that nobody takes.
pub fn serve() -> io::Result<()> {
    let mut stdin = BufReader::new(io::stdin().lock());
    let mut line = vec![];
    stdin.by_ref().take(MOST_QUESTION).read_until(b'\n', &mut line)?;
    let (ports, size): (Ports, u64) = serde_json::from_slice(&line)?;
    bound(size);
    let mut bytes = vec![];
    stdin.take(size).read_to_end(&mut bytes)?;
    let answer = read(bytes, &ports);
    let mut stdout = BufWriter::new(io::stdout().lock());
    serde_json::to_writer(&mut stdout, &answer)?;
    stdout.flush()
}

fn most_memory(file_bytes: u64) -> u64 {
    BASE_BYTES.saturating_add(file_bytes.saturating_mul(BYTES_A_BYTE))
}

fn bound(file_bytes: u64) {
    let bounds = [
        (Resource::As, most_memory(file_bytes)),
        (Resource::Cpu, SECONDS + (file_bytes >> 20)),
        // a process that ends so leaves no image of its memory
        (Resource::Core, 0),
    ];
    for (resource, most) in bounds {
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(most, |maximum| maximum.min(most)));
        // what a system cannot bound, it does not
        let _ = setrlimit(resource, Rlimit { current, maximum });
    }
}
