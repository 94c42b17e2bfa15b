//! Writes TFLite files, a node at a time.

#![allow(clippy::too_many_arguments)] // as many as a convolution has

use flatbuffers::{FlatBufferBuilder, UnionWIPOffset, WIPOffset};
use hwgen_network::import::tflite::schema::{
    ActivationFunctionType, AddOptions, AddOptionsArgs, BatchMatMulOptions, BatchMatMulOptionsArgs,
    Buffer, BufferArgs, BuiltinOperator, BuiltinOptions, CallOnceOptions, CallOnceOptionsArgs,
    ConcatenationOptions, ConcatenationOptionsArgs, Conv2DOptions, Conv2DOptionsArgs,
    DepthwiseConv2DOptions, DepthwiseConv2DOptionsArgs, FullyConnectedOptions,
    FullyConnectedOptionsArgs, Long, Model, ModelArgs, Operator, OperatorArgs, OperatorCode,
    OperatorCodeArgs, Padding, Pool2DOptions, Pool2DOptionsArgs, QuantizationParameters,
    QuantizationParametersArgs, ReducerOptions, ReducerOptionsArgs, ReshapeOptions,
    ReshapeOptionsArgs, SoftmaxOptions, SoftmaxOptionsArgs, SqueezeOptions, SqueezeOptionsArgs,
    StridedSliceOptions, StridedSliceOptionsArgs, SubGraph, SubGraphArgs, Tensor, TensorArgs,
    TensorType, VarHandleOptions, VarHandleOptionsArgs,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A fused activation.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    None,
    Relu,
    Relu6,
    NegOneToOne,
    Tanh,
}

impl Act {
    fn code(self) -> ActivationFunctionType {
        match self {
            Act::None => ActivationFunctionType::NONE,
            Act::Relu => ActivationFunctionType::RELU,
            Act::Relu6 => ActivationFunctionType::RELU6,
            Act::NegOneToOne => ActivationFunctionType::RELU_N1_TO_1,
            Act::Tanh => ActivationFunctionType::TANH,
        }
    }
}

/// A tensor's number.
pub(crate) type Id = usize;

struct Written {
    shape: Vec<usize>,
    scale: f32,
    zero_point: i64,
    /// Roughly, of distances from the zero point in integers.
    rms: f32,
    table: WIPOffset<Tensor<'static>>,
}

pub(crate) struct Writer {
    fbb: FlatBufferBuilder<'static>,
    rng: ChaCha8Rng,
    tensors: Vec<Written>,
    buffers: Vec<WIPOffset<Buffer<'static>>>,
    operators: Vec<WIPOffset<Operator<'static>>>,
    codes: Vec<BuiltinOperator>,
    inputs: Vec<i32>,
    states: Vec<State>,
    /// A name that all tensors share.
    pub(crate) long_name: Option<String>,
    /// Weights of four bits, two a byte.
    pub(crate) four_bits: bool,
    /// Dense layers with a scale for each output.
    pub(crate) scale_an_output: bool,
}

/// A variable, as the initialisation needs it.
struct State {
    like: Id,
    initial: i8,
}

type Options = (BuiltinOptions, Option<WIPOffset<UnionWIPOffset>>);

impl Writer {
    pub(crate) fn new(seed: u64) -> Writer {
        let mut fbb = FlatBufferBuilder::new();
        let empty = Buffer::create(&mut fbb, &BufferArgs::default());
        Writer {
            fbb,
            rng: ChaCha8Rng::seed_from_u64(seed),
            tensors: Vec::new(),
            buffers: vec![empty],
            operators: Vec::new(),
            codes: Vec::new(),
            inputs: Vec::new(),
            states: Vec::new(),
            long_name: None,
            four_bits: false,
            scale_an_output: false,
        }
    }

    pub(crate) fn image(&self, x: Id) -> [usize; 4] {
        self.tensors[x].shape[..].try_into().unwrap()
    }

    pub(crate) fn shape(&self, x: Id) -> Vec<usize> {
        self.tensors[x].shape.clone()
    }

    /// Whether two tensors have one scale and one zero point.
    pub(crate) fn alike(&self, x: Id, y: Id) -> bool {
        let kind = |x: Id| (self.tensors[x].scale, self.tensors[x].zero_point);
        kind(x) == kind(y)
    }

    pub(crate) fn input(&mut self, shape: &[usize]) -> Id {
        let (scale, zero_point) =
            (self.rng.random_range(0.02..0.05), self.rng.random_range(-40..40));
        self.given(shape, scale, zero_point)
    }

    pub(crate) fn input_like(&mut self, x: Id, shape: &[usize]) -> Id {
        let (scale, zero_point) = (self.tensors[x].scale, self.tensors[x].zero_point);
        self.given(shape, scale, zero_point)
    }

    fn given(&mut self, shape: &[usize], scale: f32, zero_point: i64) -> Id {
        let id = self.activation(shape, scale, zero_point);
        self.inputs.push(id as i32);
        id
    }

    /// An input of unsigned bytes.
    pub(crate) fn input_of_bytes(&mut self, shape: &[usize]) -> Id {
        let id = self.tensor(shape, TensorType::UINT8, 0, &[0.03], &[120], 0);
        self.inputs.push(id as i32);
        id
    }

    /// An input of real numbers.
    pub(crate) fn input_of_reals(&mut self, shape: &[usize]) -> Id {
        let id = self.tensor(shape, TensorType::FLOAT32, 0, &[], &[], 0);
        self.inputs.push(id as i32);
        id
    }

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

    pub(crate) fn add(&mut self, x: Id, y: Id, act: Act) -> Id {
        let args = AddOptionsArgs { fused_activation_function: act.code() };
        let options = AddOptions::create(&mut self.fbb, &args).as_union_value();
        let real = |x: Id| self.tensors[x].scale * self.tensors[x].rms;
        let spread = real(x).hypot(real(y));
        let scale = spread / 40.0 * self.rng.random_range(0.8..1.2);
        let zero_point =
            if matches!(act, Act::None) { self.rng.random_range(-30..30) } else { -128 };
        let shape = self.tensors[x].shape.clone();
        let out = self.filled(&shape, scale, zero_point, 40.0);
        self.node(BuiltinOperator::ADD, &[x, y], out, (BuiltinOptions::AddOptions, Some(options)))
    }

    pub(crate) fn concat(&mut self, inputs: &[Id], axis: usize) -> Id {
        let args = ConcatenationOptionsArgs { axis: axis as i32, ..Default::default() };
        let options = ConcatenationOptions::create(&mut self.fbb, &args).as_union_value();
        let mut shape = self.tensors[inputs[0]].shape.clone();
        shape[axis] = inputs.iter().map(|&x| self.tensors[x].shape[axis]).sum();
        let out = self.like(inputs[0], &shape);
        let options = (BuiltinOptions::ConcatenationOptions, Some(options));
        self.node(BuiltinOperator::CONCATENATION, inputs, out, options)
    }

    pub(crate) fn pad(&mut self, x: Id, rims: &[[usize; 2]]) -> Id {
        let values: Vec<i32> = rims.iter().flatten().map(|&rim| rim as i32).collect();
        let constant = self.constant(&[rims.len(), 2], &values);
        let shape =
            self.tensors[x].shape.iter().zip(rims).map(|(size, rim)| size + rim[0] + rim[1]);
        let out = self.like(x, &shape.collect::<Vec<_>>());
        self.node(BuiltinOperator::PAD, &[x, constant], out, (BuiltinOptions::NONE, None))
    }

    /// A rim of a value of its own.
    pub(crate) fn pad_with(&mut self, x: Id, rims: &[[usize; 2]], value: i8) -> Id {
        self.pad_kind(x, rims, TensorType::INT8, value as u8)
    }

    /// The same of unsigned bytes.
    pub(crate) fn pad_bytes(&mut self, x: Id, rims: &[[usize; 2]], value: u8) -> Id {
        self.pad_kind(x, rims, TensorType::UINT8, value)
    }

    fn pad_kind(&mut self, x: Id, rims: &[[usize; 2]], kind: TensorType, value: u8) -> Id {
        let values: Vec<i32> = rims.iter().flatten().map(|&rim| rim as i32).collect();
        let constant = self.constant(&[rims.len(), 2], &values);
        let buffer = self.buffer(&[value]);
        let (scale, zero_point) = (self.tensors[x].scale, self.tensors[x].zero_point);
        let value = self.tensor(&[1], kind, buffer, &[scale], &[zero_point], 0);
        let shape =
            self.tensors[x].shape.iter().zip(rims).map(|(size, rim)| size + rim[0] + rim[1]);
        let shape = shape.collect::<Vec<_>>();
        let out = self.tensor(&shape, kind, 0, &[scale], &[zero_point], 0);
        self.tensors[out].rms = self.tensors[x].rms;
        self.node(BuiltinOperator::PADV2, &[x, constant, value], out, (BuiltinOptions::NONE, None))
    }

    /// Another axis of 1.
    pub(crate) fn expand(&mut self, x: Id, axis: usize) -> Id {
        let constant = self.constant(&[1], &[axis as i32]);
        let mut shape = self.tensors[x].shape.clone();
        shape.insert(axis, 1);
        let out = self.like(x, &shape);
        let options = (BuiltinOptions::NONE, None);
        self.node(BuiltinOperator::EXPAND_DIMS, &[x, constant], out, options)
    }

    /// Integers as real numbers.
    pub(crate) fn dequantize(&mut self, x: Id) -> Id {
        let shape = self.tensors[x].shape.clone();
        let out = self.tensor(&shape, TensorType::FLOAT32, 0, &[], &[], 0);
        self.node(BuiltinOperator::DEQUANTIZE, &[x], out, (BuiltinOptions::NONE, None))
    }

    pub(crate) fn max_pool(
        &mut self,
        x: Id,
        kernel: [usize; 2],
        stride: [usize; 2],
        same: bool,
    ) -> Id {
        self.pool(BuiltinOperator::MAX_POOL_2D, x, kernel, stride, same)
    }

    pub(crate) fn average_pool(
        &mut self,
        x: Id,
        kernel: [usize; 2],
        stride: [usize; 2],
        same: bool,
    ) -> Id {
        self.pool(BuiltinOperator::AVERAGE_POOL_2D, x, kernel, stride, same)
    }

    fn pool(
        &mut self,
        code: BuiltinOperator,
        x: Id,
        kernel: [usize; 2],
        stride: [usize; 2],
        same: bool,
    ) -> Id {
        let args = Pool2DOptionsArgs {
            padding: padding(same),
            stride_h: stride[0] as i32,
            stride_w: stride[1] as i32,
            filter_height: kernel[0] as i32,
            filter_width: kernel[1] as i32,
            ..Default::default()
        };
        let options = Pool2DOptions::create(&mut self.fbb, &args).as_union_value();
        let [_, height, width, depth] = self.image(x);
        let image = window([height, width], kernel, stride, [1, 1], same);
        let out = self.like(x, &[1, image[0], image[1], depth]);
        self.node(code, &[x], out, (BuiltinOptions::Pool2DOptions, Some(options)))
    }

    pub(crate) fn mean(&mut self, x: Id, axes: &[usize], keep: bool) -> Id {
        let values: Vec<i32> = axes.iter().map(|&axis| axis as i32).collect();
        let constant = self.constant(&[axes.len()], &values);
        let args = ReducerOptionsArgs { keep_dims: keep };
        let options = ReducerOptions::create(&mut self.fbb, &args).as_union_value();
        let sizes = self.tensors[x].shape.iter().enumerate();
        let size = |(axis, &size): (usize, &usize)| match axes.contains(&axis) {
            true => keep.then_some(1),
            false => Some(size),
        };
        let shape: Vec<usize> = sizes.filter_map(size).collect();
        let scale = self.tensors[x].scale * self.rng.random_range(0.5..0.9);
        let out = self.filled(&shape, scale, -100, self.tensors[x].rms);
        let options = (BuiltinOptions::ReducerOptions, Some(options));
        self.node(BuiltinOperator::MEAN, &[x, constant], out, options)
    }

    pub(crate) fn relu(&mut self, x: Id) -> Id {
        self.rescaled(BuiltinOperator::RELU, x, -128)
    }

    pub(crate) fn relu6(&mut self, x: Id) -> Id {
        self.rescaled(BuiltinOperator::RELU6, x, -110)
    }

    pub(crate) fn quantize(&mut self, x: Id) -> Id {
        self.rescaled(BuiltinOperator::QUANTIZE, x, 5)
    }

    /// The same numbers on another's scale.
    pub(crate) fn quantize_as(&mut self, x: Id, like: Id) -> Id {
        let shape = self.tensors[x].shape.clone();
        let out = self.like(like, &shape);
        self.node(BuiltinOperator::QUANTIZE, &[x], out, (BuiltinOptions::NONE, None))
    }

    fn rescaled(&mut self, code: BuiltinOperator, x: Id, zero_point: i64) -> Id {
        let ratio = self.rng.random_range(0.6..1.7);
        let (scale, rms) = (self.tensors[x].scale * ratio, self.tensors[x].rms / ratio);
        let shape = self.tensors[x].shape.clone();
        let out = self.filled(&shape, scale, zero_point, rms);
        self.node(code, &[x], out, (BuiltinOptions::NONE, None))
    }

    pub(crate) fn softmax(&mut self, x: Id) -> Id {
        let options = SoftmaxOptions::create(&mut self.fbb, &SoftmaxOptionsArgs { beta: 1.0 });
        let shape = self.tensors[x].shape.clone();
        let out = self.filled(&shape, 1.0 / 256.0, -128, 25.0);
        let options = (BuiltinOptions::SoftmaxOptions, Some(options.as_union_value()));
        self.node(BuiltinOperator::SOFTMAX, &[x], out, options)
    }

    pub(crate) fn reshape(&mut self, x: Id, shape: &[usize]) -> Id {
        let values: Vec<i32> = shape.iter().map(|&size| size as i32).collect();
        let constant = self.constant(&[shape.len()], &values);
        let new_shape = Some(self.fbb.create_vector(&values));
        let options = ReshapeOptions::create(&mut self.fbb, &ReshapeOptionsArgs { new_shape });
        let out = self.like(x, shape);
        let options = (BuiltinOptions::ReshapeOptions, Some(options.as_union_value()));
        self.node(BuiltinOperator::RESHAPE, &[x, constant], out, options)
    }

    /// Drops rows and columns of 1.
    pub(crate) fn squeeze(&mut self, x: Id) -> Id {
        let [_, _, _, depth] = self.image(x);
        let squeeze_dims = Some(self.fbb.create_vector(&[1, 2]));
        let options = SqueezeOptions::create(&mut self.fbb, &SqueezeOptionsArgs { squeeze_dims });
        let out = self.like(x, &[1, depth]);
        let options = (BuiltinOptions::SqueezeOptions, Some(options.as_union_value()));
        self.node(BuiltinOperator::SQUEEZE, &[x], out, options)
    }

    /// A node of any kind with its options left out.
    pub(crate) fn other(&mut self, code: BuiltinOperator, x: Id) -> Id {
        let shape = self.tensors[x].shape.clone();
        let out = self.like(x, &shape);
        self.node(code, &[x], out, (BuiltinOptions::NONE, None))
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

    /// Means that share one list of axes, which names the same ones again and again.
    pub(crate) fn shared_axes(&mut self, x: Id, entries: usize, count: usize) -> Vec<Id> {
        let axes = self.constant(&[entries], &vec![1; entries]);
        let [_, _, width, depth] = self.image(x);
        let mean = |w: &mut Writer| {
            let options = ReducerOptions::create(&mut w.fbb, &Default::default());
            let options = (BuiltinOptions::ReducerOptions, Some(options.as_union_value()));
            let out = w.like(x, &[1, width, depth]);
            w.node(BuiltinOperator::MEAN, &[x, axes], out, options)
        };
        (0..count).map(|_| mean(self)).collect()
    }

    /// An input of a scale of its own.
    pub(crate) fn input_of_scale(&mut self, shape: &[usize], scale: f32) -> Id {
        self.given(shape, scale, 0)
    }

    /// A function of one element, its output in steps of `scale` around `zero_point`.
    pub(crate) fn function(
        &mut self,
        code: BuiltinOperator,
        x: Id,
        scale: f32,
        zero_point: i64,
    ) -> Id {
        let shape = self.tensors[x].shape.clone();
        let out = self.filled(&shape, scale, zero_point, 40.0);
        self.node(code, &[x], out, (BuiltinOptions::NONE, None))
    }

    /// From `begin` to before `end` of each axis; `end` 0 is the axis' end.
    pub(crate) fn strided_slice(&mut self, x: Id, begin: &[i32], end: &[i32]) -> Id {
        let size = |((&all, &begin), &end): ((&usize, &i32), &i32)| {
            let from = |at: i32| if at < 0 { all as i32 + at } else { at };
            (if end == 0 { all as i32 } else { from(end) } - from(begin)) as usize
        };
        let axes = self.tensors[x].shape.iter().zip(begin).zip(end);
        let shape: Vec<usize> = axes.map(size).collect();
        let out = self.like(x, &shape);
        self.slice_into(x, begin, end, 0, out)
    }

    fn slice_into(&mut self, x: Id, begin: &[i32], end: &[i32], shrink: i32, out: Id) -> Id {
        let open = |(axis, &end): (usize, &i32)| i32::from(end == 0) << axis;
        let args = StridedSliceOptionsArgs {
            end_mask: end.iter().enumerate().map(open).sum(),
            shrink_axis_mask: shrink,
            ..Default::default()
        };
        let options = StridedSliceOptions::create(&mut self.fbb, &args).as_union_value();
        let (ones, length) = (vec![1; begin.len()], [begin.len()]);
        let [begin, end, ones] = [begin, end, &ones].map(|list| self.constant(&length, list));
        let options = (BuiltinOptions::StridedSliceOptions, Some(options));
        self.node(BuiltinOperator::STRIDED_SLICE, &[x, begin, end, ones], out, options)
    }

    /// Parts of such sizes along an axis.
    pub(crate) fn split(&mut self, x: Id, axis: usize, sizes: &[usize]) -> Vec<Id> {
        let values: Vec<i32> = sizes.iter().map(|&size| size as i32).collect();
        let sizes_of = self.constant(&[sizes.len()], &values);
        let along = self.constant(&[], &[axis as i32]);
        let shape = self.tensors[x].shape.clone();
        let part = |w: &mut Writer, size: usize| {
            let mut shape = shape.clone();
            shape[axis] = size;
            w.like(x, &shape)
        };
        let parts: Vec<Id> = sizes.iter().map(|&size| part(self, size)).collect();
        let options = (BuiltinOptions::NONE, None);
        let operands = [x, sizes_of, along];
        let node = self.operator(BuiltinOperator::SPLIT_V, &operands, &parts, options);
        self.operators.push(node);
        parts
    }

    /// A reshape whose batch is open, as Keras writes it: the shape is computed of the input's.
    pub(crate) fn open_reshape(&mut self, x: Id, shape: &[usize]) -> Id {
        let none = (BuiltinOptions::NONE, None);
        let rank = self.tensors[x].shape.len();
        let sizes = self.tensor(&[rank], TensorType::INT32, 0, &[], &[], 0);
        self.node(BuiltinOperator::SHAPE, &[x], sizes, none);
        let batch = self.tensor(&[], TensorType::INT32, 0, &[], &[], 0);
        self.slice_into(sizes, &[0], &[1], 1, batch);
        let rest = shape[1..].iter().map(|&size| self.constant(&[], &[size as i32]));
        let parts: Vec<Id> = std::iter::once(batch).chain(rest.collect::<Vec<_>>()).collect();
        let wanted = self.tensor(&[shape.len()], TensorType::INT32, 0, &[], &[], 0);
        self.node(BuiltinOperator::PACK, &parts, wanted, none);
        let out = self.like(x, shape);
        self.node(BuiltinOperator::RESHAPE, &[x, wanted], out, none)
    }

    /// A variable like `like`: its handle, and what a run reads of it.
    pub(crate) fn state(&mut self, like: Id, shape: &[usize], initial: i8) -> (Id, Id) {
        if self.states.is_empty() {
            let args = CallOnceOptionsArgs { init_subgraph_index: 1 };
            let options = CallOnceOptions::create(&mut self.fbb, &args).as_union_value();
            let options = (BuiltinOptions::CallOnceOptions, Some(options));
            let node = self.operator(BuiltinOperator::CALL_ONCE, &[], &[], options);
            self.operators.push(node);
        }
        let handle = self.tensor(&[], TensorType::RESOURCE, 0, &[], &[], 0);
        let options = self.variable(self.states.len());
        self.node(BuiltinOperator::VAR_HANDLE, &[], handle, options);
        let read = self.like(like, shape);
        self.states.push(State { like: read, initial });
        (
            handle,
            self.node(
                BuiltinOperator::READ_VARIABLE,
                &[handle],
                read,
                (BuiltinOptions::NONE, None),
            ),
        )
    }

    pub(crate) fn assign(&mut self, handle: Id, x: Id) {
        let options = (BuiltinOptions::NONE, None);
        let node = self.operator(BuiltinOperator::ASSIGN_VARIABLE, &[handle, x], &[], options);
        self.operators.push(node);
    }

    fn variable(&mut self, number: usize) -> Options {
        let name = self.fbb.create_string(&format!("state {number}"));
        let args = VarHandleOptionsArgs { container: None, shared_name: Some(name) };
        let options = VarHandleOptions::create(&mut self.fbb, &args).as_union_value();
        (BuiltinOptions::VarHandleOptions, Some(options))
    }

    /// The subgraph that gives variables their first values.
    fn initialisation(&mut self) -> Option<WIPOffset<SubGraph<'static>>> {
        let first = self.tensors.len();
        let mut operators = vec![];
        for (number, State { like, initial }) in
            std::mem::take(&mut self.states).into_iter().enumerate()
        {
            let Written { ref shape, scale, zero_point, .. } = self.tensors[like];
            let shape = shape.clone();
            let buffer = self.buffer(&vec![initial as u8; shape.iter().product()]);
            let handle = self.tensor(&[], TensorType::RESOURCE, 0, &[], &[], 0) - first;
            let value = self.tensor(&shape, TensorType::INT8, buffer, &[scale], &[zero_point], 0);
            let options = self.variable(number);
            operators.push(self.operator(BuiltinOperator::VAR_HANDLE, &[], &[handle], options));
            let operands = [handle, value - first];
            let none = (BuiltinOptions::NONE, None);
            operators.push(self.operator(BuiltinOperator::ASSIGN_VARIABLE, &operands, &[], none));
        }
        let tensors: Vec<_> = self.tensors.drain(first..).map(|tensor| tensor.table).collect();
        let none: &[i32] = &[];
        let args = SubGraphArgs {
            tensors: Some(self.fbb.create_vector(&tensors)),
            inputs: Some(self.fbb.create_vector(none)),
            outputs: Some(self.fbb.create_vector(none)),
            operators: Some(self.fbb.create_vector(&operators)),
            name: None,
        };
        (!operators.is_empty()).then(|| SubGraph::create(&mut self.fbb, &args))
    }

    pub(crate) fn finish(mut self, outputs: &[Id]) -> Vec<u8> {
        let initialisation = self.initialisation();
        let fbb = &mut self.fbb;
        let codes: Vec<_> = self
            .codes
            .iter()
            .map(|&code| {
                let args = OperatorCodeArgs {
                    deprecated_builtin_code: code.0.min(127) as i8,
                    builtin_code: code,
                    version: 1,
                    custom_code: None,
                };
                OperatorCode::create(fbb, &args)
            })
            .collect();
        let tensors: Vec<_> = self.tensors.iter().map(|tensor| tensor.table).collect();
        let outputs: Vec<i32> = outputs.iter().map(|&id| id as i32).collect();
        let args = SubGraphArgs {
            tensors: Some(fbb.create_vector(&tensors)),
            inputs: Some(fbb.create_vector(&self.inputs)),
            outputs: Some(fbb.create_vector(&outputs)),
            operators: Some(fbb.create_vector(&self.operators)),
            name: None,
        };
        let graphs: Vec<_> =
            std::iter::once(SubGraph::create(fbb, &args)).chain(initialisation).collect();
        let args = ModelArgs {
            version: 3,
            operator_codes: Some(fbb.create_vector(&codes)),
            subgraphs: Some(fbb.create_vector(&graphs)),
            description: None,
            buffers: Some(fbb.create_vector(&self.buffers)),
        };
        let model = Model::create(fbb, &args);
        fbb.finish(model, Some("TFL3"));
        fbb.finished_data().to_vec()
    }

    fn node(&mut self, code: BuiltinOperator, inputs: &[Id], out: Id, options: Options) -> Id {
        let operator = self.operator(code, inputs, &[out], options);
        self.operators.push(operator);
        out
    }

    fn operator(
        &mut self,
        code: BuiltinOperator,
        inputs: &[Id],
        outputs: &[Id],
        options: Options,
    ) -> WIPOffset<Operator<'static>> {
        let opcode_index = self.codes.iter().position(|&known| known == code);
        let opcode_index = opcode_index.unwrap_or_else(|| {
            self.codes.push(code);
            self.codes.len() - 1
        });
        let numbers = |ids: &[Id]| ids.iter().map(|&id| id as i32).collect::<Vec<_>>();
        let (inputs, outputs) = (numbers(inputs), numbers(outputs));
        let args = OperatorArgs {
            opcode_index: opcode_index as u32,
            inputs: Some(self.fbb.create_vector(&inputs)),
            outputs: Some(self.fbb.create_vector(&outputs)),
            builtin_options_type: options.0,
            builtin_options: options.1,
        };
        Operator::create(&mut self.fbb, &args)
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

    fn like(&mut self, x: Id, shape: &[usize]) -> Id {
        let Written { scale, zero_point, rms, .. } = self.tensors[x];
        self.filled(shape, scale, zero_point, rms)
    }

    fn filled(&mut self, shape: &[usize], scale: f32, zero_point: i64, rms: f32) -> Id {
        let id = self.activation(shape, scale, zero_point);
        self.tensors[id].rms = rms;
        id
    }

    fn activation(&mut self, shape: &[usize], scale: f32, zero_point: i64) -> Id {
        self.tensor(shape, TensorType::INT8, 0, &[scale], &[zero_point], 0)
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

    fn constant(&mut self, shape: &[usize], values: &[i32]) -> Id {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let buffer = self.buffer(&bytes);
        self.tensor(shape, TensorType::INT32, buffer, &[], &[], 0)
    }

    fn buffer(&mut self, bytes: &[u8]) -> u32 {
        let data = Some(self.fbb.create_vector(bytes));
        self.buffers.push(Buffer::create(&mut self.fbb, &BufferArgs { data }));
        self.buffers.len() as u32 - 1
    }

    fn tensor(
        &mut self,
        shape: &[usize],
        kind: TensorType,
        buffer: u32,
        scales: &[f32],
        zero_points: &[i64],
        axis: usize,
    ) -> Id {
        let fbb = &mut self.fbb;
        let sizes: Vec<i32> = shape.iter().map(|&size| size as i32).collect();
        let halves = |&zero: &i64| Long::new(zero as u32, (zero >> 32) as i32);
        let halves: Vec<Long> = zero_points.iter().map(halves).collect();
        let args = QuantizationParametersArgs {
            scale: Some(fbb.create_vector(scales)),
            zero_point: Some(fbb.create_vector(&halves)),
            quantized_dimension: axis as i32,
            ..Default::default()
        };
        let quantization = (!scales.is_empty()).then(|| QuantizationParameters::create(fbb, &args));
        let name = match &self.long_name {
            Some(name) => name.clone(),
            None => format!("t{}", self.tensors.len()),
        };
        let args = TensorArgs {
            shape: Some(fbb.create_vector(&sizes)),
            type_: kind,
            buffer,
            name: Some(fbb.create_shared_string(&name)),
            quantization,
            is_variable: false,
        };
        let table = Tensor::create(fbb, &args);
        let (scale, zero_point) =
            (scales.first().copied().unwrap_or(1.0), zero_points.first().copied().unwrap_or(0));
        self.tensors.push(Written { shape: shape.to_vec(), scale, zero_point, rms: 74.0, table });
        self.tensors.len() - 1
    }
}

/// Weights and their scales.
struct Weights {
    id: Id,
    /// As if weights reached 127.
    scales: Vec<f32>,
    /// How much larger the real scales are.
    larger: f32,
}

fn padding(same: bool) -> Padding {
    if same { Padding::SAME } else { Padding::VALID }
}

fn window(
    image: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    same: bool,
) -> [usize; 2] {
    std::array::from_fn(|side| match same {
        true => image[side].div_ceil(stride[side]),
        false => (image[side] - (kernel[side] - 1) * dilation[side] - 1) / stride[side] + 1,
    })
}
