"""Count what a program computes from its jaxpr: the same for every device, before any compiler has seen it.

The compilers' own counts take the body of a loop once, so a stack of scanned layers as one layer.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple


class Work(NamedTuple):
    """Hold what a program does.

    flop: of matrix products, convolutions and Fourier transforms, a multiply-add counted as two.
    turns: of loops, one after another: what a loop over time costs however little each turn computes.
    """

    flop: float
    turns: int


def work_of(closed: Any) -> Work:
    """Count the work of a (closed) jaxpr. Of branches the largest counts; a ``while`` counts as one turn."""
    jaxpr = getattr(closed, "jaxpr", closed)
    flop, turns = 0.0, 0
    for equation in jaxpr.eqns:
        done = _equation(equation)
        flop, turns = flop + done.flop, turns + done.turns
    return Work(flop, turns)


def _equation(equation: Any) -> Work:
    name, params = equation.primitive.name, equation.params
    if name in _COUNTED:
        return Work(_COUNTED[name](equation), 0)
    if name == "scan":
        inner = work_of(params["jaxpr"])
        return Work(params["length"] * inner.flop, params["length"] * max(inner.turns, 1))
    if name == "cond":
        branches = [work_of(branch) for branch in params["branches"]]
        return max(branches, key=lambda work: work.flop)
    parts = [work_of(inner) for inner in _inner(params)]
    return Work(sum(part.flop for part in parts), sum(part.turns for part in parts))


def _inner(params: Any) -> Iterator[Any]:
    """Yield the jaxprs among an equation's parameters."""
    for value in params.values():
        for each in value if isinstance(value, tuple | list) else (value,):
            if hasattr(each, "eqns") or hasattr(getattr(each, "jaxpr", None), "eqns"):
                yield each


def _product(equation: Any) -> float:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2.0 * _size(equation.outvars[0]) * math.prod(left[axis] for axis in contracted)


def _convolution(equation: Any) -> float:
    """Count a convolution: zeros that a transposed one puts between its inputs are no work."""
    kernel = equation.invars[1].aval.shape
    spec = equation.params["dimension_numbers"].rhs_spec
    window = math.prod(kernel[axis] for axis in spec[1:])
    return 2.0 * _size(equation.outvars[0]) * window / math.prod(equation.params["lhs_dilation"])


def _transform(equation: Any) -> float:
    length = math.prod(equation.params["fft_lengths"])
    rows = max(_size(equation.invars[0]), _size(equation.outvars[0])) / length
    return 2.5 * rows * length * math.log2(max(length, 2))


def _size(variable: Any) -> float:
    return float(math.prod(variable.aval.shape))


_COUNTED = {"dot_general": _product, "conv_general_dilated": _convolution, "fft": _transform}
