//! What onnx.checker refuses in a graph: names written twice, numbers of inputs, attributes.

use super::node::describe;
use super::proto::attribute_proto::AttributeType::{self, Float, Floats, Int, Ints, Tensor};
use super::proto::attribute_proto::AttributeType::{String as Text, Strings as Texts};
use super::proto::{GraphProto, NodeProto};
use std::collections::BTreeSet;

/// Attributes by name.
type Attributes = &'static [(&'static str, AttributeType)];

/// What an operator of any version takes.
struct Schema {
    operator: &'static str,
    /// Inputs, at least and at most.
    inputs: [usize; 2],
    /// Outputs at most.
    outputs: usize,
    attributes: Attributes,
}

const ANY: usize = usize::MAX;

/// Attributes of windows.
const CONV: Attributes = &[
    ("auto_pad", Text),
    ("dilations", Ints),
    ("group", Int),
    ("kernel_shape", Ints),
    ("pads", Ints),
    ("strides", Ints),
];
const POOL: Attributes = &[
    ("auto_pad", Text),
    ("ceil_mode", Int),
    ("count_include_pad", Int),
    ("dilations", Ints),
    ("kernel_shape", Ints),
    ("pads", Ints),
    ("storage_order", Int),
    ("strides", Ints),
];
/// Of arithmetic before version 7.
const BROADCAST: Attributes = &[("axis", Int), ("broadcast", Int), ("consumed_inputs", Ints)];
const CONSUMED: Attributes = &[("consumed_inputs", Ints)];
/// Of functions; only HardSigmoid has a `beta`.
const ALPHA: Attributes = &[("alpha", Float), ("beta", Float), ("consumed_inputs", Ints)];
const AXES: Attributes = &[("axes", Ints)];
const AXIS: Attributes = &[("axis", Int)];
const REDUCE: Attributes = &[("axes", Ints), ("keepdims", Int), ("noop_with_empty_axes", Int)];
const NORMALIZATION: Attributes = &[
    ("consumed_inputs", Ints),
    ("epsilon", Float),
    ("is_test", Int),
    ("momentum", Float),
    ("spatial", Int),
    ("training_mode", Int),
];
const CONSTANT: Attributes = &[
    ("value", Tensor),
    ("value_float", Float),
    ("value_floats", Floats),
    ("value_int", Int),
    ("value_ints", Ints),
    ("value_string", Text),
    ("value_strings", Texts),
];
const DROPOUT: Attributes =
    &[("consumed_inputs", Ints), ("is_test", Int), ("ratio", Float), ("seed", Int)];
const GEMM: Attributes =
    &[("alpha", Float), ("beta", Float), ("broadcast", Int), ("transA", Int), ("transB", Int)];
const QUANTIZE: Attributes = &[
    ("axis", Int),
    ("block_size", Int),
    ("output_dtype", Int),
    ("precision", Int),
    ("saturate", Int),
];
const CLIP: Attributes = &[("consumed_inputs", Ints), ("max", Float), ("min", Float)];
const PAD: Attributes = &[("mode", Text), ("paddings", Ints), ("pads", Ints), ("value", Float)];
const RESHAPE: Attributes = &[("allowzero", Int), ("consumed_inputs", Ints), ("shape", Ints)];
const SLICE: Attributes = &[("axes", Ints), ("ends", Ints), ("starts", Ints)];
const PERM: Attributes = &[("perm", Ints)];
const SHAPE: Attributes = &[("end", Int), ("start", Int)];

const fn schema(
    operator: &'static str,
    inputs: [usize; 2],
    outputs: usize,
    attributes: Attributes,
) -> Schema {
    Schema { operator, inputs, outputs, attributes }
}

/// ONNX's `Operators.md`, all versions together.
const SCHEMAS: [Schema; 39] = [
    schema("Add", [2, 2], 1, BROADCAST),
    schema("AveragePool", [1, 1], 1, POOL),
    schema("BatchNormalization", [5, 5], 5, NORMALIZATION),
    schema("Clip", [1, 3], 1, CLIP),
    schema("Concat", [1, ANY], 1, AXIS),
    schema("Constant", [0, 0], 1, CONSTANT),
    schema("Conv", [2, 3], 1, CONV),
    schema("DequantizeLinear", [2, 3], 1, QUANTIZE),
    schema("Div", [2, 2], 1, BROADCAST),
    schema("Dropout", [1, 3], 2, DROPOUT),
    schema("Elu", [1, 1], 1, ALPHA),
    schema("Exp", [1, 1], 1, CONSUMED),
    schema("Flatten", [1, 1], 1, AXIS),
    schema("Gather", [2, 2], 1, AXIS),
    schema("Gemm", [2, 3], 1, GEMM),
    schema("GlobalAveragePool", [1, 1], 1, &[]),
    schema("HardSigmoid", [1, 1], 1, ALPHA),
    schema("HardSwish", [1, 1], 1, &[]),
    schema("Identity", [1, 1], 1, &[]),
    schema("LeakyRelu", [1, 1], 1, ALPHA),
    schema("MatMul", [2, 2], 1, &[]),
    schema("MaxPool", [1, 1], 2, POOL),
    schema("Mul", [2, 2], 1, BROADCAST),
    schema("Pad", [1, 4], 1, PAD),
    schema("QuantizeLinear", [2, 3], 1, QUANTIZE),
    schema("ReduceMean", [1, 2], 1, REDUCE),
    schema("Relu", [1, 1], 1, CONSUMED),
    schema("Reshape", [1, 2], 1, RESHAPE),
    schema("Shape", [1, 1], 1, SHAPE),
    schema("Sigmoid", [1, 1], 1, CONSUMED),
    schema("Slice", [1, 5], 1, SLICE),
    schema("Softmax", [1, 1], 1, AXIS),
    schema("Softplus", [1, 1], 1, &[]),
    schema("Softsign", [1, 1], 1, &[]),
    schema("Squeeze", [1, 2], 1, AXES),
    schema("Sub", [2, 2], 1, BROADCAST),
    schema("Tanh", [1, 1], 1, CONSUMED),
    schema("Transpose", [1, 1], 1, PERM),
    schema("Unsqueeze", [1, 2], 1, AXES),
];

/// Checks names, inputs, outputs and attributes of a graph.
pub(super) fn check(graph: &GraphProto) -> Result<(), String> {
    let constants = graph.initializer.iter().map(|tensor| tensor.name());
    let mut written = once(constants, |name| format!("there are two constants named `{name}`"))?;
    let inputs = graph.input.iter().map(|input| input.name());
    // old files list constants among the inputs
    written.extend(once(inputs, |name| format!("there are two inputs named `{name}`"))?);
    for (n, node) in graph.node.iter().enumerate() {
        let fault = |what: String| format!("{}: {what}", describe(n, node));
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            if !written.insert(output) {
                return Err(fault(format!("`{output}` has its value already")));
            }
        }
        check_node(node).map_err(fault)?;
    }
    Ok(())
}

/// The names, of which none may be there twice.
fn once<'g>(
    mut names: impl Iterator<Item = &'g str>,
    twice: impl Fn(&str) -> String,
) -> Result<BTreeSet<&'g str>, String> {
    let mut seen = BTreeSet::new();
    match names.find(|name| !seen.insert(*name)) {
        Some(name) => Err(twice(name)),
        None => Ok(seen),
    }
}

fn check_node(node: &NodeProto) -> Result<(), String> {
    let names = node.attribute.iter().map(|attribute| attribute.name());
    once(names, |name| format!("attribute `{name}` is given twice"))?;
    let standard = ["", "ai.onnx"].contains(&node.domain());
    let known = SCHEMAS.iter().find(|schema| standard && schema.operator == node.op_type());
    let Some(Schema { operator, inputs: [least, most], outputs, attributes }) = known else {
        return Ok(());
    };
    let read = node.input.len();
    if read < *least || read > *most {
        let must = match (*least, *most) {
            (least, most) if least == most => least.to_string(),
            (least, ANY) => format!("at least {least}"),
            (least, most) => format!("{least} to {most}"),
        };
        return Err(format!("{operator} has {read} inputs: must have {must}"));
    }
    if node.output.len() > *outputs {
        let written = node.output.len();
        return Err(format!("{operator} has {written} outputs: must have at most {outputs}"));
    }
    for attribute in &node.attribute {
        let name = attribute.name();
        let Some((_, kind)) = attributes.iter().find(|(known, _)| *known == name) else {
            return Err(format!("{operator} has no attribute `{name}`"));
        };
        // files of the format's first version do not say it
        let given = attribute.r#type.unwrap_or_default();
        if given != 0 && given != *kind as i32 {
            let kind = kind.as_str_name().to_lowercase();
            return Err(format!("attribute `{name}` is not of type {kind}"));
        }
    }
    Ok(())
}
