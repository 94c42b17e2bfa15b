//! Writes TFLite files, a node at a time.

#![allow(clippy::too_many_arguments)] // as many as a convolution has

mod elements;
mod linear;
mod shaping;

use flatbuffers::{FlatBufferBuilder, UnionWIPOffset, WIPOffset};
use hwgen_network::import::tflite::schema::{
    ActivationFunctionType, Buffer, BufferArgs, BuiltinOperator, BuiltinOptions, CallOnceOptions,
    CallOnceOptionsArgs, Long, Model, ModelArgs, Operator, OperatorArgs, OperatorCode,
    OperatorCodeArgs, Padding, QuantizationParameters, QuantizationParametersArgs, SubGraph,
    SubGraphArgs, Tensor, TensorArgs, TensorType, VarHandleOptions, VarHandleOptionsArgs,
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

/// A variable, as the initialization needs it.
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

    /// An input of a scale of its own.
    pub(crate) fn input_of_scale(&mut self, shape: &[usize], scale: f32) -> Id {
        self.given(shape, scale, 0)
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
    fn initialization(&mut self) -> Option<WIPOffset<SubGraph<'static>>> {
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
        let initialization = self.initialization();
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
            std::iter::once(SubGraph::create(fbb, &args)).chain(initialization).collect();
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
        let steps = self.steps(scales, zero_points, axis);
        self.tensor_of(shape, kind, buffer, steps)
    }

    fn steps(&mut self, scales: &[f32], zero_points: &[i64], axis: usize) -> Steps {
        let fbb = &mut self.fbb;
        let halves = |&zero: &i64| Long::new(zero as u32, (zero >> 32) as i32);
        let halves: Vec<Long> = zero_points.iter().map(halves).collect();
        let args = QuantizationParametersArgs {
            scale: Some(fbb.create_vector(scales)),
            zero_point: Some(fbb.create_vector(&halves)),
            quantized_dimension: axis as i32,
            ..Default::default()
        };
        let table = (!scales.is_empty()).then(|| QuantizationParameters::create(fbb, &args));
        let scale = scales.first().copied().unwrap_or(1.0);
        Steps { scale, zero_point: zero_points.first().copied().unwrap_or(0), table }
    }

    fn tensor_of(&mut self, shape: &[usize], kind: TensorType, buffer: u32, steps: Steps) -> Id {
        let fbb = &mut self.fbb;
        let Steps { scale, zero_point, table: quantization } = steps;
        let sizes: Vec<i32> = shape.iter().map(|&size| size as i32).collect();
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
        self.tensors.push(Written { shape: shape.to_vec(), scale, zero_point, rms: 74.0, table });
        self.tensors.len() - 1
    }
}

/// Scales and zero points, the first ones in words; tensors may share the table.
#[derive(Clone, Copy)]
struct Steps {
    scale: f32,
    zero_point: i64,
    table: Option<WIPOffset<QuantizationParameters<'static>>>,
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
