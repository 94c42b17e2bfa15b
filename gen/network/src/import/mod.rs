//! Networks from other tools' files.
//!
//! - [`tflite`]: TensorFlow Lite, int8.
//! - [`onnx`]: ONNX with quantization nodes, QONNX.
//!
//! An importer collects every node that it cannot take in one [`Unsupported`] report, rather than
//! stopping at the first.

pub mod onnx;
mod report;
pub mod tflite;

pub use report::{Unsupported, UnsupportedNode};

use crate::graph::{Network, NetworkError};
use thiserror::Error;

/// Most bytes of a model.
pub const MOST_BYTES: usize = 1 << 28;

/// Why a file does not become a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImportError {
    /// The file is too long.
    #[error("the file has {0} bytes: must be at most {MOST_BYTES}")]
    TooLarge(usize),
    /// The file's first bytes are none that we know.
    #[error(
        "the file is no TensorFlow Lite model (bytes 4 to 7 must be \"TFL3\") and no ONNX model (a protobuf message with a graph)"
    )]
    UnknownFormat,
    /// The file is damaged.
    #[error("the file is damaged: {}", report::printable(.0))]
    Damaged(String),
    /// The file is beyond what is taken.
    #[error("the file has {0}")]
    Beyond(String),
    /// Nodes that cannot be taken.
    #[error("{0}")]
    Unsupported(Unsupported),
    /// The network that comes out is faulty.
    #[error("the network is faulty: {0}")]
    Network(#[from] NetworkError),
}

/// Reads a model of any known format; `name` is what the network will be called.
///
/// # Errors
/// The file's fault, or every node that is not supported.
pub fn import(name: &str, bytes: &[u8]) -> Result<Network, ImportError> {
    if bytes.len() > MOST_BYTES {
        return Err(ImportError::TooLarge(bytes.len()));
    }
    if tflite::recognizes(bytes) {
        return tflite::import(name, bytes);
    }
    if onnx::recognizes(bytes) {
        return onnx::import(name, bytes);
    }
    Err(ImportError::UnknownFormat)
}
