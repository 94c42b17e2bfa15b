//! What must not outlive the program, whatever it dies of: children, temporary files, links.
//!
//! A shell in a process group of its own, the guardian, holds the list and reads from a pipe that
//! nobody but us writes to. When we end, by `kill -9` too, the pipe ends, and the guardian kills and
//! removes what is still on its list. It is started with the first [`Ward`].

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Longer lines are not written in one piece.
const MOST_BYTES: usize = 4096;

/// Something that is removed if we die while this lives. Dropping it only takes it off the list.
#[derive(Debug)]
pub struct Ward(Vec<u8>);

impl Ward {
    /// A process group, to be killed.
    pub fn group(leader: u32) -> Ward {
        Ward::new(&[b"group:", leader.to_string().as_bytes()])
    }

    /// A folder, to be removed with all that is in it. Its path must be absolute.
    pub fn folder(path: &Path) -> Ward {
        Ward::new(&[b"folder:", bytes(path)])
    }

    /// A symbolic link, to be removed if it still leads to `target`, which has no colon in it. Its
    /// path must be absolute.
    pub fn link(path: &Path, target: &Path) -> Ward {
        Ward::new(&[b"link:", bytes(target), b":", bytes(path)])
    }

    /// A part of a result: a temporary file, and the name it takes once the result is whole.
    pub(crate) fn part(id: u64, folder: &Path, temporary: &OsStr, name: &OsStr) -> Ward {
        let (temporary, name) = (temporary.as_bytes(), name.as_bytes());
        let id = id.to_string();
        Ward::new(&[b"part:", id.as_bytes(), b":", temporary, b"/", name, b"/", bytes(folder)])
    }

    fn new(parts: &[&[u8]]) -> Ward {
        let ward = Ward(parts.concat());
        tell(b'+', &ward.0);
        ward
    }
}

impl Drop for Ward {
    fn drop(&mut self) {
        tell(b'-', &self.0);
    }
}

/// A number for the parts of a result.
pub(crate) fn result_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// From here on the parts of a result are put in place by the guardian if not by us.
pub(crate) fn whole(id: u64) {
    tell(b'=', id.to_string().as_bytes());
}

/// Makes Ctrl-C and SIGTERM wait for the guardian before they end the program, so that whoever sees
/// its end sees nothing left of it.
///
/// # Errors
/// The system has no threads or signals to give.
pub fn tidy_on_signals() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            dismiss();
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(())
}

enum Guardian {
    /// Nothing was ever to be guarded.
    None,
    At(Child, ChildStdin),
    /// There is no shell, or the guardian has done its work: the end is near.
    Gone {
        dying: bool,
    },
}

static GUARDIAN: Mutex<Guardian> = Mutex::new(Guardian::None);

fn lock() -> MutexGuard<'static, Guardian> {
    GUARDIAN.lock().unwrap_or_else(|held| held.into_inner())
}

fn tell(what: u8, ward: &[u8]) {
    let line = [&[what], ward, b"\n"].concat();
    // a name that the list cannot hold is not guarded, only removed by us
    if line.len() > MOST_BYTES || ward.contains(&b'\n') {
        return;
    }
    let mut guardian = lock();
    if let Guardian::None = *guardian {
        *guardian = start().unwrap_or(Guardian::Gone { dying: false });
    }
    if let Guardian::Gone { dying: true } = *guardian {
        drop(guardian);
        // nothing more begins or ends here: a signal is about to end us
        loop {
            std::thread::park();
        }
    }
    if let Guardian::At(_, list) = &mut *guardian
        && list.write_all(&line).is_err()
    {
        *guardian = Guardian::Gone { dying: false };
    }
}

fn start() -> io::Result<Guardian> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", include_str!("guardian.sh"), "hwgen-guardian"]).current_dir("/");
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = shell.spawn()?;
    let list = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok(Guardian::At(child, list))
}

/// Has the guardian do its work now, and waits for it.
fn dismiss() {
    let before = std::mem::replace(&mut *lock(), Guardian::Gone { dying: true });
    if let Guardian::At(mut child, list) = before {
        drop(list);
        let _ = child.wait();
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

#[cfg(test)]
mod tests;
