"""An adaptive range coder for codec tokens, in integers only: the same bytes on every machine.

The model learns while it codes, so no table is stored. A group starts with a count of 1 for each of its
codes. When a code occurs, INCREMENT is added to its count, and WEIGHT to the count that it has after the
code that came before it: sounds last longer than a token frame. The coder is the usual one (Martin
1979): an interval [low, low + width) of whole numbers is narrowed by every symbol in proportion to its
count, and its leading bytes are written as soon as they are settled.

Legend: N frames, K groups, V codes.
"""

import numpy as np

INCREMENT, WEIGHT = (
    16,
    512,
)  # near the best of powers of two for 2 s to 4 min of the demo codec's tokens
MAX_CODES = 4096  # the counts of a group after each of its codes take up to 8 V^2 bytes
MAX_FRAMES = 1 << 22  # a day; it keeps the sums of counts below 2^32
_STATE = 1 << 56  # the interval's numbers have 56 bits
_FULL = 1 << 48  # it is widened by a byte when narrower than this


def encode(symbols: np.ndarray, codes: int) -> bytes:
    """Encode symbols int [N, K] in [0, codes) into bytes: at most MAX_FRAMES frames of MAX_CODES codes."""
    writer = _Writer()
    models = [_Model(codes) for _ in range(symbols.shape[1])]
    for frame in symbols.tolist():
        for model, symbol in zip(models, frame, strict=True):
            bounds = model.bounds()
            end, total = int(bounds[symbol]), int(bounds[-1])
            start = int(bounds[symbol - 1]) if symbol else 0
            writer.narrow(start, end - start, total)
            model.learn(symbol)
    return writer.finish()


def decode(data: bytes, frames: int, groups: int, codes: int) -> np.ndarray:
    """Decode what ``encode`` made: int32 [frames, groups]. Any bytes decode to symbols of some kind."""
    reader = _Reader(data)
    models = [_Model(codes) for _ in range(groups)]
    symbols = np.empty((frames, groups), np.int32)
    for n in range(frames):
        for k, model in enumerate(models):
            bounds = model.bounds()
            symbol = int(bounds.searchsorted(reader.target(int(bounds[-1])), side="right"))
            start = int(bounds[symbol - 1]) if symbol else 0
            reader.narrow(start, int(bounds[symbol]) - start)
            model.learn(symbol)
            symbols[n, k] = symbol
    return symbols


class _Model:
    """Count one group's codes, given the code before."""

    def __init__(self, codes: int) -> None:
        self._counts = np.ones(codes, np.int64)
        self._after: dict[int, np.ndarray] = {}  # previous code -> counts [V]
        self._previous = -1

    def bounds(self) -> np.ndarray:
        """Return running sums int64 [V] of the counts: code v has [bounds[v - 1], bounds[v])."""
        after = self._after.get(self._previous)
        return np.cumsum(self._counts if after is None else self._counts + after)

    def learn(self, symbol: int) -> None:
        """Count a code that has occurred."""
        self._counts[symbol] += INCREMENT
        if self._previous not in self._after:
            self._after[self._previous] = np.zeros_like(self._counts)
        self._after[self._previous][symbol] += WEIGHT
        self._previous = symbol


class _Writer:
    def __init__(self) -> None:
        self._out = bytearray()
        self._low, self._width = 0, _STATE

    def narrow(self, start: int, share: int, total: int) -> None:
        """Narrow the interval to ``share`` parts of ``total``, from part ``start`` on."""
        unit = self._width // total
        self._low += unit * start
        self._width = unit * share
        if self._low >= _STATE:
            self._low -= _STATE
            self._carry()
        while self._width < _FULL:
            self._out.append(self._low >> 48)
            self._low = (self._low & (_FULL - 1)) << 8
            self._width <<= 8

    def finish(self) -> bytes:
        """Return the bytes written, and the fewest that name a number of the interval.

        The reader takes what is missing for zeros.
        """
        for kept in range(3):
            step = 1 << (56 - 8 * kept)
            value = -(-self._low // step) * step
            if value < self._low + self._width:
                break
        if value >= _STATE:
            value -= _STATE
            self._carry()
        return bytes(self._out) + value.to_bytes(7, "big")[:kept]

    def _carry(self) -> None:
        """Add one to the number that has been written."""
        at = len(self._out) - 1
        while self._out[at] == 0xFF:
            self._out[at] = 0
            at -= 1
        self._out[at] += 1


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 7
        self._value = int.from_bytes(data[:7].ljust(7, b"\0"), "big")
        self._width, self._unit = _STATE, 0

    def target(self, total: int) -> int:
        """Return which of ``total`` parts the number lies in."""
        self._unit = self._width // total
        self._value = min(self._value, self._unit * total - 1)  # only damaged data lies beyond
        return self._value // self._unit

    def narrow(self, start: int, share: int) -> None:
        """Narrow the interval to ``share`` parts, from part ``start`` on."""
        self._value -= self._unit * start
        self._width = self._unit * share
        while self._width < _FULL:
            more = self._data[self._at] if self._at < len(self._data) else 0
            self._value = (self._value << 8) | more
            self._width <<= 8
            self._at += 1
