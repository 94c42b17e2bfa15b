//! Reads that end.

use crate::FileError;
use std::fs::{File, FileType};
use std::io::{Read, stdin};
use std::path::Path;

/// Bytes of a pipe or of standard input that are read at most: it tells nobody how many will come.
const MOST_OF_A_PIPE: u64 = 1 << 27;

/// The bytes of a file, or of standard input for `-`. A pipe is read to its end,
/// 128 MiB at most.
///
/// # Errors
/// What the system says; more than `most` bytes; a folder or a device, such as `/dev/zero`.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    if path == Path::new("-") {
        return up_to(stdin().lock(), path, most.min(MOST_OF_A_PIPE), 0);
    }
    let failed = || FileError::io("read", path);
    // asked before it is opened: opening alone may set a device going
    let data = std::fs::metadata(path).map_err(failed())?;
    if let Some(what) = endless(data.file_type()) {
        return Err(FileError::NoFile { act: "read", path: path.into(), what });
    }
    let most = if data.is_file() { most } else { most.min(MOST_OF_A_PIPE) };
    let large = || FileError::Large { path: path.into(), most };
    if data.len() > most {
        return Err(large());
    }
    up_to(File::open(path).map_err(failed())?, path, most, data.len())
}

/// A file of text, or standard input for `-`.
///
/// # Errors
/// As [`read`]; bytes that are no UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        FileError::NoText { path: path.into(), at }
    })
}

fn up_to(
    from: impl Read,
    path: &Path,
    most: u64,
    expected_bytes: u64,
) -> Result<Vec<u8>, FileError> {
    // one more, so that the end is seen without growing
    let mut bytes = Vec::with_capacity(expected_bytes as usize + 1);
    from.take(most + 1).read_to_end(&mut bytes).map_err(FileError::io("read", path))?;
    if bytes.len() as u64 > most {
        return Err(FileError::Large { path: path.into(), most });
    }
    Ok(bytes)
}

/// What it is if reading it may never end or is none.
fn endless(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_char_device() || kind.is_block_device() {
            return Some("a device");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seven");
        std::fs::write(&path, b"seven b").unwrap();
        assert_eq!(read(&path, 7).unwrap(), b"seven b");
        let error = read(&path, 6).unwrap_err().to_string();
        assert!(error.ends_with("seven: it has more than 6 bytes"), "{error}");
        let error = read(&folder.path().join("none"), 6).unwrap_err().to_string();
        assert!(error.ends_with("none: No such file or directory"), "{error}");
        std::fs::write(&path, b"ab\xff").unwrap();
        let error = read_text(&path, 7).unwrap_err().to_string();
        assert!(error.ends_with("it is no UTF-8 text (byte 2)"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn what_never_ends_is_refused() {
        let error = read(Path::new("/dev/zero"), 1 << 40).unwrap_err().to_string();
        assert_eq!(error, "cannot read /dev/zero: it is a device, not a file");
        let error = read(Path::new("/"), 9).unwrap_err().to_string();
        assert_eq!(error, "cannot read /: it is a folder, not a file");
    }

    #[test]
    fn a_pipe_that_never_ends_is_refused() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let writer = path.clone();
        std::thread::spawn(move || {
            let mut pipe = File::create(writer).unwrap();
            while std::io::Write::write_all(&mut pipe, &[0; 1 << 16]).is_ok() {}
        });
        let error = read(&path, 1 << 40).unwrap_err().to_string();
        assert!(error.ends_with("pipe: it has more than 134217728 bytes"), "{error}");
    }

    #[test]
    fn no_control_character_is_printed() {
        let error = read(Path::new("no\x1b[2Jfile"), 9).unwrap_err().to_string();
        assert_eq!(error, "cannot read no\\u{1b}[2Jfile: No such file or directory");
    }
}
