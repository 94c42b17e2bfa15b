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
import zlib

import serial

END, ESCAPE = 0xC0, 0xDB
OPEN, WRITE, READ, RESET, ANSWER = 1, 2, 3, 4, 0x80
OUT_OF_SEQUENCE = 0xE0


def frame(session, sequence, kind, channel=0, argument=0, data=b""):
    """The bytes of a question on the line."""
    body = bytes([session, sequence, kind, len(data), channel, argument]) + data
    body += struct.pack("<I", zlib.crc32(body))
    escaped = body.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return bytes([END]) + escaped + bytes([END])


class Board:
    """A board with a session of ours."""

    def __init__(self, port, baud=115200, attempts=64):
        self.line = serial.Serial(port, baud, timeout=0.1)
        self.line.reset_input_buffer()
        self.attempts = attempts
        self.session = self.sequence = random.randrange(256)
        while True:
            # a session that the board knows already is refused, or answered with something else
            kind, *_, data = self._ask(OPEN)
            if kind == OPEN | ANSWER and len(data) == 48:
                break
            self.session = (self.session + 1) % 256
            self.sequence = random.randrange(256)
        version, incoming, outgoing, _, clock_hz, spec_hash = struct.unpack("<BBBBII", data[:12])
        if version != 1:
            raise RuntimeError(f"the board speaks version {version} of the protocol")
        self.clock_hz, self.spec_hash = clock_hz, spec_hash
        self.incoming = list(data[12 : 12 + incoming])
        self.outgoing = list(data[12 + incoming : 12 + incoming + outgoing])
        self.design = data[28:].rstrip(b"\0").decode()

    def reset(self):
        """Resets the design."""
        self._carry_out(RESET)

    def write(self, channel, beats, last=False):
        """Sends whole beats to an incoming channel; returns when the design has taken them."""
        size = self.incoming[channel]
        packet = 192 // size * size
        while beats:
            now = beats[:packet]
            end = last and len(now) == len(beats)
            taken, *_ = self._carry_out(WRITE, channel, int(end), now)
            beats = beats[taken * size :]

    def read(self, channel, beats):
        """So many beats of an outgoing channel, or as many as there are up to `last`."""
        data, size = b"", self.outgoing[channel]
        while len(data) < beats * size:
            _, last, more = self._carry_out(READ, channel, min(255, beats - len(data) // size))
            data += more
            if last and more:
                break
        return data

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
    """Sends the words that `hwgen emit --load` wrote: a line a word, `last` before it."""
    packet = b""
    for line in open(path, encoding="ascii"):
        packet += struct.pack("<I", int(line[1:], 16))
        if line[0] == "1":
            board.write(LOAD, packet, last=True)
            packet = b""


def main():
    port, words, *inputs = sys.argv[1:]
    board = Board(port)
    print(f"{board.design} of specification {board.spec_hash:08x} at {board.clock_hz} Hz")
    board.reset()
    load(board, words)
    for path in inputs:
        with open(path, "rb") as file:
            board.write(INPUT, file.read(), last=True)
        scores = board.read(OUTPUT, 255)
        print(*struct.unpack(f"{len(scores)}b", scores))


if __name__ == "__main__":
    main()
