//! Children that end with us.

use crate::scratch::Scratch;
use crate::tidy::Ward;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

/// Waits for a line before the program begins: by then it is guarded. If we die first, the line
/// never comes.
const GATE: &str = r#"IFS= read -r go && exec "$@""#;

/// A process group: a program and what it starts. It is killed when this is dropped, and when we
/// die, however we do. Its temporary files (a compiler leaves them when it is killed) lie in a folder of
/// its own, which goes with it.
#[derive(Debug)]
pub struct Group {
    child: Child,
    ended: bool,
    _ward: Ward,
    _temporary: Scratch,
}

impl Group {
    /// Starts a command in a process group of its own; its arguments, folder and variables are
    /// taken over, its standard streams are those given here. With `input`, its standard input is a
    /// pipe from us, else it is empty.
    ///
    /// # Errors
    /// There is no such program, or the system has no process to give.
    pub fn start(
        command: &Command,
        input: bool,
        output: Stdio,
        errors: Stdio,
    ) -> io::Result<Group> {
        let program = command.get_program();
        find(program)?;
        let mut gate = Command::new("/bin/sh");
        gate.args(["-c", GATE, "sh"]).arg(program).args(command.get_args()).process_group(0);
        gate.stdin(Stdio::piped()).stdout(output).stderr(errors);
        if let Some(folder) = command.get_current_dir() {
            gate.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => gate.env(name, value),
                None => gate.env_remove(name),
            };
        }
        let temporary = Scratch::new()?;
        gate.env("TMPDIR", temporary.path());
        let child = gate.spawn()?;
        let ward = Ward::group(child.id());
        let mut group = Group { child, ended: false, _ward: ward, _temporary: temporary };
        let mut pipe = group.child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        pipe.write_all(b"\n")?;
        group.child.stdin = input.then_some(pipe);
        Ok(group)
    }

    /// The pipe to its standard input.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The pipe from its standard output.
    pub fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The pipe from its standard error.
    pub fn take_errors(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// How the program ended, if it did.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        self.ended |= status.is_some();
        Ok(status)
    }

    /// How the program ended, if it did; what it started and left running is killed then.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_end(&mut self) -> io::Result<Option<ExitStatus>> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if let (false, Some(leader)) = (self.ended, Pid::from_raw(self.child.id() as i32)) {
            if waitid(WaitId::Pid(leader), look)?.is_none() {
                return Ok(None);
            }
            // not reaped yet, its number is nobody else's; fails if nothing is left
            let _ = kill_process_group(leader, Signal::KILL);
        }
        self.try_wait()
    }

    /// Waits for the program's end.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.ended = true;
        Ok(status)
    }

    /// Kills the program and what it started.
    pub fn kill(&mut self) {
        if !self.ended {
            // both fail only if it is gone
            if let Some(leader) = Pid::from_raw(self.child.id() as i32) {
                let _ = kill_process_group(leader, Signal::KILL);
            }
            let _ = self.child.wait();
            self.ended = true;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether the program is there, which the gate would tell too late.
fn find(program: &OsStr) -> io::Result<()> {
    let path = Path::new(program);
    let is_there = if path.components().count() > 1 {
        path.is_file()
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).any(|folder| folder.join(path).is_file())
    };
    if is_there { Ok(()) } else { Err(io::Error::from_raw_os_error(2)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_a_program_left_running_ends_with_it() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 1000 & kill -9 $$"]);
        let mut group = Group::start(&command, false, Stdio::piped(), Stdio::null()).unwrap();
        let mut output = group.take_output().unwrap();
        let status = loop {
            if let Some(status) = group.try_end().unwrap() {
                break status;
            }
        };
        assert!(!status.success());
        // its end comes once nobody holds the pipe
        assert_eq!(output.read_to_end(&mut vec![]).unwrap(), 0);
        assert_eq!(group.try_end().unwrap(), Some(status));
    }
}
