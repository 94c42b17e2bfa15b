//! Running a tool that takes minutes: its lines are passed on as they come.

use hwgen_files::{Group, printable};
use hwgen_tools::{ToolError, command_line};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Lines of a tool's output that are kept, the last ones.
const KEPT_LINES: usize = 10_000;
/// Bytes of a line that are kept.
const KEPT_BYTES: u64 = 4096;
/// Lines of a failed tool's output that are shown.
const SHOWN_LINES: usize = 15;

/// A tool that failed, with what it printed.
pub(super) struct Failed {
    pub(super) error: ToolError,
    pub(super) log: Vec<String>,
}

/// Runs a command to its end, without input; returns what it printed on either output.
///
/// It and what it starts end with us.
pub(super) fn run(
    command: &Command,
    limit: Duration,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<String>, Failed> {
    let line = command_line(command);
    let start =
        |source| Failed { error: ToolError::Start { command: line.clone(), source }, log: vec![] };
    let group = Group::start(command, false, Stdio::piped(), Stdio::piped());
    let mut group = group.map_err(start)?;
    let (sender, lines) = channel();
    let (out, err) = (group.take_output(), group.take_errors());
    let also = sender.clone();
    std::thread::spawn(move || out.map(|pipe| pass_on(pipe, false, &also)));
    std::thread::spawn(move || err.map(|pipe| pass_on(pipe, true, &sender)));
    // the lines of both, and the last ones of the standard error, which say what went wrong and may
    // come before much that was printed earlier
    let (mut log, mut complaints) = (vec![], VecDeque::new());
    let (began, mut in_time) = (Instant::now(), true);
    while in_time {
        // how long it may still take
        match lines.recv_timeout(limit.saturating_sub(began.elapsed())) {
            Ok((is_error, line)) => {
                on_line(&line);
                if is_error {
                    complaints.push_back(line.clone());
                    if complaints.len() > SHOWN_LINES {
                        complaints.pop_front();
                    }
                }
                if log.len() == KEPT_LINES {
                    log.drain(..KEPT_LINES / 2);
                }
                log.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => in_time = false,
        }
    }
    let complaints = Vec::from(complaints);
    let shown = if complaints.is_empty() { &log } else { &complaints };
    let tail = shown[shown.len().saturating_sub(SHOWN_LINES)..].join("\n");
    if !in_time {
        group.kill();
        return Err(Failed { error: ToolError::TimedOut { command: line, limit, tail }, log });
    }
    match group.wait() {
        Ok(status) if status.success() => Ok(log),
        Ok(status) => Err(Failed { error: ToolError::Failed { command: line, status, tail }, log }),
        Err(source) => Err(start(source)),
    }
}

/// Sends a pipe's lines until it ends; of longer ones the first bytes.
fn pass_on(pipe: impl Read, is_error: bool, lines: &Sender<(bool, String)>) {
    let mut pipe = BufReader::new(pipe);
    let mut bytes = vec![];
    loop {
        bytes.clear();
        match (&mut pipe).take(KEPT_BYTES).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            // nobody listens any more: read on, so that the tool does not stop at a full pipe
            Ok(_) => {
                let line = printable(String::from_utf8_lossy(&bytes).trim_end());
                drop(lines.send((is_error, line)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_as_they_are_printed() {
        let mut seen = vec![];
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; head -c 5000 /dev/zero | tr '\\0' x"]);
        let log = run(&command, Duration::from_secs(20), &mut |line| seen.push(line.len()));
        let log = log.ok().unwrap();
        assert_eq!(seen.iter().sum::<usize>(), 5006);
        assert_eq!(log.len(), 4);
    }

    #[test]
    fn failures_and_hangs_are_told() {
        let shell = |script, limit| {
            let mut command = Command::new("sh");
            run(command.args(["-c", script]), limit, &mut |_| {}).err().unwrap()
        };
        let failed = shell("echo no; exit 3", Duration::from_secs(20));
        assert_eq!(
            failed.error.to_string(),
            "`sh -c 'echo no; exit 3'` failed (exit status: 3):\nno"
        );
        assert_eq!(failed.log, ["no"]);
        let both = shell("echo wrong >&2; seq 100; exit 1", Duration::from_secs(20));
        assert!(both.error.to_string().ends_with("(exit status: 1):\nwrong"));
        let hangs = shell("exec sleep 100", Duration::from_millis(50)).error.to_string();
        assert!(hangs.contains("did not end within 0 s"), "{hangs}");
    }
}
