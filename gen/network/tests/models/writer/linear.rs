//! Layers with weights, and products of two tensors.

use super::{Act, Id, Writer, padding, window};
use hwgen_network::import::tflite::schema::{
    BatchMatMulOptions, BatchMatMulOptionsArgs, BuiltinOperator, BuiltinOptions, Conv2DOptions,
    Conv2DOptionsArgs, DepthwiseConv2DOptions, DepthwiseConv2DOptionsArgs, FullyConnectedOptions,
    FullyConnectedOptionsArgs, TensorType,
};
use rand::Rng;

/// Weights and their scales.
struct Weights {
    id: Id,
    /// As if weights reached 127.
    scales: Vec<f32>,
    /// How much larger the real scales are.
    larger: f32,
}

impl Writer {
    pub(crate) fn conv(
        &mut self,
        x: Id,
        channels: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
        same: bool,
        act: Act,
    ) -> Id {
        let [_, height, width, depth] = self.image(x);
        let weights = self.weights(&[channels, kernel[0], kernel[1], depth], 0);
        let bias = self.bias(x, &weights, channels);
        let args = Conv2DOptionsArgs {
            padding: padding(same),
            stride_h: stride[0] as i32,
            stride_w: stride[1] as i32,
            fused_activation_function: act.code(),
            dilation_h_factor: dilation[0] as i32,
            dilation_w_factor: dilation[1] as i32,
        };
        let options = Conv2DOptions::create(&mut self.fbb, &args).as_union_value();
        let options = (BuiltinOptions::Conv2DOptions, Some(options));
        let image = window([height, width], kernel, stride, dilation, same);
        let out = self.result(
            x,
            &weights,
            kernel[0] * kernel[1] * depth,
            &[1, image[0], image[1], channels],
            act,
        );
        self.node(BuiltinOperator::CONV_2D, &[x, weights.id, bias], out, options)
    }

    pub(crate) fn depthwise(
        &mut self,
        x: Id,
        multiplier: usize,
        kernel: [usize; 2],
        stride: [usize; 2],
        same: bool,
        act: Act,
    ) -> Id {
        let [_, height, width, depth] = self.image(x);
        let channels = depth * multiplier;
        let weights = self.weights(&[1, kernel[0], kernel[1], channels], 3);
        let bias = self.bias(x, &weights, channels);
        let args = DepthwiseConv2DOptionsArgs {
            padding: padding(same),
            stride_h: stride[0] as i32,
            stride_w: stride[1] as i32,
            depth_multiplier: multiplier as i32,
            fused_activation_function: act.code(),
            ..Default::default()
        };
        let options = DepthwiseConv2DOptions::create(&mut self.fbb, &args).as_union_value();
        let options = (BuiltinOptions::DepthwiseConv2DOptions, Some(options));
        let image = window([height, width], kernel, stride, [1, 1], same);
        let out = self.result(
            x,
            &weights,
            kernel[0] * kernel[1],
            &[1, image[0], image[1], channels],
            act,
        );
        self.node(BuiltinOperator::DEPTHWISE_CONV_2D, &[x, weights.id, bias], out, options)
    }

    pub(crate) fn fully_connected(&mut self, x: Id, units: usize, act: Act) -> Id {
        self.dense(x, units, act, false)
    }

    pub(crate) fn fully_connected_rows(&mut self, x: Id, units: usize) -> Id {
        self.dense(x, units, Act::None, true)
    }

    fn dense(&mut self, x: Id, units: usize, act: Act, rows: bool) -> Id {
        let mut shape = self.tensors[x].shape.clone();
        let length = if rows { shape[shape.len() - 1] } else { shape.iter().product() };
        // by default a scale for the whole tensor, as the converter long wrote it
        let axis = if self.scale_an_output { 0 } else { usize::MAX };
        let weights = self.weights(&[units, length], axis);
        let bias = self.bias(x, &weights, units);
        let args = FullyConnectedOptionsArgs {
            fused_activation_function: act.code(),
            keep_num_dims: rows,
            ..Default::default()
        };
        let options = FullyConnectedOptions::create(&mut self.fbb, &args).as_union_value();
        let options = (BuiltinOptions::FullyConnectedOptions, Some(options));
        *shape.last_mut().unwrap() = units;
        let shape = if rows { shape } else { vec![1, units] };
        let out = self.result(x, &weights, length, &shape, act);
        self.node(BuiltinOperator::FULLY_CONNECTED, &[x, weights.id, bias], out, options)
    }

    pub(crate) fn mat_mul(&mut self, x: Id, y: Id, transpose: bool) -> Id {
        let (a, b) = (self.tensors[x].shape.clone(), self.tensors[y].shape.clone());
        let args = BatchMatMulOptionsArgs { adj_x: false, adj_y: transpose };
        let options = BatchMatMulOptions::create(&mut self.fbb, &args).as_union_value();
        let options = (BuiltinOptions::BatchMatMulOptions, Some(options));
        let columns = if transpose { b[1] } else { b[2] };
        let real = |x: Id| self.tensors[x].scale * self.tensors[x].rms;
        let scale = real(x) * real(y) * (a[2] as f32).sqrt() / 45.0;
        let out = self.filled(&[1, a[1], columns], scale, 3, 45.0);
        self.node(BuiltinOperator::BATCH_MATMUL, &[x, y], out, options)
    }

    /// Dense layers that share one list of weights.
    pub(crate) fn shared_weights(&mut self, x: Id, units: usize, count: usize) -> Vec<Id> {
        let length = self.tensors[x].shape.iter().product();
        let weights = self.weights(&[units, length], usize::MAX);
        let dense = |w: &mut Writer| {
            let options = FullyConnectedOptions::create(&mut w.fbb, &Default::default());
            let options = options.as_union_value();
            let options = (BuiltinOptions::FullyConnectedOptions, Some(options));
            let out = w.filled(&[1, units], 0.1, 0, 40.0);
            w.node(BuiltinOperator::FULLY_CONNECTED, &[x, weights.id], out, options)
        };
        (0..count).map(|_| dense(self)).collect()
    }

    /// Dense layers whose weights are tensors of their own but share one list of scales.
    pub(crate) fn shared_scales(&mut self, x: Id, units: usize, count: usize) -> Vec<Id> {
        let length: usize = self.tensors[x].shape.iter().product();
        let buffer = self.buffer(&vec![1; units * length]);
        let steps = self.steps(&vec![0.003; units], &vec![0; units], 0);
        let dense = |w: &mut Writer| {
            let weights = w.tensor_of(&[units, length], TensorType::INT8, buffer, steps);
            let options = FullyConnectedOptions::create(&mut w.fbb, &Default::default());
            let options = options.as_union_value();
            let options = (BuiltinOptions::FullyConnectedOptions, Some(options));
            let out = w.filled(&[1, units], 0.1, 0, 40.0);
            w.node(BuiltinOperator::FULLY_CONNECTED, &[x, weights], out, options)
        };
        (0..count).map(|_| dense(self)).collect()
    }

    /// An output that random sums of so many taps fill without much saturation.
    fn result(&mut self, x: Id, weights: &Weights, taps: usize, shape: &[usize], act: Act) -> Id {
        let x = &self.tensors[x];
        // weights are uniform in -127..=127
        let spread = x.scale * x.rms * weights.scales[0] * 73.0 * (taps as f32).sqrt();
        let (zero_point, rms) = match act {
            Act::None => (self.rng.random_range(-20..20), 45.0),
            Act::Relu => (-128, 32.0),
            Act::Relu6 | Act::NegOneToOne | Act::Tanh => (-120, 32.0),
        };
        let scale = spread / 45.0 * self.rng.random_range(0.8..1.2);
        self.filled(shape, scale, zero_point, rms)
    }

    fn weights(&mut self, shape: &[usize], axis: usize) -> Weights {
        let count: usize = shape.iter().product();
        let most: i8 = if self.four_bits { 7 } else { 127 };
        let mut values: Vec<u8> =
            (0..count).map(|_| self.rng.random_range(-most..=most) as u8).collect();
        let channels = shape.get(axis).copied().unwrap_or(1);
        let larger = 127.0 / f32::from(most);
        let scale = |_| self.rng.random_range(0.002..0.004) * larger;
        let scales: Vec<f32> = (0..channels).map(scale).collect();
        let mut kind = TensorType::INT8;
        if self.four_bits {
            let pair = |pair: &[u8]| pair[0] & 15 | pair.get(1).map_or(0, |high| high << 4);
            values = values.chunks(2).map(pair).collect();
            kind = TensorType::INT4;
        }
        let buffer = self.buffer(&values);
        let zero_points = vec![0; channels];
        let axis = if channels > 1 { axis } else { 0 };
        let id = self.tensor(shape, kind, buffer, &scales, &zero_points, axis);
        // what follows takes weights to reach 127
        let scales = scales.into_iter().map(|scale| scale / larger).collect();
        Weights { id, scales, larger }
    }

    fn bias(&mut self, x: Id, weights: &Weights, channels: usize) -> Id {
        let values: Vec<i32> = (0..channels)
            .map(|_| self.rng.random_range(-9000..9000) / weights.larger as i32)
            .collect();
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let buffer = self.buffer(&bytes);
        let scales: Vec<f32> =
            weights.scales.iter().map(|s| s * weights.larger * self.tensors[x].scale).collect();
        let zero_points = vec![0; scales.len()];
        self.tensor(&[channels], TensorType::INT32, buffer, &scales, &zero_points, 0)
    }
}
