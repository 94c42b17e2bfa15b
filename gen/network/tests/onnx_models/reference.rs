//! ONNX in real numbers, node by node as `Operators.md` defines it: batch, channels, height, width.

use hwgen_network::import::onnx::proto::{ModelProto, NodeProto};
use std::collections::BTreeMap;

/// A tensor of the file.
#[derive(Debug, Clone)]
pub struct Real {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Real {
    pub fn new(shape: &[usize], data: Vec<f64>) -> Real {
        assert_eq!(shape.iter().product::<usize>(), data.len());
        Real { shape: shape.to_vec(), data }
    }

    fn map(&self, f: impl Fn(f64) -> f64) -> Real {
        Real::new(&self.shape, self.data.iter().map(|&x| f(x)).collect())
    }
}

/// Runs a model. `result` sees each quantized result in steps (zero point included) and may put
/// another in its place.
pub fn run(
    model: &ModelProto,
    inputs: &BTreeMap<String, Real>,
    mut result: impl FnMut(&str, &mut Real),
) -> BTreeMap<String, Real> {
    let graph = model.graph.as_ref().unwrap();
    let mut values = inputs.clone();
    for tensor in &graph.initializer {
        let shape: Vec<usize> = tensor.dims.iter().map(|&n| n as usize).collect();
        let data = match tensor.data_type() {
            1 => tensor.float_data.iter().map(|&x| x.into()).collect(),
            7 => tensor.int64_data.iter().map(|&x| x as f64).collect(),
            _ => tensor.int32_data.iter().map(|&x| x.into()).collect(),
        };
        values.insert(tensor.name().to_owned(), Real::new(&shape, data));
    }
    let constants: Vec<String> = graph.initializer.iter().map(|t| t.name().to_owned()).collect();
    let types: BTreeMap<&str, i32> =
        graph.initializer.iter().map(|t| (t.name(), t.data_type())).collect();
    for node in &graph.node {
        let read: Vec<Real> = node.input.iter().map(|name| values[name].clone()).collect();
        let constant = constants.contains(&node.input[0]);
        let name = node.output[0].clone();
        let mut z = match node.op_type() {
            "QuantizeLinear" => {
                let range =
                    if types[node.input[2].as_str()] == 3 { [-128.0, 127.0] } else { [0.0, 255.0] };
                let mut z = quantize(&read, range, "ROUND");
                result(&name, &mut z);
                z
            }
            "Quant" => {
                let (bits, narrow) = (read[3].data[0], node.integer("narrow", 0) as f64);
                let range = match node.integer("signed", 1) {
                    1 => [-(bits - 1.0).exp2() + narrow, (bits - 1.0).exp2() - 1.0],
                    _ => [0.0, bits.exp2() - 1.0 - narrow],
                };
                let mode = node.attribute.iter().find(|a| a.name() == "rounding_mode");
                let mode = mode.map_or("ROUND", |a| std::str::from_utf8(a.s()).unwrap());
                let mut z = quantize(&read, range, mode);
                if !constant {
                    result(&name, &mut z);
                }
                dequantize(&[z, read[1].clone(), read[2].clone()], node.axis())
            }
            "DequantizeLinear" => dequantize(&read, node.axis()),
            _ => operate(node, &read),
        };
        if node.op_type() == "Relu" {
            z = z.map(|x| x.max(0.0));
        }
        values.insert(name, z);
    }
    values
}

/// Attributes of the tests' nodes.
trait Attributes {
    fn list(&self, name: &str, default: &[i64]) -> Vec<i64>;
    fn integer(&self, name: &str, default: i64) -> i64;
    fn axis(&self) -> usize;
}

impl Attributes for NodeProto {
    fn list(&self, name: &str, default: &[i64]) -> Vec<i64> {
        let found = self.attribute.iter().find(|a| a.name() == name);
        found.map_or(default.to_vec(), |a| a.ints.clone())
    }

    fn integer(&self, name: &str, default: i64) -> i64 {
        self.attribute.iter().find(|a| a.name() == name).map_or(default, |a| a.i())
    }

    fn axis(&self) -> usize {
        self.integer("axis", 1) as usize
    }
}

/// As `QuantizeLinear` rounds (`ROUND`), or as qonnx has it.
fn quantize(read: &[Real], range: [f64; 2], mode: &str) -> Real {
    let (scale, zero) = (&read[1], read[2].data[0]);
    let inner = read[0].data.len() / scale.data.len();
    let mut z = read[0].clone();
    for (n, x) in z.data.iter_mut().enumerate() {
        // only constants have many scales here, along their first axis
        let steps = *x / scale.data[n / inner];
        let steps = match mode {
            "ROUND" => steps.round_ties_even(),
            "FLOOR" => steps.floor(),
            "DOWN" => steps.trunc(),
            "HALF_UP" => (steps.abs() + 0.5).floor().copysign(steps),
            other => panic!("the reference has no {other}"),
        };
        *x = (steps + zero).clamp(range[0], range[1]);
    }
    z
}

fn dequantize(read: &[Real], axis: usize) -> Real {
    let (scale, zero) = (&read[1].data, read[2].data[0]);
    let inner: usize = read[0].shape.get(axis + 1..).unwrap_or_default().iter().product();
    let mut z = read[0].clone();
    let many = scale.len();
    for (n, x) in z.data.iter_mut().enumerate() {
        let index = match read[1].shape.len() {
            // a list spread over the first axis
            3 | 4 => n / (read[0].data.len() / many),
            _ => n / inner.max(1) % many,
        };
        *x = (*x - zero) * scale[index];
    }
    z
}

/// A line is an image of height 1.
fn along_a_line(node: &NodeProto, read: &[Real]) -> Real {
    let mut node = node.clone();
    for attribute in &mut node.attribute {
        attribute.ints = match (attribute.name(), &attribute.ints[..]) {
            ("pads", &[before, after]) => vec![0, before, 0, after],
            (_, &[one]) => vec![1, one],
            (_, list) => list.to_vec(),
        };
    }
    let image = |x: &Real| match x.shape[..] {
        [n, channels, length] => Real::new(&[n, channels, 1, length], x.data.clone()),
        _ => x.clone(),
    };
    let z = operate(&node, &read.iter().map(image).collect::<Vec<_>>());
    Real::new(&[z.shape[0], z.shape[1], z.shape[3]], z.data)
}

fn operate(node: &NodeProto, read: &[Real]) -> Real {
    let x = &read[0];
    let windows = ["Conv", "MaxPool", "AveragePool", "GlobalAveragePool"];
    if x.shape.len() == 3 && windows.contains(&node.op_type()) {
        return along_a_line(node, read);
    }
    match node.op_type() {
        "Conv" => conv(node, read),
        "MaxPool" | "AveragePool" => pool(node, x),
        "GlobalAveragePool" => mean(x, &[2, 3], true),
        "ReduceMean" => {
            let axes: Vec<usize> = node.list("axes", &[]).iter().map(|&n| n as usize).collect();
            mean(x, &axes, node.integer("keepdims", 1) == 1)
        }
        "Gemm" | "MatMul" => dense(node, read),
        "Relu" => x.clone(),
        "Clip" => x.map(|v| v.clamp(read[1].data[0], read[2].data[0])),
        "Add" | "Mul" => {
            let y = &read[1];
            let spread = |n: usize| match y.data.len() {
                1 => y.data[0],
                count if count == x.data.len() => y.data[n],
                // a constant an entry a channel, or an entry a column
                count if y.shape.len() > 2 => {
                    y.data[n / x.shape[2..].iter().product::<usize>() % count]
                }
                count => y.data[n % count],
            };
            let both = |(n, &v): (usize, &f64)| match node.op_type() {
                "Add" => v + spread(n),
                _ => v * spread(n),
            };
            Real::new(&x.shape, x.data.iter().enumerate().map(both).collect())
        }
        "BatchNormalization" => {
            let inner: usize = x.shape[2..].iter().product();
            let normal = |(n, &v): (usize, &f64)| {
                let c = n / inner % x.shape[1];
                let [gamma, beta, mean, variance] = [1, 2, 3, 4].map(|k| read[k].data[c]);
                gamma * (v - mean) / (variance + f64::from(1e-5f32)).sqrt() + beta
            };
            Real::new(&x.shape, x.data.iter().enumerate().map(normal).collect())
        }
        "Concat" => {
            let axis = node.axis();
            let outer: usize = x.shape[..axis].iter().product();
            let mut shape = x.shape.clone();
            shape[axis] = read.iter().map(|r| r.shape[axis]).sum();
            let mut data = Vec::new();
            for n in 0..outer {
                for r in read {
                    let run = r.data.len() / outer;
                    data.extend(&r.data[n * run..(n + 1) * run]);
                }
            }
            Real::new(&shape, data)
        }
        "Pad" => {
            let pads: Vec<usize> = read[1].data.iter().map(|&n| n as usize).collect();
            let [_, c, h, w] = image(x);
            let (top, left) = (pads[2], pads[3]);
            let shape = [1, c, h + top + pads[6], w + left + pads[7]];
            let mut z = Real::new(&shape, vec![0.0; shape.iter().product()]);
            for n in 0..x.data.len() {
                let (k, i, j) = (n / (h * w), n / w % h, n % w);
                z.data[(k * shape[2] + i + top) * shape[3] + j + left] = x.data[n];
            }
            z
        }
        "Slice" => {
            let of = |n: usize| read[n].data.iter().map(|&n| n as i64).collect::<Vec<_>>();
            let (starts, axes, steps) = (of(1), of(3), of(4));
            let mut z = x.clone();
            for (n, &axis) in axes.iter().enumerate() {
                let size = z.shape[axis as usize] as i64;
                // the tests' slices go on to the end, or to the start
                let indices = (0..size).map(|k| starts[n] + k * steps[n]);
                let indices: Vec<_> = indices.take_while(|k| (0..size).contains(k)).collect();
                let inner: usize = z.shape[axis as usize + 1..].iter().product();
                let blocks = z.data.chunks(size as usize * inner);
                let rows = blocks.flat_map(|block| {
                    indices.iter().flat_map(move |&k| &block[k as usize * inner..][..inner])
                });
                let data: Vec<f64> = rows.copied().collect();
                z.shape[axis as usize] = indices.len();
                z.data = data;
            }
            z
        }
        "Transpose" => {
            let perm = node.list("perm", &[]);
            let shape: Vec<usize> = perm.iter().map(|&n| x.shape[n as usize]).collect();
            let stride = |axis: i64| x.shape[axis as usize + 1..].iter().product::<usize>();
            let from = |mut n: usize| {
                let mut place = 0;
                for (&size, &axis) in shape.iter().zip(&perm).rev() {
                    place += n % size * stride(axis);
                    n /= size;
                }
                x.data[place]
            };
            Real::new(&shape, (0..x.data.len()).map(from).collect())
        }
        "Squeeze" | "Unsqueeze" => {
            let axes: Vec<usize> = read[1].data.iter().map(|&n| n as usize).collect();
            let mut shape = x.shape.clone();
            match node.op_type() {
                "Squeeze" => {
                    shape =
                        (0..shape.len()).filter(|n| !axes.contains(n)).map(|n| shape[n]).collect()
                }
                _ => axes.iter().for_each(|&axis| shape.insert(axis, 1)),
            }
            Real::new(&shape, x.data.clone())
        }
        "Shape" => {
            let sizes = x.shape.iter().map(|&size| size as f64).collect();
            Real::new(&[x.shape.len()], sizes)
        }
        "Gather" => Real::new(&read[1].shape, vec![x.data[read[1].data[0] as usize]]),
        "Elu" => x.map(|v| if v < 0.0 { v.exp() - 1.0 } else { v }),
        "Exp" => x.map(f64::exp),
        "HardSigmoid" => x.map(|v| (v / 5.0 + 0.5).clamp(0.0, 1.0)),
        "HardSwish" => x.map(|v| v * (v + 3.0).clamp(0.0, 6.0) / 6.0),
        "LeakyRelu" => x.map(|v| if v < 0.0 { v / 100.0 } else { v }),
        "Softplus" => x.map(|v| (1.0 + v.exp()).ln()),
        "Softsign" => x.map(|v| v / (v.abs() + 1.0)),
        "Sigmoid" => x.map(|v| 1.0 / (1.0 + (-v).exp())),
        "Tanh" => x.map(f64::tanh),
        "Flatten" => Real::new(&[1, x.data.len()], x.data.clone()),
        "Reshape" => {
            let mut shape: Vec<i64> = read[1].data.iter().map(|&n| n as i64).collect();
            let known: i64 = shape.iter().filter(|&&n| n > 0).product();
            for size in &mut shape {
                *size = if *size == -1 { x.data.len() as i64 / known } else { *size };
            }
            let shape: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
            Real::new(&shape, x.data.clone())
        }
        "Softmax" => {
            let row = *x.shape.last().unwrap();
            let share = |row: &[f64]| {
                let most = row.iter().copied().fold(f64::MIN, f64::max);
                let weights: Vec<f64> = row.iter().map(|v| (v - most).exp()).collect();
                let sum: f64 = weights.iter().sum();
                weights.into_iter().map(|w| w / sum).collect::<Vec<_>>()
            };
            Real::new(&x.shape, x.data.chunks_exact(row).flat_map(share).collect())
        }
        other => panic!("the reference has no {other}"),
    }
}

fn image(x: &Real) -> [usize; 4] {
    x.shape[..].try_into().unwrap()
}

/// Pads and strides, dilations; the output's height and width.
fn geometry(
    node: &NodeProto,
    x: &Real,
    kernel: [usize; 2],
) -> ([i64; 4], [i64; 2], [i64; 2], [usize; 2]) {
    let pair = |name: &str| -> [i64; 2] { node.list(name, &[1, 1]).try_into().unwrap() };
    let (strides, dilations) = (pair("strides"), pair("dilations"));
    let mut pads: [i64; 4] = node.list("pads", &[0; 4]).try_into().unwrap();
    let auto = node.attribute.iter().find(|a| a.name() == "auto_pad").map(|a| a.s().to_vec());
    for side in 0..2 {
        let (size, span) =
            (x.shape[2 + side] as i64, (kernel[side] as i64 - 1) * dilations[side] + 1);
        let output = (size + strides[side] - 1) / strides[side];
        let rim = ((output - 1) * strides[side] + span - size).max(0);
        match auto.as_deref() {
            Some(b"SAME_UPPER") => (pads[side], pads[side + 2]) = (rim / 2, rim - rim / 2),
            Some(b"SAME_LOWER") => (pads[side], pads[side + 2]) = (rim - rim / 2, rim / 2),
            _ => {}
        }
    }
    let output = [0, 1].map(|side| {
        let span = (kernel[side] as i64 - 1) * dilations[side] + 1;
        let room = x.shape[2 + side] as i64 + pads[side] + pads[side + 2] - span;
        (room / strides[side] + 1) as usize
    });
    (pads, strides, dilations, output)
}

/// Calls with the elements of a window, `None` those outside.
fn window(
    x: &Real,
    node: &NodeProto,
    kernel: [usize; 2],
    mut each: impl FnMut(usize, &[Option<[usize; 2]>]),
) -> [usize; 2] {
    let [_, _, h, w] = image(x);
    let (pads, strides, dilations, output) = geometry(node, x, kernel);
    for n in 0..output[0] * output[1] {
        let (row, column) = ((n / output[1]) as i64, (n % output[1]) as i64);
        let tap = |t: usize| {
            let i = row * strides[0] - pads[0] + (t / kernel[1]) as i64 * dilations[0];
            let j = column * strides[1] - pads[1] + (t % kernel[1]) as i64 * dilations[1];
            let inside = (0..h as i64).contains(&i) && (0..w as i64).contains(&j);
            inside.then_some([i as usize, j as usize])
        };
        each(n, &(0..kernel[0] * kernel[1]).map(tap).collect::<Vec<_>>());
    }
    output
}

fn conv(node: &NodeProto, read: &[Real]) -> Real {
    let (x, w) = (&read[0], &read[1]);
    let [outputs, depth, rows, columns] = image(w);
    let [_, _, height, width] = image(x);
    let groups = node.integer("group", 1) as usize;
    let (_, _, _, [h, v]) = geometry(node, x, [rows, columns]);
    let mut data = vec![0.0; outputs * h * v];
    window(x, node, [rows, columns], |n, taps| {
        for o in 0..outputs {
            let mut sum = read.get(2).map_or(0.0, |bias| bias.data[o]);
            for d in 0..depth {
                let c = o / (outputs / groups) * depth + d;
                for (t, place) in taps.iter().enumerate() {
                    if let Some([i, j]) = place {
                        sum += w.data[(o * depth + d) * rows * columns + t]
                            * x.data[(c * height + i) * width + j];
                    }
                }
            }
            data[o * h * v + n] = sum;
        }
    });
    Real::new(&[1, outputs, h, v], data)
}

fn pool(node: &NodeProto, x: &Real) -> Real {
    let kernel = node.list("kernel_shape", &[]);
    let kernel = [kernel[0] as usize, kernel[1] as usize];
    let [_, channels, height, width] = image(x);
    let (_, _, _, [h, v]) = geometry(node, x, kernel);
    let mut data = vec![0.0; channels * h * v];
    let all = node.integer("count_include_pad", 0) == 1;
    window(x, node, kernel, |n, taps| {
        for c in 0..channels {
            let inside = taps.iter().flatten();
            let values: Vec<f64> =
                inside.map(|[i, j]| x.data[(c * height + i) * width + j]).collect();
            let count = if all { taps.len() } else { values.len() };
            data[c * h * v + n] = match node.op_type() {
                "MaxPool" => values.into_iter().fold(f64::MIN, f64::max),
                _ => values.iter().sum::<f64>() / count as f64,
            };
        }
    });
    Real::new(&[1, channels, h, v], data)
}

fn mean(x: &Real, axes: &[usize], keep: bool) -> Real {
    let kept: Vec<usize> =
        (0..x.shape.len()).map(|n| if axes.contains(&n) { 1 } else { x.shape[n] }).collect();
    let mut data = vec![0.0; kept.iter().product()];
    for (n, value) in x.data.iter().enumerate() {
        let (mut rest, mut place, mut stride) = (n, 0, 1);
        for axis in (0..x.shape.len()).rev() {
            if !axes.contains(&axis) {
                place += rest % x.shape[axis] * stride;
                stride *= x.shape[axis];
            }
            rest /= x.shape[axis];
        }
        data[place] += value;
    }
    let count = (x.data.len() / data.len()) as f64;
    data.iter_mut().for_each(|sum| *sum /= count);
    let gone: Vec<usize> =
        (0..x.shape.len()).filter(|n| !axes.contains(n)).map(|n| x.shape[n]).collect();
    Real::new(if keep { &kept } else { &gone }, data)
}

fn dense(node: &NodeProto, read: &[Real]) -> Real {
    let (x, w) = (&read[0], &read[1]);
    let turned = node.integer("transB", 0) == 1;
    let inner = *x.shape.last().unwrap();
    let outputs = w.data.len() / inner;
    let mut data = Vec::new();
    for row in x.data.chunks_exact(inner) {
        for o in 0..outputs {
            let weight = |k: usize| w.data[if turned { o * inner + k } else { k * outputs + o }];
            let bias = read.get(2).map_or(0.0, |bias| bias.data[o]);
            data.push(row.iter().enumerate().map(|(k, x)| x * weight(k)).sum::<f64>() + bias);
        }
    }
    let mut shape = x.shape.clone();
    *shape.last_mut().unwrap() = outputs;
    Real::new(&shape, data)
}
