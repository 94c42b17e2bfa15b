//! ONNX models with random weights, made of the format's messages.

#![allow(dead_code, unused_imports, missing_docs, unreachable_pub)] // each test needs some of it

pub mod graphs;
mod maker;
pub mod reference;

pub use maker::{Maker, Style, integers, list, text};

use hwgen_network::import::onnx::proto::ModelProto;

const QDQ: Style = Style::Qdq { unsigned: false, per_channel: true };
const UNSIGNED: Style = Style::Qdq { unsigned: true, per_channel: false };

fn qonnx(weights: u32, activations: u32) -> Style {
    Style::Qonnx { weights, activations }
}

/// Every model with its name.
pub fn all() -> Vec<(String, ModelProto)> {
    let mut models = vec![];
    for (name, style) in [
        ("qdq_int8", QDQ),
        ("qdq_uint8", UNSIGNED),
        ("qonnx_w8a8", qonnx(8, 8)),
        ("qonnx_w4a4", qonnx(4, 4)),
        ("qonnx_w2a3", qonnx(2, 3)),
        ("qonnx_w5a7", qonnx(5, 7)),
    ] {
        models.push((format!("{name}_small"), small(style, 1)));
        models.push((format!("{name}_residual"), residual(style, 2)));
        models.push((format!("{name}_operators"), operators(style, 3)));
        models.push((format!("{name}_rows"), rows(style, 4)));
        models.push((format!("{name}_lines"), lines(style, 8)));
        models.push((format!("{name}_behind"), behind(style, 9)));
        models.push((format!("{name}_unquantized"), unquantized(style, 10)));
    }
    models.push(("qdq_int8_channels_last".into(), channels_last(QDQ, 5)));
    for (name, style) in powers_of_two() {
        models.push((format!("{name}_small"), small(style, 1)));
        models.push((format!("{name}_residual"), residual(style, 2)));
        models.push((format!("{name}_operators"), operators(style, 3)));
        models.push((format!("{name}_rows"), rows(style, 4)));
        models.push((format!("{name}_chain"), chain(style, 6)));
        models.push((format!("{name}_lines"), lines(style, 8)));
        models.push((format!("{name}_behind"), behind(style, 9)));
        models.push((format!("{name}_unquantized"), unquantized(style, 10)));
    }
    models
}

/// Layers whose results stay real numbers: a convolution and the same normalized, dense layers with and
/// without biases, of what is quantized and of the input.
pub fn unquantized(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let input = m.input(&[1, 3, 6, 5]);
    let x = m.conv(&input, 6, [3, 3], 1, true, &[]);
    let x = m.relu(&x);
    let x = m.quantize(&x);
    let x = m.conv(&x, 5, [2, 2], 1, false, &[]);
    let x = m.quantize(&x);
    let image = m.conv(&x, 4, [2, 2], 1, true, &[]);
    let normal = m.normalize(&image);
    let vector = m.flatten(&x);
    let dense = m.gemm(&vector, 7);
    let plain = m.mat_mul(&vector, 3, false);
    let pool = m.conv(&x, 2, [3, 2], 1, false, &[]);
    let pool = m.flatten(&pool);
    let first = m.flatten(&input);
    let first = m.gemm(&first, 2);
    m.finish_all(&[&image, &normal, &dense, &plain, &pool, &first])
}

/// Styles all of whose scales are powers of two.
pub fn powers_of_two() -> [(&'static str, Style); 4] {
    [
        ("qdq_powers", Style::QdqPowers),
        ("qonnx_powers_w8a8", Style::QonnxPowers { weights: 8, activations: 8 }),
        ("qonnx_powers_w4a4", Style::QonnxPowers { weights: 4, activations: 4 }),
        ("qonnx_powers_w2a3", Style::QonnxPowers { weights: 2, activations: 3 }),
    ]
}

/// Six convolutions, a step of one of which goes on through all that follow; a dense layer.
pub fn chain(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let mut x = m.input(&[1, 3, 8, 8]);
    for layer in 0..6 {
        x = m.conv(&x, 6, [3, 3], 1, layer % 2 == 0, &[list("pads", &[1, 1, 1, 1])]);
        x = m.relu(&x);
        x = m.quantize(&x);
    }
    let x = m.flatten(&x);
    let x = m.gemm(&x, 5);
    let x = m.quantize(&x);
    m.finish(&x)
}

/// A convolution, a depthwise one and a dense layer; the attributes that have defaults are absent.
pub fn small(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let x = m.input(&[1, 2, 6, 5]);
    let x = m.conv(&x, 4, [3, 2], 1, true, &[]);
    let x = m.relu(&x);
    let x = m.quantize(&x);
    let x = m.conv(&x, 4, [2, 2], 4, false, &[list("pads", &[1, 0, 0, 1])]);
    let x = m.quantize(&x);
    let x = m.flatten(&x);
    let x = m.gemm(&x, 3);
    let x = m.quantize(&x);
    m.finish(&x)
}

/// Strides, groups, dilations, automatic padding; a residual sum; normalization folded.
pub fn residual(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let x = m.input(&[1, 4, 9, 8]);
    let same = |name: &str| text("auto_pad", name);
    let a = m.conv(&x, 8, [3, 3], 2, true, &[same("SAME_UPPER"), list("strides", &[2, 2])]);
    let a = m.normalize(&a);
    let a = m.relu(&a);
    let a = m.quantize(&a);
    let b = m.conv(&x, 8, [2, 2], 1, false, &[same("SAME_LOWER"), list("strides", &[2, 2])]);
    let b = m.clip(&b, -0.5, 1.0);
    let b = m.quantize(&b);
    let x = m.add(&a, &b);
    let x = m.relu(&x);
    let x = m.quantize(&x);
    let dilated = [list("dilations", &[2, 1]), list("pads", &[2, 1, 2, 1])];
    let y = m.conv(&x, 8, [3, 3], 8, true, &dilated);
    let y = m.scale(&y);
    let y = m.quantize(&y);
    let x = m.add(&x, &y);
    let x = m.quantize(&x);
    let x = m.node("GlobalAveragePool", &[&x], &[]);
    let x = m.quantize(&x);
    let x = m.reshape(&x, &[1, -1]);
    let x = m.gemm(&x, 5);
    let x = m.quantize(&x);
    let x = m.node("Softmax", &[&x], &[]);
    let x = m.quantize_to(&x, 1.0 / 256.0, true);
    m.finish(&x)
}

/// Pools, rims, joins, activations of their own.
pub fn operators(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let input = m.input(&[1, 3, 12, 9]);
    let x = m.pad(&input, [1, 0, 2, 1]);
    let x = m.conv(&x, 6, [3, 3], 3, true, &[]);
    let x = m.quantize(&x);
    let p = m.node("MaxPool", &[&x], &[list("kernel_shape", &[2, 2]), list("pads", &[1, 0, 0, 1])]);
    let q = m.node("AveragePool", &[&x], &[list("kernel_shape", &[2, 2])]);
    let q = m.quantize(&q);
    let count = integers("count_include_pad", 1);
    let shape = [list("kernel_shape", &[3, 2]), list("pads", &[1, 1, 1, 0]), count];
    let r = m.node("AveragePool", &[&x], &shape);
    let r = m.quantize(&r);
    let s = m.conv(&p, 6, [2, 2], 1, false, &[]);
    let s = m.quantize(&s);
    let q = m.conv(&q, 6, [1, 1], 1, false, &[]);
    let q = m.quantize(&q);
    let x = m.node("Concat", &[&q, &s], &[integers("axis", 1)]);
    let x = m.quantize(&x);
    let x = m.relu(&x);
    let x = m.quantize(&x);
    let m1 = m.node("ReduceMean", &[&x], &[list("axes", &[2, 3]), integers("keepdims", 0)]);
    let m1 = m.quantize(&m1);
    let m2 = m.node("ReduceMean", &[&r], &[list("axes", &[2, 3])]);
    let m2 = m.quantize(&m2);
    let m2 = m.flatten(&m2);
    let x = m.node("Concat", &[&m1, &m2], &[integers("axis", 1)]);
    let x = m.quantize(&x);
    let x = m.mat_mul(&x, 7, true);
    let x = m.quantize(&x);
    m.finish(&x)
}

/// A sequence of vectors: dense layers of each row, a product of two activations.
pub fn rows(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let x = m.input(&[1, 6, 10]);
    let a = m.mat_mul(&x, 4, false);
    let a = m.quantize(&a);
    let b = m.mat_mul(&x, 8, true);
    let b = m.relu(&b);
    let b = m.quantize(&b);
    let b = m.reshape(&b, &[1, 4, 12]);
    let c = m.node("MatMul", &[&a, &b], &[]);
    let c = m.quantize(&c);
    let c = m.node("Softmax", &[&c], &[integers("axis", 2)]);
    let c = m.quantize_to(&c, 1.0 / 256.0, true);
    m.finish(&c)
}

/// An input whose channels come last, as TensorFlow's converter writes it.
pub fn channels_last(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let x = m.input(&[1, 7, 6, 3]);
    let x = m.node("Transpose", &[&x], &[list("perm", &[0, 3, 1, 2])]);
    let x = m.conv(&x, 5, [3, 3], 1, true, &[]);
    let x = m.quantize(&x);
    let x = m.node("Transpose", &[&x], &[list("perm", &[0, 2, 3, 1])]);
    let x = m.reshape(&x, &[1, 100]);
    let x = m.gemm(&x, 4);
    let x = m.quantize(&x);
    m.finish(&x)
}

/// Convolutions and pools along one axis, one of them by way of an image of height 1; two readers of
/// a result, two outputs.
pub fn lines(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let x = m.input(&[1, 3, 16]);
    let a = m.conv(&x, 8, [3], 1, true, &[list("pads", &[1, 1])]);
    let a = m.relu(&a);
    let a = m.quantize(&a);
    let b = m.conv(&a, 8, [3], 8, false, &[list("dilations", &[2]), list("pads", &[2, 2])]);
    let b = m.quantize(&b);
    let c = m.add(&a, &b);
    let c = m.quantize(&c);
    let d = m.unsqueeze(&c, 2);
    let d = m.conv(&d, 6, [1, 2], 1, true, &[list("strides", &[1, 2])]);
    let d = m.quantize(&d);
    let d = m.squeeze(&d, 2);
    let pool = [list("kernel_shape", &[2]), list("strides", &[2])];
    let e = m.node("MaxPool", &[&c], &pool);
    let e = m.conv(&e, 6, [1], 1, false, &[]);
    let e = m.quantize(&e);
    let f = m.node("Concat", &[&d, &e], &[integers("axis", 1)]);
    let f = m.quantize(&f);
    let g = m.node("AveragePool", &[&f], &pool);
    let g = m.quantize(&g);
    let h = m.node("GlobalAveragePool", &[&g], &[]);
    let h = m.quantize(&h);
    let h = m.flatten_open(&h);
    let h = m.gemm(&h, 5);
    let h = m.quantize(&h);
    m.finish_all(&[&h, &f])
}

/// Offsets, factors and normalizations behind what is quantized already, as quantizing without
/// folding them first writes them.
pub fn behind(style: Style, seed: u64) -> ModelProto {
    let mut m = Maker::new(style, seed);
    let x = m.input(&[1, 3, 6, 5]);
    let a = m.conv(&x, 6, [3, 3], 1, false, &[]);
    let a = m.quantize(&a);
    let a = m.normalize(&a);
    let a = m.quantize(&a);
    let a = m.relu(&a);
    let a = m.scale(&a);
    let a = m.quantize(&a);
    let b = m.flatten_open(&a);
    let b = m.mat_mul(&b, 9, false);
    let b = m.quantize(&b);
    let b = m.offset(&b);
    let b = m.relu(&b);
    let b = m.quantize(&b);
    let b = m.mat_mul(&b, 4, false);
    let b = m.quantize(&b);
    let b = m.offset(&b);
    let b = m.quantize(&b);
    m.finish(&b)
}
