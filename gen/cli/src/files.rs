//! What commands write, and where they may not.

use crate::failure::{Failure, wrong};
use crate::output::print;
use std::path::Path;

/// Writes the files of one result, all or none, and tells; `-` is stdout.
pub(crate) fn write_files(files: &[(&Path, &str)]) -> Result<(), Failure> {
    let (printed, written): (Vec<_>, Vec<_>) =
        files.iter().partition(|(path, _)| *path == Path::new("-"));
    let bytes: Vec<_> = written.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    hwgen_files::write_all(&bytes)?;
    for (path, _) in written {
        tell!("wrote {}", path.display());
    }
    printed.into_iter().try_for_each(|(_, text): (_, &str)| print(text))
}

/// Writes files, given by name and content, into a folder, which is made if need be. None takes its
/// place before all are written; nobody else's file is replaced; what an earlier result of ours left
/// is removed.
pub(crate) fn write_folder<T: AsRef<[u8]>>(
    folder: &Path,
    files: &[(String, T)],
) -> Result<(), Failure> {
    let written = hwgen_files::write_folder(folder, files)?;
    let path = folder.display();
    if !written.removed.is_empty() {
        tell!("removed from {path}, no longer part of it: {}", written.removed.join(", "));
    }
    if !written.left.is_empty() {
        tell!("left in {path}, since changed by others: {}", written.left.join(", "));
    }
    Ok(())
}

/// Checks that none of the files that are written is another one of them, or one that is read. A file
/// comes with the argument that names it, and is left out if none does.
pub(crate) fn apart(
    written: &[(&str, Option<&Path>)],
    read: &[(&str, Option<&Path>)],
) -> Result<(), Failure> {
    for (at, (name, path)) in written.iter().enumerate() {
        let Some(path) = path else { continue };
        for (other, there) in written[..at].iter().chain(read) {
            if there.is_some_and(|there| hwgen_files::same(path, there)) {
                let path = path.display();
                return wrong(format!("{name} {path} is the file of {other}: name another"));
            }
        }
    }
    Ok(())
}
