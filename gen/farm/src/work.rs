//! The program's side of a job.

use crate::job::MOST_REQUEST;
use hwgen_files::FileError;
use std::path::Path;

/// What a program finds in the folder it is given.
pub(crate) const REQUEST: &str = "request.json";
/// What it leaves there.
pub(crate) const RESULT: &str = "result.json";

/// What is asked for, in the folder that the program was given.
///
/// # Errors
/// It is not there.
pub fn request(folder: &Path) -> Result<Vec<u8>, FileError> {
    hwgen_files::read(&folder.join(REQUEST), MOST_REQUEST)
}

/// Leaves the result there. It counts once the program has ended with exit code 0.
///
/// # Errors
/// What the system says.
pub fn answer(folder: &Path, result: &[u8]) -> Result<(), FileError> {
    hwgen_files::write(&folder.join(RESULT), result)
}
