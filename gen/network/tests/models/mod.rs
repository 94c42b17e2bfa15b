//! TFLite models with random weights, written with the format's own builders.

#![allow(dead_code)] // each test needs some of it

pub(crate) mod graphs;
mod writer;

use hwgen_network::import::tflite::schema::BuiltinOperator;
use writer::{Act, Writer};

/// Every model: its name, its bytes, and how many runs are worth comparing.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>, usize)> {
    vec![
        ("small", small(1), 300),
        ("operators", operators(2), 300),
        ("autoencoder", autoencoder(3), 100),
        ("mobilenet", mobilenet(4), 3),
        ("streaming", streaming(5), 100),
        ("variants", variants(6), 300),
        ("functions", functions(7), 300),
        ("shapes", shapes(8), 300),
        ("wide", wide(9), 100),
        ("bytes", bytes(10), 100),
        ("kept", kept(11), 300),
    ]
}

/// A few layers in a few hundred bytes: what the fuzzing starts from.
pub(crate) fn small(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 6, 5, 2]);
    let x = w.conv(x, 4, [3, 3], [2, 1], [1, 1], true, Act::Relu);
    let x = w.depthwise(x, 1, [3, 3], [1, 1], true, Act::Relu6);
    let x = w.average_pool(x, [3, 5], [1, 1], false);
    let x = w.reshape(x, &[1, 4]);
    let x = w.fully_connected(x, 3, Act::None);
    let x = w.softmax(x);
    w.finish(&[x])
}

/// MobileNetV2 for images of 32 x 32: two million weights.
pub(crate) fn mobilenet_v2(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 32, 32, 3]);
    let mut x = w.conv(x, 32, [3, 3], [1, 1], [1, 1], true, Act::Relu6);
    let (mut given, one) = (32, [1, 1]);
    let stages =
        [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2)];
    for (expansion, channels, blocks, stride) in stages.into_iter().chain([(6, 320, 1, 1)]) {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            let mut y = x;
            if expansion > 1 {
                y = w.conv(y, expansion * given, one, one, one, true, Act::Relu6);
            }
            y = w.depthwise(y, 1, [3, 3], [stride; 2], true, Act::Relu6);
            y = w.conv(y, channels, one, one, one, true, Act::None);
            x = if block == 0 { y } else { w.add(x, y, Act::None) };
            given = channels;
        }
    }
    let x = w.conv(x, 1280, one, one, one, true, Act::Relu6);
    let x = w.mean(x, &[1, 2], false);
    let x = w.fully_connected(x, 10, Act::None);
    w.finish(&[x])
}

/// Six inverted residuals on images of 32 x 32: HQNAS' small search space, each expanded sixfold.
pub(crate) fn mbconv(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let (one, mut given) = ([1, 1], 16);
    let x = w.input(&[1, 32, 32, 3]);
    let mut x = w.conv(x, given, [3, 3], one, one, true, Act::Relu6);
    for (channels, stride) in [(16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (64, 2)] {
        let y = w.conv(x, 6 * given, one, one, one, true, Act::Relu6);
        let y = w.depthwise(y, 1, [3, 3], [stride; 2], true, Act::Relu6);
        let y = w.conv(y, channels, one, one, one, true, Act::None);
        x = if stride == 1 { w.add(x, y, Act::None) } else { y };
        given = channels;
    }
    let x = w.mean(x, &[1, 2], false);
    let x = w.fully_connected(x, 10, Act::None);
    w.finish(&[x])
}

/// Nodes that are supported between nodes that are not.
pub(crate) fn unsupported(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 6, 5, 2]);
    let x = w.conv(x, 4, [3, 3], [1, 1], [1, 1], true, Act::Tanh);
    let x = w.other(BuiltinOperator::ELU, x);
    let x = w.relu(x);
    let x = w.transpose(x, &[0, 2, 1, 3]);
    let x = w.other(BuiltinOperator(255), x);
    let y = w.average_pool(x, [2, 2], [1, 1], false);
    let x = w.other(BuiltinOperator::CUSTOM, y);
    w.finish(&[x])
}

/// Every operator that is supported, in unlike shapes.
pub(crate) fn operators(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let input = w.input(&[1, 13, 9, 6]);
    let a = w.conv(input, 8, [3, 2], [2, 1], [1, 1], true, Act::Relu6);
    let b = w.conv(input, 8, [1, 1], [2, 1], [1, 1], true, Act::None);
    let x = w.add(a, b, Act::Relu);
    let d = w.conv(x, 8, [3, 3], [1, 1], [2, 2], true, Act::NegOneToOne);
    let x = w.add(x, d, Act::None);
    let x = w.concat(&[x, x], 3);
    let x = w.pad(x, &[[0, 0], [1, 2], [0, 3], [0, 0]]);
    let x = w.depthwise(x, 2, [3, 5], [2, 2], false, Act::Relu);
    let p = w.max_pool(x, [2, 2], [1, 1], true);
    let q = w.average_pool(x, [3, 2], [1, 1], true);
    let x = w.add(p, q, Act::None);
    let x = w.relu(x);
    let x = w.quantize(x);
    let x = w.relu6(x);
    let m = w.mean(x, &[1, 2], false);
    let k = w.mean(x, &[1, 2], true);
    let k = w.squeeze(k);
    let m = w.add(m, k, Act::None);
    let m = w.fully_connected(m, 7, Act::Relu);
    let m = w.fully_connected(m, 11, Act::None);
    let scores = w.softmax(m);
    // a graph convolution's products
    let [_, height, width, channels] = w.image(x);
    let nodes = w.reshape(x, &[1, height * width, channels]);
    let theta = w.fully_connected_rows(nodes, 5);
    let phi = w.fully_connected_rows(nodes, 5);
    let affinity = w.mat_mul(theta, phi, true);
    let shares = w.softmax(affinity);
    let mixed = w.mat_mul(shares, nodes, false);
    w.finish(&[scores, mixed])
}

/// An image that goes out as it is, flattened, and through a dense layer.
pub(crate) fn embedding(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 6, 4, 3]);
    let image = w.conv(x, 6, [3, 3], [1, 1], [1, 1], true, Act::Relu);
    let image = w.average_pool(image, [1, 1], [2, 1], false);
    let flat = w.reshape(image, &[1, 72]);
    let rows = w.reshape(image, &[1, 4, 18]);
    let classes = w.fully_connected(flat, 5, Act::None);
    let shares = w.softmax(rows);
    w.finish(&[flat, classes, image, shares])
}

/// Padding that a convolution, a pool and the outside read.
pub(crate) fn padding_shown(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 6, 6, 3]);
    let x = w.conv(x, 3, [1, 1], [1, 1], [1, 1], false, Act::None);
    let padded = w.pad(x, &[[0, 0], [1, 2], [0, 1], [0, 0]]);
    let y = w.conv(padded, 4, [3, 3], [1, 1], [1, 1], false, Act::Relu);
    let z = w.max_pool(padded, [2, 2], [2, 2], false);
    let unseen = w.pad(x, &[[0, 0], [1, 1], [1, 1], [0, 0]]);
    let u = w.depthwise(unseen, 1, [3, 3], [1, 1], false, Act::None);
    let v = w.average_pool(unseen, [2, 3], [1, 1], true);
    w.finish(&[padded, y, z, u, v])
}

/// MLPerf Tiny's anomaly detector: 640 to 8 to 640, dense.
pub(crate) fn autoencoder(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let mut x = w.input(&[1, 640]);
    for units in [128, 128, 128, 128, 8, 128, 128, 128, 128] {
        x = w.fully_connected(x, units, Act::Relu);
    }
    let x = w.fully_connected(x, 640, Act::None);
    w.finish(&[x])
}

/// MLPerf Tiny's person detector: MobileNetV1 at a quarter of the width, on 96 x 96.
pub(crate) fn mobilenet(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 96, 96, 3]);
    let mut x = w.conv(x, 8, [3, 3], [2, 2], [1, 1], true, Act::Relu);
    let blocks = [
        (16, 1),
        (32, 2),
        (32, 1),
        (64, 2),
        (64, 1),
        (128, 2),
        (128, 1),
        (128, 1),
        (128, 1),
        (128, 1),
        (128, 1),
        (256, 2),
        (256, 1),
    ];
    for (channels, stride) in blocks {
        // a ReLU here as well would starve random weights of all variety
        x = w.depthwise(x, 1, [3, 3], [stride, stride], true, Act::None);
        x = w.conv(x, channels, [1, 1], [1, 1], [1, 1], true, Act::Relu);
    }
    let x = w.average_pool(x, [3, 3], [3, 3], false);
    let x = w.reshape(x, &[1, 256]);
    let x = w.fully_connected(x, 2, Act::None);
    let x = w.softmax(x);
    w.finish(&[x])
}

/// Convolutions in time that look back: the past comes as an input of its own.
pub(crate) fn streaming(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let past = w.input(&[1, 1, 8, 40]);
    let now = w.input_like(past, &[1, 1, 3, 40]);
    let x = w.concat(&[past, now], 2);
    let x = w.conv(x, 32, [1, 3], [1, 1], [1, 2], false, Act::Relu);
    let x = w.depthwise(x, 1, [1, 5], [1, 1], false, Act::Relu);
    let x = w.conv(x, 32, [1, 1], [1, 1], [1, 1], false, Act::Relu6);
    let x = w.reshape(x, &[1, 96]);
    let x = w.fully_connected(x, 10, Act::None);
    let x = w.softmax(x);
    w.finish(&[x])
}

/// Bytes at the input, weights of four bits, dense layers with a scale an output.
pub(crate) fn variants(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input_of_bytes(&[1, 7, 6, 3]);
    let x = w.quantize(x);
    let x = w.pad_with(x, &[[0, 0], [1, 0], [0, 2], [0, 0]], -77);
    w.four_bits = true;
    let x = w.conv(x, 5, [3, 3], [1, 1], [1, 1], true, Act::Relu);
    let x = w.depthwise(x, 1, [3, 3], [2, 2], false, Act::None);
    w.four_bits = false;
    w.scale_an_output = true;
    let x = w.fully_connected(x, 24, Act::Relu6);
    let x = w.expand(x, 1);
    let x = w.fully_connected_rows(x, 9);
    w.finish(&[x])
}

/// Functions of one element, which become tables.
pub(crate) fn functions(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 5, 4, 6]);
    let x = w.conv(x, 8, [3, 3], [1, 1], [1, 1], true, Act::None);
    let gate = w.function(BuiltinOperator::LOGISTIC, x, 1.0 / 256.0, -128);
    let y = w.function(BuiltinOperator::TANH, x, 1.0 / 128.0, 0);
    let x = w.add(gate, y, Act::None);
    let x = w.function(BuiltinOperator::RELU_N1_TO_1, x, 0.02, 3);
    let x = w.fully_connected(x, 1, Act::None);
    let x = w.function(BuiltinOperator::LOGISTIC, x, 1.0 / 256.0, -128);
    w.finish(&[x])
}

/// Parts of tensors, a convolution in one dimension, shapes that are computed.
pub(crate) fn shapes(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 20, 12]);
    // Keras' Conv1D
    let x = w.expand(x, 1);
    let x = w.conv(x, 16, [1, 5], [1, 2], [1, 1], false, Act::Relu);
    let x = w.open_reshape(x, &[1, 8, 16]);
    let last = w.strided_slice(x, &[0, -3, 0], &[1, 0, 0]);
    let inner = w.strided_slice(x, &[0, 2, 0], &[1, 5, 0]);
    let sum = w.add(last, inner, Act::None);
    let parts = w.split(sum, 2, &[8, 3, 5]);
    let x = w.concat(&[parts[2], parts[0]], 2);
    let x = w.open_reshape(x, &[1, 39]);
    let x = w.fully_connected(x, 7, Act::None);
    w.finish(&[x, parts[1]])
}

/// A softmax of many classes.
pub(crate) fn wide(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input(&[1, 24]);
    let x = w.fully_connected(x, 1024, Act::None);
    let x = w.softmax(x);
    w.finish(&[x])
}

/// A rim of unsigned bytes.
pub(crate) fn bytes(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input_of_bytes(&[1, 3, 4, 2]);
    let x = w.pad_bytes(x, &[[0, 0], [1, 0], [0, 2], [0, 0]], 200);
    let x = w.quantize(x);
    w.finish(&[x])
}

/// A wake word's model: convolutions in time whose past is kept in variables.
pub(crate) fn kept(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let now = w.input(&[1, 2, 10]);
    let now = w.expand(now, 2);
    let (handle, past) = w.state(now, &[1, 3, 1, 10], 5);
    let x = w.concat(&[past, now], 1);
    let rest = w.strided_slice(x, &[0, 2, 0, 0], &[1, 0, 0, 0]);
    w.assign(handle, rest);
    let x = w.conv(x, 8, [4, 1], [1, 1], [1, 1], false, Act::Relu);
    let (handle, past) = w.state(x, &[1, 2, 1, 8], -128);
    let x = w.concat(&[past, x], 1);
    let rest = w.strided_slice(x, &[0, 2, 0, 0], &[1, 0, 0, 0]);
    w.assign(handle, rest);
    let x = w.depthwise(x, 1, [4, 1], [1, 1], false, Act::Relu);
    let x = w.reshape(x, &[1, 8]);
    let x = w.fully_connected(x, 1, Act::None);
    let x = w.function(BuiltinOperator::LOGISTIC, x, 1.0 / 256.0, -128);
    w.finish(&[x])
}

/// Files that are small and whose parts are shared: each could become gigabytes.
pub(crate) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    let weights = {
        let mut w = Writer::new(1);
        let x = w.input(&[1, 1024]);
        let outputs = w.shared_weights(x, 1024, 4000);
        w.finish(&outputs)
    };
    let scales = {
        let mut w = Writer::new(4);
        let x = w.input(&[1, 1]);
        let outputs = w.shared_scales(x, 1 << 16, 4000);
        w.finish(&outputs)
    };
    let axes = {
        let mut w = Writer::new(2);
        let x = w.input(&[1, 4, 4, 4]);
        let outputs = w.shared_axes(x, 1 << 18, 4000);
        w.finish(&outputs)
    };
    let names = {
        let mut w = Writer::new(3);
        w.long_name = Some("name".repeat(25_000));
        let mut x = w.input(&[1, 4]);
        for _ in 0..4000 {
            x = w.relu(x);
        }
        w.finish(&[x])
    };
    vec![("weights", weights), ("scales", scales), ("axes", axes), ("names", names)]
}

/// A scale that no arithmetic survives.
pub(crate) fn scale(scale: f32) -> Vec<u8> {
    let mut w = Writer::new(1);
    let x = w.input_of_scale(&[1, 4], scale);
    let x = w.reshape(x, &[1, 2, 2]);
    w.finish(&[x])
}

/// Real numbers at both edges.
pub(crate) fn real_edges(seed: u64) -> Vec<u8> {
    let mut w = Writer::new(seed);
    let x = w.input_of_reals(&[1, 20]);
    let x = w.quantize(x);
    let x = w.fully_connected(x, 4, Act::Relu);
    let x = w.dequantize(x);
    w.finish(&[x])
}
