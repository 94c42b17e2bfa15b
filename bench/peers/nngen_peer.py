"""KWS-mini through NNgen: its operators to Verilog, its Verilog with its memory model in Icarus.

Arguments: channels in parallel, a folder for what comes out.
"""

import json
import math
import os
import sys
import time

import network
import nngen as ng
import numpy as np
import veriloggen.thread as vthread
import veriloggen.types.axi as axi
from veriloggen import Delay, Module, Not, Seq, Systask, simulation

PARALLEL, FOLDER = int(sys.argv[1]), sys.argv[2]
BUS_BITS = 32
ALIGN = 64
MEMORY_WORDS = 1 << 18
CYCLES_AT_MOST = 1_000_000


def graph(draws):
    """The network as NNgen's dataflow; returns its input and its output."""

    def values(name, dtype, shape, bits):
        variable = ng.variable(dtype, shape=shape, name=name)
        drawn = np.array(draws.s8(int(np.prod(shape))), dtype=np.int64).reshape(shape)
        variable.set_value(drawn >> (8 - bits))
        return variable

    def ones(name, count):
        variable = ng.variable(ng.int8, shape=(count,), name=name)
        variable.set_value(np.ones((count,), dtype=np.int64))
        return variable

    x = features = ng.placeholder(
        ng.int8, shape=(1, network.HEIGHT, network.WIDTH, 1), name="features"
    )
    for conv in network.CONVS:
        shape = (conv.outputs, conv.kernel, conv.kernel, conv.inputs)
        top, left, bottom, right = conv.pads
        x = ng.conv2d(
            x,
            values(f"{conv.name}_weights", ng.int8, shape, 8),
            strides=(1, conv.stride, conv.stride, 1),
            bias=values(f"{conv.name}_bias", ng.int32, (conv.outputs,), 4),
            scale=ones(f"{conv.name}_scale", conv.outputs),
            act_func=ng.relu,
            dtype=ng.int8,
            sum_dtype=ng.int32,
            padding=(top, bottom, left, right),
        )
        assert x.shape == (1, *conv.out, conv.outputs), x.shape
        x.attribute(par_ich=PARALLEL, par_och=PARALLEL, cshamt_out=conv.shift)
    scores = ng.matmul(
        ng.reshape(x, [1, -1]),
        values("dense_weights", ng.int8, (network.SCORES, network.FLAT), 8),
        bias=values("dense_bias", ng.int32, (network.SCORES,), 4),
        scale=ones("dense_scale", network.SCORES),
        transposed_b=True,
        dtype=ng.int8,
        sum_dtype=ng.int32,
        name="scores",
    )
    scores.attribute(par_ich=PARALLEL, par_och=PARALLEL, cshamt_out=network.DENSE_SHIFT)
    return features, scores


def aligned(address):
    return int(math.ceil(address / ALIGN)) * ALIGN


draws = network.Draws()
start = time.perf_counter()
features, scores = graph(draws)
core = ng.to_veriloggen([scores], "kws_mini", silent=True, config={"maxi_datawidth": BUS_BITS})
verilog = core.to_verilog()
seconds = time.perf_counter() - start
path = os.path.join(FOLDER, f"nngen_{PARALLEL}.v")
with open(path, "w") as file:
    file.write(verilog)
measured = {
    "verilog": path,
    "top": "kws_mini",
    "lines": verilog.count("\n"),
    "generate_seconds": seconds,
}
# what has been generated is told even if the simulation is cut off
print(json.dumps(measured), flush=True)

shape = features.shape
given = np.array(draws.s8(int(np.prod(shape))), dtype=np.int64).reshape(shape)
expected = ng.eval([scores], features=given)[0]
parameters = ng.export_ndarray([scores], ALIGN)
parameters_at = aligned(features.addr + features.memory_size)
expected_at = aligned(parameters_at + len(parameters))
scratch_at = aligned(expected_at + scores.memory_size)
memory_image = np.zeros([MEMORY_WORDS], dtype=np.int64)
words = max(BUS_BITS // 8, PARALLEL)
axi.set_memory(memory_image, given, BUS_BITS, 8, features.addr, words)
axi.set_memory(memory_image, parameters, BUS_BITS, 8, parameters_at)
axi.set_memory(memory_image, expected, BUS_BITS, 8, expected_at, words)

bench = Module("bench")
parameters_of = bench.copy_params(core)
ports = bench.copy_sim_ports(core)
clock, reset_n = ports["CLK"], ports["RESETN"]
reset = bench.Wire("RST")
reset.assign(Not(reset_n))
memory = axi.AxiMemoryModel(
    bench,
    "memory",
    clock,
    reset,
    datawidth=BUS_BITS,
    memimg=memory_image,
    memimg_name=f"memory_{PARALLEL}.img",
    memimg_datawidth=BUS_BITS,
)
memory.connect(ports, "maxi")
registers = vthread.AXIMLite(bench, "registers", clock, reset, noio=True)
registers.connect(ports, "saxi")
cycle = bench.Reg("cycle", 32, initval=0)
sequence = Seq(bench, "sequence", clock, reset)
sequence(cycle.inc())


def control():
    ng.sim.set_global_addrs(registers, scratch_at)
    begin = cycle.value
    ng.sim.start(registers)
    ng.sim.wait(registers)
    end = cycle.value
    print("cycles %d" % (end - begin))
    for score in range(network.SCORES):
        got = memory.read_word(score, scores.addr, 8)
        wanted = memory.read_word(score, expected_at, 8)
        if vthread.verilog.NotEql(got, wanted):
            print("differs %d" % score)
        else:
            print("equal %d" % score)
    vthread.finish()


vthread.Thread(bench, "control", clock, reset, control).start()
bench.Instance(
    core, "core", params=bench.connect_params(core), ports=bench.connect_ports(core)
)
simulation.setup_clock(bench, clock, hperiod=5)
begin = simulation.setup_reset(bench, reset_n, bench.make_reset(), period=100, polarity="low")
begin.add(Delay(10 * CYCLES_AT_MOST), Systask("finish"))

start = time.perf_counter()
said = simulation.Simulator(bench, sim="iverilog").run(outputfile=f"nngen_{PARALLEL}.vvp")
words = [line.split() for line in said.splitlines() if line.strip()]
cycles = [int(line[1]) for line in words if line[0] == "cycles"]
equal = sum(line[0] == "equal" for line in words)
if not cycles or equal != network.SCORES:
    sys.exit(f"{equal} of {network.SCORES} scores are as NNgen's own model has them: {said[:500]}")
measured["cycles"] = cycles[0]
measured["simulate_seconds"] = time.perf_counter() - start
measured["distinct_scores"] = len(set(expected.reshape(-1).tolist()))
print(json.dumps(measured))
