"""The array that Amaranth would make of the multiplications: 8 x 8 of s8, weights held, sums moving down.

Only the array, which is what a language without a library of networks gives: no memories, no requantization, no network.
Argument: a folder for what comes out.
"""

import json
import os
import sys
import time

import network
from amaranth.back import verilog
from amaranth.hdl import Elaboratable, Module, Signal, signed
from amaranth.sim import Simulator

FOLDER = sys.argv[1]
SIDE = 8
SUM_BITS = 24


class Array(Elaboratable):
    """Row i multiplies activation i by its weights; activations move right, sums down."""

    def __init__(self):
        self.activations = [Signal(signed(8), name=f"activation_{i}") for i in range(SIDE)]
        self.weights = [Signal(signed(8), name=f"weight_{j}") for j in range(SIDE)]
        self.load = Signal()
        self.sums = [Signal(signed(SUM_BITS), name=f"sum_{j}") for j in range(SIDE)]

    def elaborate(self, platform):
        m = Module()
        down = [0] * SIDE
        weights = self.weights
        for i in range(SIDE):
            right = self.activations[i]
            below = []
            for j in range(SIDE):
                weight = Signal(signed(8), name=f"weight_{i}_{j}")
                moved = Signal(signed(8), name=f"moved_{i}_{j}")
                total = Signal(signed(SUM_BITS), name=f"total_{i}_{j}")
                with m.If(self.load):
                    m.d.sync += weight.eq(weights[j])
                m.d.sync += [moved.eq(right), total.eq(down[j] + right * weight)]
                right, down[j] = moved, total
                below.append(weight)
            weights = below
        m.d.comb += [out.eq(total) for out, total in zip(self.sums, down)]
        return m


def check(draws, vectors=32):
    """Streams vectors through a loaded array; returns cycles a second of Amaranth's simulator."""
    weights = [draws.s8(SIDE) for _ in range(SIDE)]
    given = [draws.s8(SIDE) for _ in range(vectors)]
    array = Array()
    simulator = Simulator(array)
    simulator.add_clock(1e-6)
    cycles = SIDE + vectors + 2 * SIDE

    async def bench(context):
        context.set(array.load, 1)
        for row in reversed(weights):
            for signal, weight in zip(array.weights, row):
                context.set(signal, weight)
            await context.tick()
        context.set(array.load, 0)
        for t in range(vectors + 2 * SIDE):
            for i, signal in enumerate(array.activations):
                context.set(signal, given[t - i][i] if 0 <= t - i < vectors else 0)
            await context.tick()
            for j, signal in enumerate(array.sums):
                n = t - (SIDE - 1) - j
                if 0 <= n < vectors:
                    wanted = sum(a * row[j] for a, row in zip(given[n], weights))
                    assert context.get(signal) == wanted, (n, j, context.get(signal), wanted)

    simulator.add_testbench(bench)
    start = time.perf_counter()
    simulator.run()
    return cycles / (time.perf_counter() - start)


start = time.perf_counter()
array = Array()
ports = [*array.activations, *array.weights, array.load, *array.sums]
text = verilog.convert(array, name="array", ports=ports)
seconds = time.perf_counter() - start
path = os.path.join(FOLDER, "amaranth.v")
with open(path, "w") as file:
    file.write(text)
print(json.dumps({
    "verilog": path,
    "top": "array",
    "lines": text.count("\n"),
    "generate_seconds": seconds,
    "simulated_cycles_a_second": check(network.Draws()),
}))
