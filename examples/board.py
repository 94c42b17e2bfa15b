#!/usr/bin/env python3
"""Run a network on a board behind hwgen's link (docs/link.md) with nothing but pyserial.

    hwgen board sim --network net.json --multipliers 18 --path /tmp/board &
    hwgen emit --design cnn --network net.json --multipliers 18 --load net.words > /dev/null
    python3 examples/board.py /tmp/board net.words input.bin

prints what the board is, and the network's scores for each input. For networks whose tensors lie in the
core's memory without gaps, as those of one channel in and one result a cycle do.
"""

import random
import struct
import sys
import time
import zlib

import serial

END, ESCAPE = 0xC0, 0xDB
OPEN, WRITE, READ, RESET, ANSWER = 1, 2, 3, 4, 0x80
OUT_OF_SEQUENCE = 0xE0
VERSION, IDENTITY_BYTES = 2, 52


def frame(session, sequence, kind, channel=0, argument=0, data=b""):
    """The bytes of a question on the line."""
    body = bytes([session, sequence, kind, len(data), channel, argument]) + data
    body += struct.pack("<I", zlib.crc32(body))
    escaped = body.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return bytes([END]) + escaped + bytes([END])


class Board:
    """A board with a session of ours."""

    def __init__(self, port, baud=115200, attempts=64, stall=10.0):
        self.line = serial.Serial(port, baud, timeout=0.1)
        self.line.reset_input_buffer()
        self.attempts = attempts
        # seconds for which the design may neither take nor give
        self.stall = stall
        self.open()

    def open(self):
        """Begins a session, and reads who is there."""
        self.session = self.sequence = random.randrange(256)
        for _ in range(4):
            # a session that the board knows already is refused, or answered with something else
            kind, *_, data = self._ask(OPEN)
            if kind == OPEN | ANSWER and data and data[0] != VERSION:
                raise RuntimeError(f"the board speaks version {data[0]} of the protocol")
            if kind == OPEN | ANSWER and len(data) == IDENTITY_BYTES:
                break
            self.session = (self.session + 1) % 256
            self.sequence = random.randrange(256)
        else:
            raise RuntimeError("the board opens no session")
        _, incoming, outgoing, _, clock_hz, spec_hash = struct.unpack("<BBBBII", data[:12])
        self.clock_hz, self.spec_hash = clock_hz, spec_hash
        self.incoming = list(data[12 : 12 + incoming])
        self.outgoing = list(data[12 + incoming : 12 + incoming + outgoing])
        self.design = data[28:48].rstrip(b"\0").decode("ascii", "backslashreplace")
        # CRC-32 of what was loaded since the reset, 0 if nothing was
        (self.contents,) = struct.unpack("<I", data[48:])

    def reset(self):
        """Resets the design."""
        self._carry_out(RESET)

    def write(self, channel, beats, last=False):
        """Sends whole beats to an incoming channel; returns when the design has taken them."""
        size = self.incoming[channel]
        packet, moved = 192 // size * size, time.monotonic()
        while beats:
            now = beats[:packet]
            end = last and len(now) == len(beats)
            taken, *_ = self._carry_out(WRITE, channel, int(end), now)
            if taken * size > len(now):
                raise RuntimeError(f"the board took {taken} beats of {len(now) // size}")
            beats = beats[taken * size :]
            moved = self._moved(taken > 0, moved, channel)

    def read(self, channel, beats):
        """So many beats of an outgoing channel, or as many as there are up to `last`."""
        data, size, moved = b"", self.outgoing[channel], time.monotonic()
        while len(data) < beats * size:
            wanted = min(255, beats - len(data) // size)
            came, last, more = self._carry_out(READ, channel, wanted)
            if came > wanted or len(more) != came * size:
                raise RuntimeError(f"{len(more)} bytes in {came} beats, {wanted} asked for")
            data += more
            if last and more:
                break
            moved = self._moved(came > 0, moved, channel)
        return data

    def _moved(self, moves, since, channel):
        """When the design last moved; it may not stand still for longer than the limit."""
        now = time.monotonic()
        if moves:
            return now
        if now - since > self.stall:
            raise RuntimeError(f"channel {channel} moved nothing for {self.stall} s")
        return since

    def _carry_out(self, kind, *rest):
        self.sequence = (self.sequence + 1) % 256
        said, *answer = self._ask(kind, *rest)
        if said == OUT_OF_SEQUENCE:
            raise RuntimeError("the board no longer knows this session")
        if said != kind | ANSWER:
            raise RuntimeError(f"the board refuses: {said:02x}")
        return answer

    def _ask(self, *question):
        """Sends the same frame until it is answered: the board does nothing twice."""
        for _ in range(self.attempts):
            self.line.write(frame(self.session, self.sequence, *question))
            while (body := self._body()) is not None:
                sound = len(body) >= 10 and len(body) == body[3] + 10
                if not sound or zlib.crc32(body[:-4]) != struct.unpack("<I", body[-4:])[0]:
                    break
                if (body[0], body[1]) == (self.session, self.sequence):
                    return body[2], body[4], body[5], body[6:-4]
        raise RuntimeError("the board does not answer")

    def _body(self):
        """The next body on the line; None if nothing comes."""
        while True:
            raw = self.line.read_until(bytes([END]))
            if not raw.endswith(bytes([END])):
                return None
            if len(raw) > 1:
                return raw[:-1].replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


# channels of the core `cnn`, in the order of its ports
INPUT, LOAD, OUTPUT = 0, 1, 0


def load(board, path):
    """Sends the words that `hwgen emit --load` wrote: a line a word, `last` before it; checks what arrived."""
    with open(path, encoding="ascii") as file:
        lines = file.read().split()
    words = [struct.pack("<I", int(line[1:], 16)) for line in lines]
    contents = zlib.crc32(b"".join(words))
    board.reset()
    packet = b""
    for line, word in zip(lines, words):
        packet += word
        if line[0] == "1":
            board.write(LOAD, packet, last=True)
            packet = b""
    board.open()
    if board.contents != contents:
        raise RuntimeError(f"the board holds {board.contents:08x}, not {contents:08x}")


def main():
    port, words, *inputs = sys.argv[1:]
    board = Board(port)
    print(f"{board.design} of specification {board.spec_hash:08x} at {board.clock_hz} Hz")
    load(board, words)
    for path in inputs:
        with open(path, "rb") as file:
            board.write(INPUT, file.read(), last=True)
        scores = board.read(OUTPUT, 255)
        print(*struct.unpack(f"{len(scores)}b", scores))


if __name__ == "__main__":
    main()
