"""KWS-mini through hls4ml: QONNX to C++, compiled with g++ and run: an emulation without cycles.

Its RTL needs a vendor's high-level synthesis. Argument: a folder for what comes out.
"""

import json
import os
import sys
import time

import hls4ml
import network
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.util.cleanup import cleanup_model

FOLDER = sys.argv[1]
RUNS = 20


class Graph:
    """A QONNX graph in the making: each node reads the one before."""

    def __init__(self):
        self.nodes, self.constants, self.last = [], [], "features"

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def node(self, kind, name, inputs, domain="", **attributes):
        node = helper.make_node(kind, inputs, [name], name=f"node_{name}", domain=domain, **attributes)
        self.nodes.append(node)
        return name

    def quantized(self, name, of, scale, signed=1):
        inputs = [of, self.constant(f"{name}_scale", scale), self.constant(f"{name}_zero", 0.0),
                  self.constant(f"{name}_bits", 8.0)]
        return self.node("Quant", name, inputs, domain="qonnx.custom_op.general", signed=signed,
                         narrow=0, rounding_mode="ROUND")

    def weights(self, name, draws, shape):
        drawn = np.array(draws.s8(int(np.prod(shape)))).reshape(shape) / 128
        return self.quantized(f"{name}_q", self.constant(name, drawn), 1 / 128)


def model(draws):
    g = Graph()
    g.last = g.quantized("features_q", g.last, 1 / 128)
    for conv in network.CONVS:
        shape = (conv.outputs, conv.inputs, conv.kernel, conv.kernel)
        weights = g.weights(f"{conv.name}_w", draws, shape)
        summed = g.node("Conv", conv.name, [g.last, weights], kernel_shape=[conv.kernel] * 2,
                        strides=[conv.stride] * 2, pads=list(conv.pads), dilations=[1, 1], group=1)
        relu = g.node("Relu", f"{conv.name}_relu", [summed])
        g.last = g.quantized(f"{conv.name}_q", relu, 1 / 32, signed=0)
    g.last = g.node("Flatten", "flat", [g.last], axis=1)
    weights = g.weights("dense_w", draws, (network.FLAT, network.SCORES))
    g.node("MatMul", "scores", [g.last, weights])
    shape = (1, 1, network.HEIGHT, network.WIDTH)
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, network.SCORES))
    graph = helper.make_graph(g.nodes, "kws_mini", [features], [scores], g.constants)
    domains = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
    return ModelWrapper(helper.make_model(graph, opset_imports=domains, ir_version=8))


draws = network.Draws()
start = time.perf_counter()
prepared = cleanup_model(model(draws))
prepared = cleanup_model(prepared.transform(ConvertToChannelsLastAndClean()).transform(GemmToMatMul()))
configuration = hls4ml.utils.config_from_onnx_model(
    prepared, granularity="name", backend="Vitis", default_precision="fixed<24,12>"
)
project = hls4ml.converters.convert_from_onnx_model(
    prepared,
    output_dir=os.path.join(FOLDER, "project"),
    project_name="kws_mini",
    io_type="io_stream",
    backend="Vitis",
    hls_config=configuration,
)
project.write()
measured = {"generate_seconds": time.perf_counter() - start}
start = time.perf_counter()
project.compile()
measured["compile_seconds"] = time.perf_counter() - start
given = np.array(draws.s8(RUNS * network.HEIGHT * network.WIDTH), np.float32) / 128
given = given.reshape(RUNS, network.HEIGHT, network.WIDTH, 1)
start = time.perf_counter()
said = project.predict(np.ascontiguousarray(given))
measured["milliseconds"] = (time.perf_counter() - start) * 1000 / RUNS
said = np.asarray(said).reshape(RUNS, network.SCORES)
wanted = execute_onnx(prepared, {prepared.graph.input[0].name: given[:1].transpose(0, 3, 1, 2)})
(wanted,) = wanted.values()
difference = float(np.abs(wanted.reshape(-1) - said[0]).max())
assert difference < 0.01 < np.ptp(wanted), f"off by {difference} from QONNX, which says {wanted}"
measured["largest_difference"] = difference
print(json.dumps(measured))
