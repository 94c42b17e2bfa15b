"""KWS-mini, as every peer gets it: 49x10x1 features, three convolutions, a dense layer; s8 throughout.

Weights come from a linear congruential generator, so that no library is needed and none can differ.
"""

from dataclasses import dataclass

SEED = 3
HEIGHT, WIDTH = 49, 10
SCORES = 12


@dataclass(frozen=True)
class Conv:
    """A convolution that keeps the image's size over its stride, then a ReLU."""

    name: str
    height: int
    width: int
    inputs: int
    outputs: int
    stride: int
    shift: int  # right shift after the sum, for peers that requantize by one

    kernel = 3

    @property
    def out(self):
        """Height and width of the output."""
        return -(-self.height // self.stride), -(-self.width // self.stride)

    @property
    def pads(self):
        """Rows above, columns left, rows below, columns right; the odd one comes last."""
        sides = zip(self.out, (self.height, self.width))
        whole = [max((out - 1) * self.stride + self.kernel - side, 0) for out, side in sides]
        first = [pad // 2 for pad in whole]
        return (*first, *(pad - half for pad, half in zip(whole, first)))

    @property
    def macs(self):
        return self.out[0] * self.out[1] * self.outputs * self.kernel**2 * self.inputs


CONVS = [
    Conv("conv_1", HEIGHT, WIDTH, 1, 16, 2, 8),
    Conv("conv_2", 25, 5, 16, 16, 2, 9),
    Conv("conv_3", 13, 3, 16, 16, 1, 10),
]
FLAT = 13 * 3 * 16
DENSE_SHIFT = 10
MACS = sum(conv.macs for conv in CONVS) + FLAT * SCORES
assert MACS == 205_200, MACS


class Draws:
    """Integers from a seed."""

    def __init__(self, seed=SEED):
        self.state = seed

    def s8(self, count):
        """As many of -127..=127."""
        return [self.next() % 255 - 127 for _ in range(count)]

    def next(self):
        self.state = (self.state * 1_664_525 + 1_013_904_223) % (1 << 32)
        return self.state >> 8
