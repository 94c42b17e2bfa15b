//! TensorFlow Lite models, quantized to int8.
//!
//! - `schema`: accessors that flatc made from `schema.fbs`; every table and offset is verified
//!   before one is read.
//! - `model`: tensors with their constants; `node`: a node's operands.
//! - `convert`: which operator becomes what; `linear`, `pooling`, `elementwise`, `shaping`: how.
//! - `folding`: integers computed of shapes; `states`: variables of streaming models.
//! - `activation`: fused activations as bounds.

mod activation;
mod convert;
mod elementwise;
mod folding;
mod linear;
mod model;
mod node;
mod pooling;
#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    unused,
    clippy::all,
    unsafe_op_in_unsafe_fn,
    mismatched_lifetime_syntaxes
)]
#[rustfmt::skip]
#[doc(hidden)]
#[path = "schema.rs"]
pub mod schema_text;
mod shaping;
mod states;
mod table;

/// Accessors and builders of the model format.
#[doc(hidden)]
pub use schema_text::tflite as schema;

use super::{ImportError, Unsupported};
use crate::graph::Network;
use flatbuffers::{InvalidFlatbuffer, VerifierOptions};
use model::Model;

/// Bytes that a file of any length may make of lists that many of its tables share.
const MOST_SHARED: usize = 1 << 26;

/// Whether a file says that it is a model.
pub fn recognizes(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"TFL3")
}

/// Makes a network of a model.
///
/// # Errors
/// The file's fault, or every node that is not supported.
pub fn import(name: &str, bytes: &[u8]) -> Result<Network, ImportError> {
    // lists may be shared; what is read of all of them is bounded by the file
    let max_apparent_size = MOST_SHARED + 4 * bytes.len();
    let options = VerifierOptions { max_apparent_size, ..VerifierOptions::default() };
    let root = schema::root_as_model_with_opts(&options, bytes).map_err(|error| match error {
        InvalidFlatbuffer::ApparentSizeTooLarge => {
            let what = format!("lists that are shared to make more than {max_apparent_size} bytes");
            ImportError::Beyond(what)
        }
        error => {
            // the trace repeats the path from the root in many lines
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            ImportError::Damaged(line.trim_end_matches('.').to_owned())
        }
    })?;
    let model = Model::new(root)?;
    let (network, nodes) = convert::convert(name, &model)?;
    if !nodes.is_empty() {
        return Err(ImportError::Unsupported(Unsupported { total: model.operators.len(), nodes }));
    }
    network.validate()?;
    Ok(network)
}
