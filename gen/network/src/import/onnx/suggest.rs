//! Which operators there are, and what to write instead of others.

use super::function::FUNCTIONS;
use super::proto::NodeProto;

const KNOWN: [&str; 30] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "Identity",
    "MatMul",
    "MaxPool",
    "Mul",
    "Pad",
    "QuantizeLinear",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Shape",
    "Slice",
    "Softmax",
    "Squeeze",
    "Sub",
    "Transpose",
];

/// Whether there is a layer for the operator.
pub(super) fn known(node: &NodeProto) -> bool {
    let operator = node.op_type();
    match node.domain() {
        "" | "ai.onnx" => {
            KNOWN.contains(&operator) || FUNCTIONS.contains(&operator) || operator == "Unsqueeze"
        }
        "qonnx.custom_op.general" | "onnx.brevitas" | "finn.custom_op.general" => {
            ["Quant", "IntQuant"].contains(&operator)
        }
        // what ONNX Runtime writes for 4-bit types
        "com.microsoft" => ["QuantizeLinear", "DequantizeLinear"].contains(&operator),
        _ => false,
    }
}

/// What to write instead of an operator there is no layer for.
pub(super) fn suggestion(operator: &str) -> &'static str {
    match operator {
        "PRelu" | "Gelu" | "Mish" | "Erf" => "use Relu, LeakyRelu or HardSwish instead",
        "BipolarQuant" => "use a Quant of 2 bits",
        "Trunc" | "FloatQuant" => "use a Quant of 2 to 8 bits",
        "Sub" | "Div" => "fold it into the convolution before it",
        "QLinearConv"
        | "QLinearMatMul"
        | "QLinearAdd"
        | "QGemm"
        | "ConvInteger"
        | "MatMulInteger"
        | "DynamicQuantizeLinear" => "quantize statically in QDQ form (QuantFormat.QDQ)",
        "Resize" | "Upsample" => "resize the input before the network",
        "Split" | "Gather" => "take each part by a Slice",
        "ConvTranspose" => "pad and convolve instead",
        "LSTM" | "GRU" | "RNN" => "use temporal convolutions instead",
        "GlobalMaxPool" | "ReduceMax" => "use a MaxPool over the whole image",
        "ReduceSum" => "use a ReduceMean, and scale the layer after it",
        "ArgMax" => "leave it out: the largest output is the answer",
        "LayerNormalization" | "InstanceNormalization" | "GroupNormalization" => {
            "use BatchNormalization, which is folded into the convolution"
        }
        "Shape" | "Cast" | "ConstantOfShape" => {
            "export with fixed shapes and fold constants (onnxsim)"
        }
        _ => "leave it out or run it on the host",
    }
}
