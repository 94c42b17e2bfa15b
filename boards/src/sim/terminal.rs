//! A pseudo-terminal: to others it is a serial port.

use hwgen_files::Ward;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::io::{Errno, read, write};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the system has its pseudo-terminals.
const TERMINALS: &str = "/dev/pts";

/// Our end of a pseudo-terminal.
pub struct Terminal {
    ours: OwnedFd,
    /// Kept open, so that the terminal stays when others come and go.
    _theirs: OwnedFd,
    path: PathBuf,
    /// A link to it, which goes when we do.
    link: Option<(PathBuf, Ward)>,
}

impl Terminal {
    /// A new one; with a symbolic link to it, if it is to have a name that lasts.
    ///
    /// # Errors
    /// What the system says; there is something at `link` that is no link to a terminal.
    pub fn new(link: Option<&Path>) -> io::Result<Terminal> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let path = PathBuf::from(ptsname(&ours, vec![])?.to_string_lossy().into_owned());
        let theirs = open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
        let mut settings = tcgetattr(&theirs)?;
        settings.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &settings)?;
        fcntl_setfl(&ours, OFlags::NONBLOCK)?;
        let mut terminal = Terminal { ours, _theirs: theirs, path, link: None };
        if let Some(link) = link {
            let link = std::path::absolute(link)?;
            let leads = std::fs::read_link(&link);
            if link.symlink_metadata().is_ok() && !leads.is_ok_and(|to| to.starts_with(TERMINALS)) {
                let why = format!("{} is there and no link to a terminal", link.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
            let ward = Ward::link(&link, &terminal.path);
            // under another name first: nobody sees it missing
            let folder = link.parent().unwrap_or(Path::new("/"));
            let mut early_ward = None;
            let point = |early: &Path| {
                early_ward = Some(Ward::link(early, &terminal.path));
                std::os::unix::fs::symlink(&terminal.path, early)
            };
            let early = tempfile::Builder::new().prefix(".hwgen-").make_in(folder, point)?;
            early.persist(&link).map_err(|error| error.error)?;
            drop(early_ward);
            terminal.link = Some((link, ward));
        }
        Ok(terminal)
    }

    /// What others open.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that were sent to us; waits for them, so long at most.
    ///
    /// # Errors
    /// What the system says.
    pub fn receive(&self, wait: Duration) -> io::Result<Vec<u8>> {
        if !self.ready(PollFlags::IN, wait)? {
            return Ok(vec![]);
        }
        let mut bytes = vec![0; 4096];
        match read(&self.ours, &mut bytes) {
            Ok(count) => bytes.truncate(count),
            Err(Errno::AGAIN | Errno::INTR) => bytes.clear(),
            Err(error) => return Err(error.into()),
        }
        Ok(bytes)
    }

    /// Sends bytes. If nobody reads them and the system keeps no more, the rest is lost, as on a
    /// line.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match write(&self.ours, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !self.ready(PollFlags::OUT, Duration::from_millis(200))? {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn ready(&self, flags: PollFlags, wait: Duration) -> io::Result<bool> {
        let wait = Timespec {
            tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&self.ours, flags)], Some(&wait)) {
            Ok(count) => Ok(count > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let ours = |link: &Path| std::fs::read_link(link).is_ok_and(|to| to == self.path);
        if let Some((link, _)) = self.link.as_ref().filter(|(link, _)| ours(link)) {
            // a link that is gone already is no harm
            let _ = std::fs::remove_file(link);
        }
    }
}
