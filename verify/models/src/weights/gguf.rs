//! A decoder from a `.gguf` file; its quantized blocks become floating point when they are read.

use super::MAX_FILE;
use crate::ModelError;
use crate::decoder::{Decoder, DecoderShape};
use crate::tensors::Tensors;
use gguf_rs_lib::format::{Metadata, types::GGUFTensorType};
use gguf_rs_lib::reader::file_reader::{GGUFFileReader, GGUFReaderConfig};
use npyz::half::f16;
use std::{io::Cursor, path::Path};

/// Weights in a quantized block.
const BLOCK: usize = 32;

/// Reads a decoder of architecture `llama` whose tokens serve at the way out too.
///
/// # Errors
/// A file that cannot be read or does not hold such a model.
pub fn decoder(path: &Path) -> Result<Decoder, ModelError> {
    let format = |why: String| ModelError::Format { path: path.to_owned(), why };
    let file = Cursor::new(hwgen_files::read(path, MAX_FILE)?);
    let config = GGUFReaderConfig { max_file_size: MAX_FILE, ..GGUFReaderConfig::default() };
    let reader =
        GGUFFileReader::with_config(file, config).map_err(|error| format(error.to_string()))?;
    let shape = shape(reader.metadata()).map_err(format)?;
    if reader.get_tensor_info("output.weight").is_some() {
        return Err(format("has tokens of its own at the way out, which is not supported".into()));
    }
    Decoder::load(shape, &mut File(reader))
}

fn shape(metadata: &Metadata) -> Result<DecoderShape, String> {
    let architecture = metadata.get_string("general.architecture");
    if architecture != Some("llama") {
        return Err(format!("architecture {architecture:?}: only `llama` is supported"));
    }
    let missing = |key: &str| format!("`{key}` is missing or no number");
    let count = |key: &str| {
        let value = metadata.get_u64(key).and_then(|value| usize::try_from(value).ok());
        value.ok_or_else(|| missing(key))
    };
    let real = |key: &str| metadata.get_f64(key).ok_or_else(|| missing(key));
    let shape = DecoderShape {
        vocabulary: count("llama.vocab_size")?,
        positions: count("llama.context_length")?,
        width: count("llama.embedding_length")?,
        inner: count("llama.feed_forward_length")?,
        layers: count("llama.block_count")?,
        heads: count("llama.attention.head_count")?,
        groups: count("llama.attention.head_count_kv")?,
        rotary_base: real("llama.rope.freq_base")? as f32,
        epsilon: real("llama.attention.layer_norm_rms_epsilon")? as f32,
    };
    let turned = count("llama.rope.dimension_count")?;
    if turned.checked_mul(shape.heads) != Some(shape.width) {
        return Err(format!("turns {turned} elements of a head: only all are supported"));
    }
    Ok(shape)
}

struct File(GGUFFileReader<Cursor<Vec<u8>>>);

impl Tensors for File {
    /// `shape` is outermost first; a GGUF file has it innermost first.
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let tensor = |got: String| ModelError::Tensor {
            name: name.to_owned(),
            got,
            expected: format!("F32, Q4_1 or Q8_0 {shape:?}"),
        };
        let Some(info) = self.0.get_tensor_info(name) else {
            return Err(tensor("missing".into()));
        };
        let (kind, found) = (info.tensor_type(), info.shape().dims().to_vec());
        if !found.iter().rev().copied().eq(shape.iter().map(|&size| size as u64)) {
            return Err(tensor(format!("{kind} {found:?}, innermost first")));
        }
        let data = self.0.load_tensor_data(name).map_err(|error| tensor(error.to_string()))?;
        let data = data.ok_or_else(|| tensor("without data".into()))?;
        let bytes = data.try_as_slice().map_err(|error| tensor(error.to_string()))?;
        let values: Vec<f32> = match kind {
            GGUFTensorType::F32 => {
                bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
            }
            GGUFTensorType::Q4_1 => bytes.as_chunks().0.iter().flat_map(q4_1).collect(),
            GGUFTensorType::Q8_0 => bytes.as_chunks().0.iter().flat_map(q8_0).collect(),
            other => return Err(tensor(format!("{other}"))),
        };
        if values.len() != shape.iter().product::<usize>() {
            return Err(tensor(format!("{} values", values.len())));
        }
        Ok(values)
    }
}

/// Step and least value (f16), then 32 steps of four bits: the low halves of all bytes come first.
fn q4_1(block: &[u8; 20]) -> [f32; BLOCK] {
    let (step, least) = (half([block[0], block[1]]), half([block[2], block[3]]));
    std::array::from_fn(|i| {
        let byte = block[4 + i % 16];
        f32::from(if i < 16 { byte & 15 } else { byte >> 4 }) * step + least
    })
}

/// Step (f16), then 32 signed steps of eight bits.
fn q8_0(block: &[u8; 34]) -> [f32; BLOCK] {
    let step = half([block[0], block[1]]);
    std::array::from_fn(|i| f32::from(block[2 + i] as i8) * step)
}

fn half(bytes: [u8; 2]) -> f32 {
    f16::from_le_bytes(bytes).to_f32()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_by_hand() {
        // 0x3800 is 0.5, 0xc000 is -2
        let mut block = [0; 20];
        block[..4].copy_from_slice(&[0x00, 0x38, 0x00, 0xc0]);
        block[4] = 0xf1;
        let values = q4_1(&block);
        assert_eq!((values[0], values[1], values[16], values[31]), (-1.5, -2.0, 5.5, -2.0));
        let mut block = [0; 34];
        block[1] = 0x38;
        (block[2], block[33]) = (0x80, 3);
        let values = q8_0(&block);
        assert_eq!((values[0], values[1], values[31]), (-64.0, 0.0, 1.5));
    }
}
