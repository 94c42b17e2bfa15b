//! `network.json`, and the binary file that may lie beside it.

use super::text::pretty;
use super::{Binary, FileError, Network, NetworkError, Number, Numbers};
use schemars::schema_for;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::{Component, Path};

/// Most bytes of either file.
const MOST_BYTES: u64 = 1 << 29;

/// The JSON schema of `network.json`.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schema_for!(Network)).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads and checks a network, and the binary file beside it if it names one.
///
/// # Errors
/// The first fault, with the file.
pub fn load(path: &Path) -> Result<Network, FileError> {
    let text = bytes_of(path)?;
    let mut network: Network = serde_json::from_slice(&text).map_err(|error| {
        let message = error.to_string();
        let problem = message.split(" at line ").next().unwrap_or_default().to_owned();
        let (line, column) = (error.line(), error.column());
        FileError::Syntax { path: path.to_owned(), line, column, problem }
    })?;
    if let Some(binary) = network.binary.clone() {
        let bytes = binary_of(path, &binary)?;
        fetch(&mut network, &bytes, path)?;
        network.binary = None;
    }
    let problem = |problem| FileError::Network { path: path.to_owned(), problem };
    network.validate().map_err(problem)?;
    Ok(network)
}

/// Reads and checks a network from JSON that has all its numbers in itself.
///
/// # Errors
/// The first fault.
pub fn read(text: &str) -> Result<Network, String> {
    let network: Network = serde_json::from_str(text).map_err(|error| error.to_string())?;
    network.validate().map_err(|problem: NetworkError| problem.to_string())?;
    Ok(network)
}

/// Writes one file that holds everything, under a temporary name first.
///
/// # Errors
/// When it cannot be written.
pub fn save(network: &Network, path: &Path) -> Result<(), FileError> {
    write(path, &text(network, path)?)
}

/// Writes the weights to `network.bin` (the same name with that ending), the rest to `path`.
///
/// # Errors
/// When one cannot be written.
pub fn save_with_binary(network: &Network, path: &Path) -> Result<(), FileError> {
    let mut network = network.clone();
    let mut bytes = Vec::new();
    for layer in &mut network.layers {
        if let Some(linear) = layer.operator.linear_mut() {
            linear.weights.store(&mut bytes);
            linear.bias.store(&mut bytes);
            linear.multipliers.mantissas.store(&mut bytes);
            linear.multipliers.shifts.store(&mut bytes);
        }
    }
    let binary = path.with_extension("bin");
    let file = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
    network.binary = Some(Binary { file, sha256: sha256(&bytes) });
    let text = text(&network, path)?;
    // the binary file first: a network that is there is complete
    write(&binary, &bytes)?;
    write(path, &text)
}

fn text(network: &Network, path: &Path) -> Result<Vec<u8>, FileError> {
    pretty(network).map_err(|error| io("write", path)(error.into()))
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    let path = path.to_owned();
    move |error| FileError::Io { action, path, error }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, FileError> {
    let file = std::fs::File::open(path).map_err(io("read", path))?;
    let mut bytes = Vec::new();
    // one byte more than allowed tells that there are too many, of a pipe as well
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(io("read", path))?;
    if bytes.len() as u64 > MOST_BYTES {
        let bytes = bytes.len() as u64;
        return Err(FileError::TooLarge { path: path.to_owned(), bytes, most: MOST_BYTES });
    }
    Ok(bytes)
}

fn binary_of(path: &Path, binary: &Binary) -> Result<Vec<u8>, FileError> {
    let mut parts = Path::new(&binary.file).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(FileError::Elsewhere { path: path.to_owned(), file: binary.file.clone() });
    }
    let file = path.with_file_name(&binary.file);
    let bytes = bytes_of(&file)?;
    let found = sha256(&bytes);
    if !found.eq_ignore_ascii_case(&binary.sha256) {
        let (path, expected) = (path.to_owned(), binary.sha256.clone());
        return Err(FileError::WrongDigest { path, binary: file, expected, found });
    }
    Ok(bytes)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fetch(network: &mut Network, bytes: &[u8], path: &Path) -> Result<(), FileError> {
    for layer in &mut network.layers {
        let name = layer.name.clone();
        let Some(linear) = layer.operator.linear_mut() else { continue };
        let outside = |offset| {
            let (path, layer) = (path.to_owned(), name.clone());
            FileError::Outside { path, layer, offset }
        };
        fetch_list(&mut linear.weights, bytes).map_err(outside)?;
        fetch_list(&mut linear.bias, bytes).map_err(outside)?;
        fetch_list(&mut linear.multipliers.mantissas, bytes).map_err(outside)?;
        fetch_list(&mut linear.multipliers.shifts, bytes).map_err(outside)?;
    }
    Ok(())
}

/// The offset that is outside, if one is.
fn fetch_list<T: Number>(list: &mut Numbers<T>, bytes: &[u8]) -> Result<(), u64> {
    let offset = list.stored().map_or(0, |stored| stored.offset);
    list.fetch(bytes).ok_or(offset)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let staged = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".hwgen-");
        #[cfg(unix)]
        {
            // readable for others as any new file; the umask still applies
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)
    };
    staged().map(|_| ()).map_err(io("write", path))
}
