//! Layers of a window, of an axis, of an element.

use super::{Act, Id, Writer, Written, padding, window};
use hwgen_network::import::tflite::schema::{
    AddOptions, AddOptionsArgs, BuiltinOperator, BuiltinOptions, LeakyReluOptions,
    LeakyReluOptionsArgs, Pool2DOptions, Pool2DOptionsArgs, ReducerOptions, ReducerOptionsArgs,
    SoftmaxOptions, SoftmaxOptionsArgs, TensorType,
};
use rand::Rng;

impl Writer {
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

    /// A function of one element that leaves numbers about as large as they are, its output in steps
    /// of another size; `alpha` is LEAKY_RELU's.
    pub(crate) fn curve(&mut self, code: BuiltinOperator, x: Id, alpha: f32) -> Id {
        let options = match code {
            BuiltinOperator::LEAKY_RELU => {
                let args = LeakyReluOptionsArgs { alpha };
                let options = LeakyReluOptions::create(&mut self.fbb, &args).as_union_value();
                (BuiltinOptions::LeakyReluOptions, Some(options))
            }
            _ => (BuiltinOptions::NONE, None),
        };
        let Written { scale, rms, ref shape, .. } = self.tensors[x];
        let shape = shape.clone();
        let times = self.rng.random_range(0.6..1.8);
        let zero_point = self.rng.random_range(-60..60);
        let out = self.filled(&shape, scale * times, zero_point, rms / times);
        self.node(code, &[x], out, options)
    }

    /// A slope a channel, or one for all; above 0, or of both signs.
    pub(crate) fn prelu(&mut self, x: Id, one: bool, signs: bool) -> Id {
        let Written { scale, rms, ref shape, .. } = self.tensors[x];
        let shape = shape.clone();
        let count = if one { 1 } else { shape[shape.len() - 1] };
        let slopes: Vec<u8> = (0..count).map(|_| self.rng.random()).collect();
        let (buffer, zero_point) = (self.buffer(&slopes), if signs { 10 } else { -128 });
        let slopes = self.tensor(&[count], TensorType::INT8, buffer, &[0.005], &[zero_point], 0);
        let zero_point = self.rng.random_range(-60..60);
        let out = self.filled(&shape, scale * 1.1, zero_point, rms);
        self.node(BuiltinOperator::PRELU, &[x, slopes], out, (BuiltinOptions::NONE, None))
    }

    /// A node of any kind with its options left out.
    pub(crate) fn other(&mut self, code: BuiltinOperator, x: Id) -> Id {
        let shape = self.tensors[x].shape.clone();
        let out = self.like(x, &shape);
        self.node(code, &[x], out, (BuiltinOptions::NONE, None))
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
}
