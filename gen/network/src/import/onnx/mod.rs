//! ONNX models, quantized: `QuantizeLinear` and `DequantizeLinear` around each layer, or QONNX's
//! `Quant` nodes.
//!
//! - `proto`: the format's messages; `wire`: their bounds; `check`: their faults; `array`: constants.
//! - `value`: what stands for a tensor of the file; `form`: its shape, and the order of its elements.
//! - `convert`: which operator becomes what; `suggest`: what there is none for.
//! - `node`, `operands`: what a node reads.
//! - `linear`, `affine`, `pooling`, `elementwise`, `shaping`, `moving`: the operators; `folding`: shapes
//!   that a file computes.
//! - `quantize`: constants and results become integers; `settle`: a result becomes a layer;
//!   `unscaled`: one that nothing quantizes.
//!
//! `docs/onnx.md` tells what is taken and how it is rounded.

mod affine;
mod array;
mod check;
mod convert;
mod elementwise;
mod folding;
mod form;
mod function;
mod linear;
mod moving;
mod node;
mod operands;
mod pooling;
#[allow(missing_docs, unreachable_pub, unused, clippy::all, rustdoc::all)]
#[rustfmt::skip]
#[doc(hidden)]
pub mod proto;
mod quantize;
mod settle;
mod shaping;
mod suggest;
mod unscaled;
mod value;
mod wire;

use super::{ImportError, Unsupported};
use crate::graph::Network;
use prost::Message;

/// Whether a file's first fields are those of a model.
pub fn recognizes(bytes: &[u8]) -> bool {
    wire::recognizes(bytes)
}

/// Makes a network of a model.
///
/// # Errors
/// The file's fault, or every node that is not supported.
pub fn import(name: &str, bytes: &[u8]) -> Result<Network, ImportError> {
    wire::check(bytes).map_err(ImportError::Damaged)?;
    let model = proto::ModelProto::decode(bytes);
    let model = model.map_err(|error| ImportError::Damaged(error.to_string()))?;
    let (network, total, nodes) = convert::convert(name, &model)?;
    if !nodes.is_empty() {
        return Err(ImportError::Unsupported(Unsupported { total, nodes }));
    }
    network.validate()?;
    Ok(network)
}
