//! A file in the making.

use crate::FileError;
use crate::place::{Place, folder, place};
use crate::tidy::{self, Ward};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that takes its place when it is complete, and leaves nothing if it never is: until then it
/// lies beside it under an unpredictable name. A device is written to at once.
#[derive(Debug)]
pub struct Pending {
    /// What was asked for, for errors.
    asked: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Stdout,
    Device(File),
    File { temporary: NamedTempFile, path: PathBuf, id: u64, ward: Ward },
}

impl Pending {
    /// Begins a file.
    ///
    /// # Errors
    /// What the system says; there is a folder, a disk or a socket of that name.
    pub fn create(path: &Path) -> Result<Pending, FileError> {
        Pending::part(path, tidy::result_id())
    }

    /// Begins a part of a result of several files.
    pub(crate) fn part(path: &Path, id: u64) -> Result<Pending, FileError> {
        let target = match place(path)? {
            Place::Stdout => Ok(Target::Stdout),
            Place::Device(device) => {
                OpenOptions::new().write(true).open(device).map(Target::Device)
            }
            Place::File(file) => beside(file, id),
        };
        let target = target.map_err(FileError::io("write", path))?;
        let is_stdout = matches!(target, Target::Stdout);
        let asked = if is_stdout { "standard output".into() } else { path.into() };
        Ok(Pending { asked, target })
    }

    /// The file as it is now, for writers that open it themselves; none if a device is written to.
    pub fn temporary(&self) -> Option<&Path> {
        match &self.target {
            Target::File { temporary, .. } => Some(temporary.path()),
            _ => None,
        }
    }

    /// A buffered writer to it, which must be flushed.
    ///
    /// # Errors
    /// What the system says.
    pub fn writer(&self) -> io::Result<BufWriter<Box<dyn Write + Send>>> {
        Ok(BufWriter::new(match &self.target {
            Target::Stdout => Box::new(io::stdout()),
            Target::Device(file) => Box::new(file.try_clone()?),
            Target::File { temporary, .. } => Box::new(temporary.as_file().try_clone()?),
        }))
    }

    /// Writes all of it.
    pub(crate) fn fill(&self, content: &[u8]) -> Result<(), FileError> {
        let write = || {
            let mut writer = self.writer()?;
            writer.write_all(content)?;
            writer.flush()
        };
        write().map_err(FileError::io("write", &self.asked))
    }

    /// Makes sure that the disk has it.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        match &self.target {
            Target::File { temporary, .. } => {
                temporary.as_file().sync_all().map_err(FileError::io("write", &self.asked))
            }
            _ => Ok(()),
        }
    }

    /// Puts the complete file in its place.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(self) -> Result<(), FileError> {
        self.sync()?;
        if let Target::File { id, .. } = self.target {
            tidy::whole(id);
        }
        self.put()
    }

    pub(crate) fn put(self) -> Result<(), FileError> {
        if let Target::File { temporary, path, ward, .. } = self.target {
            let renamed = temporary.persist(&path).map_err(|error| error.error);
            renamed.map_err(FileError::io("write", &self.asked))?;
            drop(ward);
            // the name, too, outlives a power cut; where that cannot be promised it is not
            let _ = File::open(folder(&path)).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

fn beside(path: PathBuf, id: u64) -> io::Result<Target> {
    let folder = folder(&path);
    // readable for others as any new file, the umask still applies; or as the one before
    let before = std::fs::metadata(&path).map(|data| data.permissions());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    let mut ward = None;
    // on the list before it is there: we may be killed in between
    let temporary = tempfile::Builder::new().prefix(".hwgen-").make_in(folder, |temporary| {
        ward = Some(Ward::part(id, folder, &name(temporary), &name(&path)));
        File::options().read(true).write(true).create_new(true).mode(0o666).open(temporary)
    })?;
    if let Ok(permissions) = before {
        temporary.as_file().set_permissions(permissions)?;
    }
    let ward = ward.ok_or(io::ErrorKind::Other)?;
    Ok(Target::File { temporary, path, id, ward })
}
