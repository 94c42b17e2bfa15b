"""Writes a float network with random weights, quantized by ONNX Runtime's own tool.

quantize.py KIND OUTPUT
KIND: int8 (scales a channel), uint8 (a scale a tensor), int4 (four-bit weights).
"""

import os
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

kind, output = sys.argv[1:]
random = np.random.default_rng(1)
KINDS = {
    "int8": dict(
        per_channel=True, activation_type=QuantType.QInt8, weight_type=QuantType.QInt8
    ),
    "uint8": dict(activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8),
    "int4": dict(
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt4,
        extra_options={"UseQDQContribOps": True},
    ),
}
SHAPE = (1, 3, 16, 16)


def constant(name, *shape):
    fan = np.prod(shape[1:]) if len(shape) > 1 else 16
    values = random.normal(size=shape) / np.sqrt(fan)
    return numpy_helper.from_array(values.astype(np.float32), name)


class Calibration(CalibrationDataReader):
    def __init__(self):
        shapes = [SHAPE] * 20
        self.samples = iter(random.normal(size=shape).astype(np.float32) for shape in shapes)

    def get_next(self):
        sample = next(self.samples, None)
        return None if sample is None else {"x": sample}


node = helper.make_node
nodes = [
    node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2]),
    node("BatchNormalization", ["c1", "gamma", "beta", "mean", "variance"], ["n1"]),
    node("Relu", ["n1"], ["r1"]),
    node("Conv", ["r1", "w2", "b2"], ["c2"], group=8, pads=[1, 1, 1, 1]),
    node("Clip", ["c2", "zero", "six"], ["r2"]),
    node("Conv", ["r2", "w3", "b3"], ["c3"]),
    node("Conv", ["r1", "w5"], ["c5"]),
    node("Add", ["c3", "c5"], ["a"]),
    node("Relu", ["a"], ["r3"]),
    node("MaxPool", ["r3"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
    node("AveragePool", ["m"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
    node("GlobalAveragePool", ["p"], ["g"]),
    node("Flatten", ["g"], ["f"]),
    node("Gemm", ["f", "w4", "b4"], ["s"], transB=1),
    node("Softmax", ["s"], ["z"]),
]
constants = [
    constant("w1", 8, 3, 3, 3),
    constant("b1", 8),
    constant("gamma", 8),
    constant("beta", 8),
    constant("mean", 8),
    numpy_helper.from_array(np.ones(8, np.float32), "variance"),
    constant("w2", 8, 1, 3, 3),
    constant("b2", 8),
    constant("w3", 16, 8, 1, 1),
    constant("b3", 16),
    constant("w5", 16, 8, 1, 1),
    constant("w4", 10, 16),
    constant("b4", 10),
    numpy_helper.from_array(np.float32(0), "zero"),
    numpy_helper.from_array(np.float32(6), "six"),
]
value = helper.make_tensor_value_info
graph = helper.make_graph(
    nodes,
    "graph",
    [value("x", TensorProto.FLOAT, SHAPE)],
    [value("z", TensorProto.FLOAT, (1, 10))],
    constants,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
with tempfile.TemporaryDirectory() as folder:
    full, prepared = os.path.join(folder, "full.onnx"), os.path.join(folder, "prepared.onnx")
    onnx.save(model, full)
    # folds the normalization
    quant_pre_process(full, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, output, Calibration(), quant_format=QuantFormat.QDQ, **KINDS[kind])
