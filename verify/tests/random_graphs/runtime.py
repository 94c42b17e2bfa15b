"""Runs ONNX models N.onnx of a folder on the numbers of N.in, float32; writes N.out, the outputs of each run.

runtime.py FOLDER COUNT
Models with Quant nodes run in qonnx, others in ONNX Runtime without optimization.
"""

import sys

import numpy as np
import onnx
import onnxruntime
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes


def runner(path):
    model = onnx.load(path)
    given = model.graph.input[0].name
    names = [result.name for result in model.graph.output]
    if any(node.op_type == "Quant" for node in model.graph.node):
        wrapper = ModelWrapper(model).transform(InferShapes())

        def run(x):
            results = execute_onnx(wrapper, {given: x}, return_full_exec_context=True)
            return [results[name] for name in names]

    else:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(path, options)

        def run(x):
            return session.run(names, {given: x})

    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    return shape, run


folder, count = sys.argv[1:]
for n in range(int(count)):
    shape, run = runner(f"{folder}/{n}.onnx")
    data = np.fromfile(f"{folder}/{n}.in", dtype=np.float32).reshape([-1] + shape)
    with open(f"{folder}/{n}.out", "wb") as file:
        for x in data:
            for result in run(x):
                file.write(result.astype(np.float32).tobytes())
