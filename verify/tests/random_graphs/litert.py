"""Runs TFLite models N.tflite of a folder on the bytes of N.in; writes N.out, the outputs of each run.

litert.py FOLDER COUNT
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

folder, count = sys.argv[1:]
for n in range(int(count)):
    interpreter = Interpreter(
        model_path=f"{folder}/{n}.tflite",
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    data = np.fromfile(f"{folder}/{n}.in", dtype=np.uint8)
    at = 0
    with open(f"{folder}/{n}.out", "wb") as file:
        while at < len(data):
            for detail in interpreter.get_input_details():
                length = int(np.prod(detail["shape"]))
                value = data[at : at + length].view(detail["dtype"]).reshape(detail["shape"])
                interpreter.set_tensor(detail["index"], value)
                at += length
            interpreter.invoke()
            for detail in interpreter.get_output_details():
                file.write(interpreter.get_tensor(detail["index"]).tobytes())
