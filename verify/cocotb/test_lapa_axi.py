"""LAPA behind AXI between the bus models of cocotbext-axi.

Vectors and answers come from hwgen's golden models, as JSON (verify/tests/axi_rtl/cocotb.rs).
"""

import json
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamSink,
    AxiStreamSource,
)

with open(os.environ["VECTORS"]) as file:
    VECTORS = json.load(file)
REGISTERS = {register["name"]: register for register in VECTORS["registers"]["registers"]}


def pauses(seed, share):
    """True in a cycle that stalls."""
    chance = random.Random(seed)
    while True:
        yield chance.random() < share


class Host:
    """Everything around the device."""

    def __init__(self, dut):
        self.dut = dut
        cocotb.start_soon(Clock(dut.aclk, 10, units="ns").start())
        domain = dict(clock=dut.aclk, reset=dut.aresetn, reset_active_level=False)
        lanes = dict(byte_lanes=VECTORS["bus_bits"] // 8)
        bus = AxiStreamBus.from_prefix
        self.registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), **domain)
        self.keys = AxiStreamSource(bus(dut, "s_axis_keys"), **domain, **lanes)
        self.queries = AxiStreamSource(bus(dut, "s_axis_queries"), **domain, **lanes)
        self.out = AxiStreamSink(bus(dut, "m_axis_out"), **domain, **lanes)

    def stall(self, seed, share):
        writes, reads = self.registers.write_if, self.registers.read_if
        ends = [
            writes.aw_channel,
            writes.w_channel,
            writes.b_channel,
            reads.ar_channel,
            reads.r_channel,
            self.keys,
            self.queries,
            self.out,
        ]
        for n, end in enumerate(ends):
            end.set_pause_generator(pauses(f"{seed} {n}", share))

    async def reset(self):
        self.dut.aresetn.value = 0
        for _ in range(4):
            await RisingEdge(self.dut.aclk)
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)

    async def read(self, register):
        return await self.registers.read_dword(REGISTERS[register]["offset"])

    async def write(self, register, value):
        await self.registers.write_dword(REGISTERS[register]["offset"], value)


def mask(register):
    return (1 << register["bits"]) - 1


@cocotb.test()
async def registers(dut):
    host = Host(dut)
    for round, share in enumerate([0.0, 0.5]):
        host.stall(round, share)
        await host.reset()
        for name, register in REGISTERS.items():
            if name in ("id", "version", "fingerprint") or register["access"] == "rw":
                assert await host.read(name) == register["reset"], name
        chance = random.Random(round)
        inputs = [r for r in REGISTERS.values() if r["access"] == "rw" and r["name"] != "control"]
        held = {}
        for register in inputs:
            value = chance.getrandbits(32)
            await host.write(register["name"], value)
            held[register["name"]] = value & mask(register)
        for register in inputs:
            # one byte, by its strobe
            byte, value = chance.randrange(4), chance.getrandbits(8)
            await host.registers.write(register["offset"] + byte, bytes([value]))
            lane = 0xFF << 8 * byte
            was = held[register["name"]]
            held[register["name"]] = (was & ~lane | value << 8 * byte) & mask(register)
        for name, value in held.items():
            assert await host.read(name) == value, name
        for offset in (0x014, 0x0FC, 0x1FC, 0x3FC, 0xFFC):
            answer = await host.registers.read(offset, 4)
            assert (answer.resp, answer.data) == (AxiResp.SLVERR, bytes(4)), hex(offset)
            answer = await host.registers.write(offset, b"abcd")
            assert answer.resp == AxiResp.SLVERR, hex(offset)
        answer = await host.registers.write(REGISTERS["id"]["offset"], b"abcd")
        assert answer.resp == AxiResp.SLVERR
        assert await host.read("id") == REGISTERS["id"]["reset"]


@cocotb.test()
async def loads(dut):
    host = Host(dut)
    for round, share in enumerate([0.0, 0.2, 0.6]):
        host.stall(round, share)
        # from where the round before ended
        await host.reset()
        misframed = 0
        for n, load in enumerate(VECTORS["loads"]):
            for name, value in load["settings"].items():
                await host.write(name, value)
            await host.keys.send(bytes.fromhex(load["keys"]))
            for frame in load["queries"]:
                await host.queries.send(bytes.fromhex(frame))
            frame = await with_timeout(host.out.recv(), 1, "ms")
            assert bytes(frame.tdata) == bytes.fromhex(load["out"]), f"load {n}"
            misframed += load["misframed"]
        assert await host.read("misframed") == misframed
        assert await host.read("rows") == sum(load["rows"] for load in VECTORS["loads"])
        await host.write("control", 2)
        assert await host.read("rows") == 0
        assert await host.read("status") == 0
