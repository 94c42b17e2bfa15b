//! Running a tool: under a time limit, with its output kept and errors that name the command.

use hwgen_files::{Group, printable, reason};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Lines of a failed tool's output that are shown.
const SHOWN_LINES: usize = 15;

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not on the `PATH`.
    #[error("{tool} is not installed; to install it: {install}")]
    Missing {
        /// Its name.
        tool: &'static str,
        /// What to do.
        install: &'static str,
    },
    /// It is there, but cannot be used.
    #[error("{tool} at {} cannot be used: {why}; to install another: {install}", path.display())]
    Unusable {
        /// Its name.
        tool: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What to do.
        install: &'static str,
    },
    /// It could not be started.
    #[error("cannot start `{command}`: {}", reason(source))]
    Start {
        /// The command line.
        command: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("`{command}` failed ({status}):\n{tail}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines it printed.
        tail: String,
    },
    /// It did not end in time and was stopped.
    #[error("`{command}` did not end within {} s and was stopped:\n{tail}", limit.as_secs())]
    TimedOut {
        /// The command line.
        command: String,
        /// The time it was given.
        limit: Duration,
        /// The last lines it printed.
        tail: String,
    },
}

/// What a tool printed.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// On its standard output.
    pub stdout: String,
    /// On its standard error.
    pub stderr: String,
}

impl Output {
    /// The last lines of both, those of the standard error last.
    fn tail(&self) -> String {
        let lines: Vec<&str> = self.stdout.lines().chain(self.stderr.lines()).collect();
        let last = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        last.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Runs a command to its end, without input.
///
/// Output goes through files, so a tool that prints much never waits for us. On a timeout, and when we
/// end, the tool and what it started (Verilator is a script that starts a program) are stopped.
pub fn run(command: &mut Command, limit: Duration) -> Result<Output, ToolError> {
    let line = command_line(command);
    let start = |source| ToolError::Start { command: line.clone(), source };
    let (mut out, mut err) =
        (tempfile::tempfile().map_err(start)?, tempfile::tempfile().map_err(start)?);
    let output = out.try_clone().map_err(start)?;
    let errors = err.try_clone().map_err(start)?;
    let mut tool = Group::start(command, false, output.into(), errors.into()).map_err(start)?;
    let status = wait(&mut tool, limit).map_err(start)?;
    let output = Output { stdout: text(&mut out), stderr: text(&mut err) };
    let command = line.clone();
    match status {
        None => Err(ToolError::TimedOut { command, limit, tail: output.tail() }),
        Some(status) if !status.success() => {
            Err(ToolError::Failed { command, status, tail: output.tail() })
        }
        Some(_) => Ok(output),
    }
}

/// The exit status, or `None` once the time is over and the process group is killed.
fn wait(tool: &mut Group, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let (began, mut pause) = (Instant::now(), Duration::from_millis(1));
    loop {
        if let Some(status) = tool.try_wait()? {
            return Ok(Some(status));
        }
        if began.elapsed() >= limit {
            tool.kill();
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Everything in a file that another process wrote.
pub fn text(file: &mut File) -> String {
    let mut bytes = vec![];
    // What cannot be read is not worth an error of its own: it only illustrates another one.
    let _ = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last lines of a text, as errors show them.
pub fn tail(text: String) -> String {
    Output { stdout: text, stderr: String::new() }.tail()
}

/// The command as one would type it.
pub fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<Output, ToolError> {
        run(Command::new("sh").args(["-c", script]), limit)
    }

    #[test]
    fn output_is_kept() {
        let output = shell("echo out; echo err >&2", Duration::from_secs(10)).unwrap();
        assert_eq!((&*output.stdout, &*output.stderr), ("out\n", "err\n"));
    }

    #[test]
    fn a_failure_names_the_command_and_shows_its_last_lines() {
        let error = shell("seq 20; echo no such pass >&2; exit 3", Duration::from_secs(10))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(
            "`sh -c 'seq 20; echo no such pass >&2; exit 3'` failed (exit status: 3):\n7\n"
        ));
        assert!(error.ends_with("\n20\nno such pass"));
    }

    #[test]
    fn a_tool_that_hangs_is_stopped_with_its_children() {
        let limit = Duration::from_millis(200);
        let error = shell("echo here; sleep 1000 & wait", limit).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh -c 'echo here; sleep 1000 & wait'` did not end within 0 s and was stopped:\nhere"
        );
    }

    #[test]
    fn a_tool_that_is_not_there_cannot_be_started() {
        let error = run(&mut Command::new("no-such-tool"), Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-tool`: No such file or directory");
    }
}
