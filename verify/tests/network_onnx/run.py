"""Runs an ONNX model on inputs and writes its output.

run.py MODEL INPUTS COUNT OUTPUT
INPUTS: COUNT times the model's only input, float32. OUTPUT: COUNT times its outputs, float32.
Models with Quant nodes run in qonnx, others in ONNX Runtime without optimization.
"""

import sys

import numpy as np
import onnx

path, inputs, count, output = sys.argv[1:]
model = onnx.load(path)
given, results = model.graph.input[0], [output.name for output in model.graph.output]
shape = [dim.dim_value for dim in given.type.tensor_type.shape.dim]
data = np.fromfile(inputs, dtype=np.float32).reshape([int(count)] + shape)

if any(node.op_type == "Quant" for node in model.graph.node):
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    wrapper = ModelWrapper(model).transform(InferShapes())

    def run(x):
        made = execute_onnx(wrapper, {given.name: x})
        return [made[name] for name in results]

else:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options)

    def run(x):
        return session.run(results, {given.name: x})


with open(output, "wb") as file:
    for x in data:
        for made in run(x):
            file.write(made.astype(np.float32).tobytes())
