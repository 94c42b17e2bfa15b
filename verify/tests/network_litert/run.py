"""Runs a TFLite model on inputs and writes what every node wrote.

run.py MODEL INPUTS COUNT RESOLVER OUTPUT
INPUTS: COUNT times the model's inputs, in order, as bytes. RESOLVER: reference, optimized (no
delegate) or default (XNNPACK; only the model's outputs can be seen). OUTPUT: COUNT times the bytes
of every node's output. Prints a line "node length" for each part of such a run; node -1 is an
output of the model.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

RESOLVERS = {
    "reference": OpResolverType.BUILTIN_REF,
    "optimized": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "default": OpResolverType.BUILTIN,
}

model, inputs, count, resolver, output = sys.argv[1:]
interpreter = Interpreter(
    model_path=model,
    experimental_op_resolver_type=RESOLVERS[resolver],
    experimental_preserve_all_tensors=resolver != "default",
)
interpreter.allocate_tensors()
given = interpreter.get_input_details()
if resolver == "default":
    parts = [(-1, detail["index"]) for detail in interpreter.get_output_details()]
else:
    nodes = interpreter._get_ops_details()
    parts = [(n, t) for n, node in enumerate(nodes) for t in node["outputs"]]
kinds = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
parts = [(n, t) for n, t in parts if t in kinds and kinds[t]["dtype"] in (np.int8, np.uint8)]


def real_input(tensor):
    """The quantized tensor that a real input becomes: what comes in are its bytes."""
    for node in interpreter._get_ops_details():
        if node["op_name"] == "QUANTIZE" and tensor in node["inputs"]:
            return kinds[node["outputs"][0]]
    raise ValueError(f"nothing quantizes input {tensor}")


data = np.fromfile(inputs, dtype=np.uint8)
at = 0
with open(output, "wb") as file:
    for _ in range(int(count)):
        for detail in given:
            length = int(np.prod(detail["shape"]))
            value = data[at : at + length]
            if detail["dtype"] == np.float32:
                inner = real_input(detail["index"])
                scale, zero_point = inner["quantization"]
                value = value.view(inner["dtype"]).astype(np.float32) - np.float32(zero_point)
                value = value * np.float32(scale)
            value = value.view(detail["dtype"]).reshape(detail["shape"])
            interpreter.set_tensor(detail["index"], value)
            at += length
        interpreter.invoke()
        for _, tensor in parts:
            file.write(interpreter.get_tensor(tensor).tobytes())
for n, tensor in parts:
    print(n, interpreter.get_tensor(tensor).size)
