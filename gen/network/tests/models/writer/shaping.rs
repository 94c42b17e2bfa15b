//! Layers that only move elements.

use super::{Id, Writer};
use hwgen_network::import::tflite::schema::{
    BuiltinOperator, BuiltinOptions, ConcatenationOptions, ConcatenationOptionsArgs,
    ReshapeOptions, ReshapeOptionsArgs, ResizeNearestNeighborOptions,
    ResizeNearestNeighborOptionsArgs, SqueezeOptions, SqueezeOptionsArgs, StridedSliceOptions,
    StridedSliceOptionsArgs, TensorType,
};

impl Writer {
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

    /// From `begin` to before `end` of each axis; `end` 0 is the axis' end.
    pub(crate) fn strided_slice(&mut self, x: Id, begin: &[i32], end: &[i32]) -> Id {
        let size = |((&all, &begin), &end): ((&usize, &i32), &i32)| {
            let from = |at: i32| if at < 0 { all as i32 + at } else { at };
            (if end == 0 { all as i32 } else { from(end) } - from(begin)) as usize
        };
        let axes = self.tensors[x].shape.iter().zip(begin).zip(end);
        let shape: Vec<usize> = axes.map(size).collect();
        let out = self.like(x, &shape);
        let ones = vec![1; begin.len()];
        self.slice_into(x, [begin, end, &ones], [0; 2], out)
    }

    /// All of each axis at a distance, from the last on if it is below 0.
    pub(crate) fn at_strides(&mut self, x: Id, strides: &[i32]) -> Id {
        let sizes = self.tensors[x].shape.iter().zip(strides);
        let shape = sizes.map(|(all, stride)| all.div_ceil(stride.unsigned_abs() as usize));
        let out = self.like(x, &shape.collect::<Vec<_>>());
        let zeros = vec![0; strides.len()];
        self.slice_into(x, [&zeros, &zeros, strides], [(1 << strides.len()) - 1, 0], out)
    }

    /// The axes in another order.
    pub(crate) fn transpose(&mut self, x: Id, axes: &[usize]) -> Id {
        let order: Vec<i32> = axes.iter().map(|&axis| axis as i32).collect();
        let order = self.constant(&[axes.len()], &order);
        let shape: Vec<usize> = axes.iter().map(|&axis| self.tensors[x].shape[axis]).collect();
        let out = self.like(x, &shape);
        self.node(BuiltinOperator::TRANSPOSE, &[x, order], out, (BuiltinOptions::NONE, None))
    }

    /// Another height and width.
    pub(crate) fn resize(&mut self, x: Id, [height, width]: [usize; 2], kind: [bool; 2]) -> Id {
        let [align_corners, half_pixel_centers] = kind;
        let args = ResizeNearestNeighborOptionsArgs { align_corners, half_pixel_centers };
        let options = ResizeNearestNeighborOptions::create(&mut self.fbb, &args);
        let options =
            (BuiltinOptions::ResizeNearestNeighborOptions, Some(options.as_union_value()));
        let size = self.constant(&[2], &[height as i32, width as i32]);
        let [batch, _, _, depth] = self.image(x);
        let out = self.like(x, &[batch, height, width, depth]);
        self.node(BuiltinOperator::RESIZE_NEAREST_NEIGHBOR, &[x, size], out, options)
    }

    fn slice_into(
        &mut self,
        x: Id,
        [begin, end, strides]: [&[i32]; 3],
        [begin_mask, shrink]: [i32; 2],
        out: Id,
    ) -> Id {
        let open = |(axis, &end): (usize, &i32)| i32::from(end == 0) << axis;
        let args = StridedSliceOptionsArgs {
            begin_mask,
            end_mask: end.iter().enumerate().map(open).sum(),
            shrink_axis_mask: shrink,
            ..Default::default()
        };
        let options = StridedSliceOptions::create(&mut self.fbb, &args).as_union_value();
        let length = [begin.len()];
        let lists = [begin, end, strides].map(|list| self.constant(&length, list));
        let options = (BuiltinOptions::StridedSliceOptions, Some(options));
        self.node(BuiltinOperator::STRIDED_SLICE, &[[x].as_slice(), &lists].concat(), out, options)
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
        self.slice_into(sizes, [&[0], &[1], &[1]], [0, 1], batch);
        let rest = shape[1..].iter().map(|&size| self.constant(&[], &[size as i32]));
        let parts: Vec<Id> = std::iter::once(batch).chain(rest.collect::<Vec<_>>()).collect();
        let wanted = self.tensor(&[shape.len()], TensorType::INT32, 0, &[], &[], 0);
        self.node(BuiltinOperator::PACK, &parts, wanted, none);
        let out = self.like(x, shape);
        self.node(BuiltinOperator::RESHAPE, &[x, wanted], out, none)
    }
}
