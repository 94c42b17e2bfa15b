//! An encoder from a `.safetensors` file and its `config.json`.

use super::MAX_FILE;
use crate::ModelError;
use crate::encoder::{Encoder, EncoderShape};
use crate::tensors::Tensors;
use safetensors::{Dtype, SafeTensors};
use std::path::Path;

/// Reads the encoder whose weights are `NAME.safetensors` and whose dimensions `NAME.json`.
///
/// # Errors
/// A file that cannot be read or does not hold such a model.
pub fn encoder(folder: &Path, name: &str) -> Result<Encoder, ModelError> {
    let path = folder.join(format!("{name}.json"));
    let format = |why: String| ModelError::Format { path: path.clone(), why };
    let shape: EncoderShape = serde_json::from_slice(&hwgen_files::read(&path, MAX_FILE)?)
        .map_err(|error| format(error.to_string()))?;

    let path = folder.join(format!("{name}.safetensors"));
    let format = |why: String| ModelError::Format { path: path.clone(), why };
    let bytes = hwgen_files::read(&path, MAX_FILE)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| format(error.to_string()))?;
    Encoder::load(shape, &mut File(tensors))
}

struct File<'f>(SafeTensors<'f>);

impl Tensors for File<'_> {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let tensor = |got: String| ModelError::Tensor {
            name: name.to_owned(),
            got,
            expected: format!("F32 {shape:?}"),
        };
        let view = self.0.tensor(name).map_err(|error| tensor(error.to_string()))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(tensor(format!("{:?} {:?}", view.dtype(), view.shape())));
        }
        let (values, _) = view.data().as_chunks();
        Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}
