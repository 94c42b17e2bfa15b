//! `network.json`, and the binary file that may lie beside it.

use super::text::{pretty, printable};
use super::{Binary, FileError, Linear, Network, NetworkError, Number, Numbers};
use schemars::schema_for;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Component, Path};

/// Most bytes of the text: lists of its shortest elements become some ten times as much.
const MOST_TEXT: u64 = 1 << 25;
/// Most bytes of the binary file: all weights, biases and multipliers that are allowed.
const MOST_BINARY: u64 = 1 << 27;

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
    let text = hwgen_files::read(path, MOST_TEXT)?;
    let mut network: Network = serde_json::from_slice(&text).map_err(|error| {
        if is_candidate(&text) {
            return FileError::Candidate { path: path.to_owned() };
        }
        let message = error.to_string();
        let problem = printable(message.split(" at line ").next().unwrap_or_default());
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

/// Whether a file is meant to be a candidate, which has no weights.
pub fn is_candidate(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "candidate")]
        _version: u32,
    }
    serde_json::from_slice::<Head>(text).is_ok()
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

/// Writes one file that holds everything; `-` is standard output.
///
/// # Errors
/// When it cannot be written, or would be too long to be read.
pub fn save(network: &Network, path: &Path) -> Result<(), FileError> {
    Ok(hwgen_files::write(path, &text(network, path)?)?)
}

/// Writes the weights to `network.bin` (the same name with that ending), the rest to `path`.
///
/// # Errors
/// When one cannot be written; then neither is.
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
    Ok(hwgen_files::write_all(&[(&binary, &bytes), (path, &text)])?)
}

fn text(network: &Network, path: &Path) -> Result<Vec<u8>, FileError> {
    let io = |error: serde_json::Error| hwgen_files::FileError::io("write", path)(error.into());
    let text = pretty(network).map_err(io)?;
    let (bytes, most) = (text.len(), MOST_TEXT);
    match bytes as u64 > most {
        true => Err(FileError::LongText { path: path.to_owned(), bytes, most }),
        false => Ok(text),
    }
}

fn binary_of(path: &Path, binary: &Binary) -> Result<Vec<u8>, FileError> {
    let mut parts = Path::new(&binary.file).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(FileError::Elsewhere { path: path.to_owned(), file: binary.file.clone() });
    }
    let file = path.with_file_name(&binary.file);
    let bytes = hwgen_files::read(&file, MOST_BINARY)?;
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
    let lists = network.layers.iter().filter_map(|layer| layer.operator.linear());
    let length = |linear: &Linear| {
        let multipliers = &linear.multipliers;
        [
            linear.weights.stored_bytes(),
            linear.bias.stored_bytes(),
            multipliers.mantissas.stored_bytes(),
            multipliers.shifts.stored_bytes(),
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    };
    let all = lists.map(length).fold(0, u64::saturating_add);
    if all > bytes.len() as u64 {
        let (path, has) = (path.to_owned(), bytes.len());
        return Err(FileError::Overlap { path, bytes: all, has });
    }
    for layer in &mut network.layers {
        let name = layer.name.clone();
        let Some(linear) = layer.operator.linear_mut() else { continue };
        let outside = |offset| {
            let (path, layer) = (path.to_owned(), name.escape_debug().to_string());
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
