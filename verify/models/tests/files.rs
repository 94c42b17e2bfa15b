//! Models written to files and read again.

use gguf_rs_lib::prelude::{GGUFBuilder, MetadataValue};
use hwgen_models::attention::Float;
use hwgen_models::decoder::{Decoder, DecoderShape};
use hwgen_models::encoder::{Encoder, EncoderShape};
use hwgen_models::tensors::{Random, Tensors};
use hwgen_models::{ModelError, texts, weights};
use safetensors::tensor::{Dtype, TensorView};
use std::{fs, path::Path};

/// Every tensor that was asked for, by name, with its shape.
type Tensor = (String, Vec<usize>, Vec<f32>);

/// Keeps what is read.
struct Copied(Random, Vec<Tensor>);

impl Tensors for Copied {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let values = self.0.values(name, shape)?;
        self.1.push((name.into(), shape.to_vec(), values.clone()));
        Ok(values)
    }
}

const DECODER: DecoderShape = DecoderShape {
    vocabulary: 9,
    positions: 8,
    width: 8,
    inner: 6,
    layers: 2,
    heads: 2,
    groups: 1,
    rotary_base: 100.0,
    epsilon: 1e-5,
};

fn write_gguf(path: &Path, tensors: &[Tensor], positions: u32, architecture: &str) {
    let count = |value: usize| MetadataValue::U32(value as u32);
    let mut builder = GGUFBuilder::new();
    for (key, value) in [
        ("general.architecture", MetadataValue::String(architecture.into())),
        ("llama.vocab_size", count(DECODER.vocabulary)),
        ("llama.context_length", MetadataValue::U32(positions)),
        ("llama.embedding_length", count(DECODER.width)),
        ("llama.feed_forward_length", count(DECODER.inner)),
        ("llama.block_count", count(DECODER.layers)),
        ("llama.attention.head_count", count(DECODER.heads)),
        ("llama.attention.head_count_kv", count(DECODER.groups)),
        ("llama.rope.dimension_count", count(4)),
        ("llama.rope.freq_base", MetadataValue::F32(DECODER.rotary_base)),
        ("llama.attention.layer_norm_rms_epsilon", MetadataValue::F32(DECODER.epsilon)),
    ] {
        builder = builder.add_metadata(key, value);
    }
    for (name, shape, values) in tensors {
        let innermost_first = shape.iter().rev().map(|&size| size as u64).collect();
        builder = builder.add_f32_tensor(name.clone(), innermost_first, values.clone()).unwrap();
    }
    fs::write(path, builder.build_to_bytes().unwrap().0).unwrap();
}

#[test]
fn a_decoder_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    let mut store = Copied(Random::new(3, 1.0), vec![]);
    let written = Decoder::load(DECODER, &mut store).unwrap();
    write_gguf(&path, &store.1, 8, "llama");
    let run = |decoder: &Decoder| decoder.surprise(&[1, 8, 3, 0], &mut Float::default()).unwrap();
    assert_eq!(run(&weights::decoder(&path).unwrap()), run(&written));

    let error = || {
        let error = weights::decoder(&path).unwrap_err().to_string();
        error.rsplit("tiny.gguf: ").next().unwrap_or_default().to_owned()
    };
    write_gguf(&path, &store.1, 8, "gpt2");
    assert_eq!(error(), "architecture Some(\"gpt2\"): only `llama` is supported");
    write_gguf(&path, &store.1, 1 << 20, "llama");
    assert_eq!(error(), "positions = 1048576: must be 1..=65536");
    write_gguf(&path, &store.1[1..], 8, "llama");
    let expected = "expected F32, Q4_1 or Q8_0 [9, 8]";
    assert_eq!(error(), format!("tensor `token_embd.weight`: missing: {expected}"));
    let mut other = store.1.clone();
    other[0].1 = vec![8, 9];
    write_gguf(&path, &other, 8, "llama");
    let got = "F32 [9, 8], innermost first";
    assert_eq!(error(), format!("tensor `token_embd.weight`: {got}: {expected}"));
    // cut anywhere it is refused
    write_gguf(&path, &store.1, 8, "llama");
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(37) {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(weights::decoder(&path).is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn an_encoder_survives_its_files() {
    let shape = EncoderShape {
        vocabulary: 9,
        positions: 8,
        width: 8,
        inner: 6,
        layers: 2,
        heads: 2,
        epsilon: 1e-12,
    };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Copied(Random::new(4, 1.0), vec![]);
    let written = Encoder::load(shape, &mut store).unwrap();
    let config = r#"{"vocab_size": 9, "max_position_embeddings": 8, "hidden_size": 8, "hidden_act":
        "gelu", "intermediate_size": 6, "num_hidden_layers": 2, "num_attention_heads": 2,
        "layer_norm_eps": 1e-12}"#;
    fs::write(folder.path().join("tiny.json"), config).unwrap();
    let path = folder.path().join("tiny.safetensors");
    let write = |tensors: &[Tensor]| {
        let bytes = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let data: Vec<Vec<u8>> = tensors.iter().map(|(_, _, values)| bytes(values)).collect();
        let views = tensors.iter().zip(&data).map(|((name, shape, _), data)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap())
        });
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    };
    write(&store.1);
    let run = |encoder: &Encoder| encoder.embedding(&[1, 8, 3], &mut Float::default()).unwrap();
    assert_eq!(run(&weights::encoder(folder.path(), "tiny").unwrap()), run(&written));

    let error = || weights::encoder(folder.path(), "tiny").unwrap_err().to_string();
    write(&store.1[1..]);
    let name = "embeddings.word_embeddings.weight";
    assert!(error().starts_with(&format!("tensor `{name}`: ")), "{}", error());
    let mut other = store.1.clone();
    other[0].1 = vec![8, 9];
    write(&other);
    assert_eq!(error(), format!("tensor `{name}`: F32 [8, 9]: expected F32 [9, 8]"));
    write(&store.1);
    let bytes = fs::read(&path).unwrap();
    for length in (0..bytes.len()).step_by(37) {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(weights::encoder(folder.path(), "tiny").is_err());
    }
    fs::write(folder.path().join("tiny.json"), "{}").unwrap();
    assert!(error().contains("tiny.json: missing field `vocab_size`"), "{}", error());
}

#[test]
fn texts_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    let kind = r#"[{"name": "a", "texts": [[1, 2], [3]]}]"#;
    fs::write(&path, format!(r#"{{"minilm": {kind}, "smollm2": []}}"#)).unwrap();
    let tokens = texts::tokens(folder.path()).unwrap();
    assert_eq!((&*tokens.minilm[0].name, &tokens.minilm[0].texts[1][..]), ("a", &[3][..]));
    fs::write(&path, r#"{"minilm": [], "smollm2": 1}"#).unwrap();
    assert!(texts::tokens(folder.path()).unwrap_err().to_string().contains("tokens.json: "));
    fs::remove_file(path).unwrap();
    assert!(texts::tokens(folder.path()).is_err());
}
