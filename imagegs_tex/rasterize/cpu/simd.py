"""LLVM's vectors in numba: LANES float32 numbers at a time, a row of a tile.

For loops whose length is a Gaussian's number of rows: written over arrays, each of them ended at a length that the
processor had not foreseen, ten times per Gaussian and tile. With vectors there are two such loops, over rows, and what
is summed over rows stays in registers. Arrays are float32 [rows, LANES * n]; positions are a row and a column.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from imagegs_tex.jit import intrinsic
from imagegs_tex.rasterize.backend import TILE
from imagegs_tex.rasterize.cpu.exp2 import LARGEST, POLYNOMIAL

LANES: Final = TILE
_FLOATS: Final = ir.VectorType(ir.FloatType(), LANES)
_FUSED: Final = ("contract",)


class _Vector(types.Type):
    def __init__(self):
        super().__init__(name=f"float32x{LANES}")


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, _FLOATS)


_VECTOR: Final = _Vector()


def _pointer(context, builder, array_type, array, places):
    view = context.make_array(array_type)(context, builder, array)
    pointer = cgutils.get_item_pointer(context, builder, array_type, view, places)
    return builder.bitcast(pointer, _FLOATS.as_pointer())


def _broadcast(builder, value):
    one = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


@intrinsic
def load(typing_context, array, row, column):
    """Return LANES numbers of an array from a place on."""

    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, array, arguments[0], arguments[1:]), align=4)

    return _VECTOR(array, types.intp, types.intp), generate


@intrinsic
def store(typing_context, array, row, column, vector):
    """Write LANES numbers into an array from a place on."""

    def generate(context, builder, signature, arguments):
        builder.store(arguments[3], _pointer(context, builder, array, arguments[0], arguments[1:3]), align=4)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, _VECTOR), generate


@intrinsic
def broadcast(typing_context, number):
    """Return a vector of one number."""

    def generate(context, builder, signature, arguments):
        return _broadcast(builder, arguments[0])

    return _VECTOR(types.float32), generate


@intrinsic
def add(typing_context, one, other):
    """Return the sum of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(*arguments, flags=_FUSED)

    return _VECTOR(_VECTOR, _VECTOR), generate


@intrinsic
def subtract(typing_context, one, other):
    """Return the difference of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fsub(*arguments, flags=_FUSED)

    return _VECTOR(_VECTOR, _VECTOR), generate


@intrinsic
def multiply(typing_context, one, other):
    """Return the product of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fmul(*arguments, flags=_FUSED)

    return _VECTOR(_VECTOR, _VECTOR), generate


@intrinsic
def multiply_add(typing_context, one, other, addend):
    """Return one * other + addend, fused where the processor can."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(builder.fmul(*arguments[:2], flags=_FUSED), arguments[2], flags=_FUSED)

    return _VECTOR(_VECTOR, _VECTOR, _VECTOR), generate


@intrinsic
def divide(typing_context, one, other):
    """Return the quotients of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fdiv(*arguments)

    return _VECTOR(_VECTOR, _VECTOR), generate


@intrinsic
def maximum(typing_context, one, other):
    """Return the larger number in each place of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return _VECTOR(_VECTOR, _VECTOR), generate


@intrinsic
def where_positive(typing_context, condition, vector):
    """Return a vector, with zeros where another one is not above zero."""

    def generate(context, builder, signature, arguments):
        zeros = ir.Constant(_FLOATS, None)
        return builder.select(builder.fcmp_ordered(">", arguments[0], zeros), arguments[1], zeros)

    return _VECTOR(_VECTOR, _VECTOR), generate


@intrinsic
def reduce_add(typing_context, vector):
    """Return the sum of a vector's numbers, in pairs of halves."""

    def generate(context, builder, signature, arguments):
        (halves,) = arguments
        width = LANES
        while width > 1:
            width //= 2
            low, high = (
                builder.shuffle_vector(
                    halves, halves, ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(first, first + width)))
                )
                for first in (0, width)
            )
            halves = builder.fadd(low, high)
        return builder.extract_element(halves, ir.Constant(ir.IntType(32), 0))

    return types.float32(_VECTOR), generate


@intrinsic
def exp2_of_minus(typing_context, vector):
    """Return 2^-t for t >= 0, as :mod:`imagegs_tex.rasterize.cpu.exp2` does for one number."""

    def generate(context, builder, signature, arguments):
        whole_type = ir.VectorType(ir.IntType(32), LANES)

        def constant(number):
            return ir.Constant(_FLOATS, [number] * LANES)

        def integers(number):
            return ir.Constant(whole_type, [number] * LANES)

        (t,) = arguments
        t = builder.select(builder.fcmp_ordered("<", t, constant(LARGEST)), t, constant(LARGEST))
        whole = builder.fptosi(t, whole_type)
        rest = builder.fsub(builder.sitofp(whole, _FLOATS), t)  # in (-1, 0]
        power = constant(POLYNOMIAL[0])
        for coefficient in POLYNOMIAL[1:]:
            power = builder.fadd(builder.fmul(power, rest, flags=_FUSED), constant(coefficient), flags=_FUSED)
        bits = builder.shl(builder.sub(integers(127), whole), integers(23))
        return builder.fmul(power, builder.bitcast(bits, _FLOATS))

    return _VECTOR(_VECTOR), generate


@intrinsic
def reduce_add_4(typing_context, one, two, three, four):
    """Return the sums of the numbers of four vectors: half the work of four times :func:`reduce_add`."""

    def generate(context, builder, signature, arguments):
        def halved(first: Any, second: Any, run: int) -> Any:
            """Add the halves of every run of numbers of two vectors."""
            count = 2 * first.type.count
            low = [i for i in range(count) if i % run < run // 2]
            high = [i + run // 2 for i in low]
            indices = ir.VectorType(ir.IntType(32), len(low))
            return builder.fadd(
                builder.shuffle_vector(first, second, ir.Constant(indices, low)),
                builder.shuffle_vector(first, second, ir.Constant(indices, high)),
            )

        first, second = halved(arguments[0], arguments[1], LANES), halved(arguments[2], arguments[3], LANES)
        sums = halved(first, second, LANES // 2)
        run = LANES // 4
        while run > 1:
            sums = halved(sums, ir.Constant(sums.type, ir.Undefined), run)
            half = ir.VectorType(ir.IntType(32), sums.type.count // 2)
            sums = builder.shuffle_vector(sums, sums, ir.Constant(half, list(range(sums.type.count // 2))))
            run //= 2
        parts = [builder.extract_element(sums, ir.Constant(ir.IntType(32), i)) for i in range(4)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.float32, 4)(_VECTOR, _VECTOR, _VECTOR, _VECTOR), generate
