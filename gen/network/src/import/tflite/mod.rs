//! TensorFlow Lite models, quantised to int8.
//!
//! - `schema`: accessors that flatc made from `schema.fbs`; every table and offset is verified
//!   before one is read.
//! - `model`: tensors with their constants; `node`: a node's operands.
//! - `convert`: which operator becomes what; `linear`, `pooling`, `elementwise`, `shaping`: how.
//! - `activation`: fused activations as bounds.

mod activation;
mod convert;
mod elementwise;
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

/// Accessors and builders of the model format.
#[doc(hidden)]
pub use schema_text::tflite as schema;

use super::{ImportError, Unsupported};
use crate::graph::Network;
use model::Model;

/// Whether a file says that it is a model.
pub fn recognises(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"TFL3")
}

/// Makes a network of a model.
///
/// # Errors
/// The file's fault, or every node that is not supported.
pub fn import(name: &str, bytes: &[u8]) -> Result<Network, ImportError> {
    let damaged = |error: flatbuffers::InvalidFlatbuffer| {
        // the trace repeats the path from the root in many lines
        let text = error.to_string();
        ImportError::Damaged(
            text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned(),
        )
    };
    let root = schema::root_as_model(bytes).map_err(damaged)?;
    let model = Model::new(root)?;
    let (network, nodes) = convert::convert(name, &model)?;
    if !nodes.is_empty() {
        return Err(ImportError::Unsupported(Unsupported { total: model.nodes, nodes }));
    }
    network.validate()?;
    Ok(network)
}
