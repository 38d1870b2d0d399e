"""LLVM's vectors in numba: float32 numbers at a time, LANES of them, a row of a tile, or 4 or 8.

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
_FUSED: Final = ("contract",)
_INDEX: Final = ir.IntType(32)


class _Vector(types.Type):
    def __init__(self, lanes, kind=types.float32):
        self.lanes, self.kind = lanes, kind
        super().__init__(name=f"{kind}x{lanes}")

    @property
    def llvm(self):
        return ir.VectorType(ir.FloatType() if self.kind == types.float32 else ir.DoubleType(), self.lanes)


def _floats(lanes):
    return ir.VectorType(ir.FloatType(), lanes)


def _indices(numbers):
    return ir.Constant(ir.VectorType(_INDEX, len(numbers)), list(numbers))


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, numba_type.llvm)


_VECTOR: Final = _Vector(LANES)
_VECTOR_8: Final = _Vector(8)
_VECTOR_4: Final = _Vector(4)
_DOUBLES_4: Final = _Vector(4, types.float64)


def _pointer(context, builder, array_type, array, places, vector):
    """Return where a place's numbers begin.

    They lie side by side, which LLVM does not know of a part of an array: it multiplied every column by a stride.
    """
    view, (row, column) = context.make_array(array_type)(context, builder, array), places
    stride = builder.extract_value(view.strides, 0)
    begin = builder.gep(builder.bitcast(view.data, ir.IntType(8).as_pointer()), [builder.mul(row, stride)])
    pointer = builder.gep(builder.bitcast(begin, vector.llvm.element.as_pointer()), [column])
    return builder.bitcast(pointer, vector.llvm.as_pointer())


def _first(builder, value, rest):
    return builder.insert_element(rest, value, ir.Constant(_INDEX, 0))


def _broadcast(builder, value, vector):
    one = _first(builder, value, ir.Constant(vector.llvm, ir.Undefined))
    return builder.shuffle_vector(one, one, _indices([0] * vector.lanes))


def _loads(vector, array):
    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, array, arguments[0], arguments[1:], vector)
        return builder.load(pointer, align=vector.kind.bitwidth // 8)

    return vector(array, types.intp, types.intp), generate


def _broadcasts(vector):
    def generate(context, builder, signature, arguments):
        return _broadcast(builder, arguments[0], vector)

    return vector(vector.kind), generate


@intrinsic
def load(typing_context, array, row, column):
    """Return LANES numbers of an array from a place on."""
    return _loads(_VECTOR, array)


@intrinsic
def load_8(typing_context, array, row, column):
    """Return eight numbers of an array from a place on."""
    return _loads(_VECTOR_8, array)


@intrinsic
def load_4(typing_context, array, row, column):
    """Return four numbers of an array from a place on."""
    return _loads(_VECTOR_4, array)


@intrinsic
def load_4_doubles(typing_context, array, row, column):
    """Return four float64 numbers of an array from a place on."""
    return _loads(_DOUBLES_4, array)


@intrinsic
def store(typing_context, array, row, column, vector):
    """Write a vector into an array from a place on."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, array, arguments[0], arguments[1:3], vector)
        builder.store(arguments[3], pointer, align=vector.kind.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, vector), generate


@intrinsic
def prefetch(typing_context, array, row, column):
    """Have the processor bring a place of an array into its second cache."""

    def generate(context, builder, signature, arguments):
        place = _pointer(context, builder, array, arguments[0], arguments[1:], _VECTOR)
        byte = ir.IntType(8).as_pointer()
        function = ir.FunctionType(ir.VoidType(), [byte, _INDEX, _INDEX, _INDEX])
        called = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0i8")
        builder.call(called, [builder.bitcast(place, byte), *(ir.Constant(_INDEX, number) for number in (0, 2, 1))])
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp), generate


@intrinsic
def broadcast(typing_context, number):
    """Return LANES times one number."""
    return _broadcasts(_VECTOR)


@intrinsic
def broadcast_8(typing_context, number):
    """Return eight times one number."""
    return _broadcasts(_VECTOR_8)


@intrinsic
def broadcast_4(typing_context, number):
    """Return four times one number."""
    return _broadcasts(_VECTOR_4)


@intrinsic
def broadcast_4_doubles(typing_context, number):
    """Return four times one float64 number."""
    return _broadcasts(_DOUBLES_4)


@intrinsic
def first_of_4(typing_context, number):
    """Return a number and three zeros."""

    def generate(context, builder, signature, arguments):
        return _first(builder, arguments[0], ir.Constant(_floats(4), None))

    return _VECTOR_4(types.float32), generate


@intrinsic
def add(typing_context, one, other):
    """Return the sum of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(*arguments, flags=_FUSED)

    return one(one, one), generate


@intrinsic
def subtract(typing_context, one, other):
    """Return the difference of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fsub(*arguments, flags=_FUSED)

    return one(one, one), generate


@intrinsic
def multiply(typing_context, one, other):
    """Return the product of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fmul(*arguments, flags=_FUSED)

    return one(one, one), generate


@intrinsic
def multiply_add(typing_context, one, other, addend):
    """Return one * other + addend, fused where the processor can."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(builder.fmul(*arguments[:2], flags=_FUSED), arguments[2], flags=_FUSED)

    return one(one, one, one), generate


@intrinsic
def multiply_then_add(typing_context, one, other, addend):
    """Return one * other, rounded, + addend."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(builder.fmul(*arguments[:2]), arguments[2])

    return one(one, one, one), generate


@intrinsic
def divide(typing_context, one, other):
    """Return the quotients of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.fdiv(*arguments)

    return one(one, one), generate


@intrinsic
def maximum(typing_context, one, other):
    """Return the larger number in each place of two vectors."""

    def generate(context, builder, signature, arguments):
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return one(one, one), generate


@intrinsic
def where_positive(typing_context, condition, vector):
    """Return a vector, with zeros where another one is not above zero."""

    def generate(context, builder, signature, arguments):
        zeros = ir.Constant(_floats(vector.lanes), None)
        return builder.select(builder.fcmp_ordered(">", arguments[0], zeros), arguments[1], zeros)

    return vector(vector, vector), generate


@intrinsic
def reduce_add(typing_context, vector):
    """Return the sum of a vector's numbers, in pairs of halves."""

    def generate(context, builder, signature, arguments):
        (halves,) = arguments
        width = vector.lanes
        while width > 1:
            width //= 2
            low, high = (
                builder.shuffle_vector(halves, halves, _indices(range(first, first + width))) for first in (0, width)
            )
            halves = builder.fadd(low, high)
        return builder.extract_element(halves, ir.Constant(_INDEX, 0))

    return types.float32(vector), generate


@intrinsic
def exp2_of_minus(typing_context, vector):
    """Return 2^-t for t >= 0, as :mod:`imagegs_tex.rasterize.cpu.exp2` does for one number."""

    def generate(context, builder, signature, arguments):
        lanes, floats = vector.lanes, _floats(vector.lanes)
        whole_type = ir.VectorType(ir.IntType(32), lanes)

        def constant(number):
            return ir.Constant(floats, [number] * lanes)

        def integers(number):
            return ir.Constant(whole_type, [number] * lanes)

        (t,) = arguments
        t = builder.select(builder.fcmp_ordered("<", t, constant(LARGEST)), t, constant(LARGEST))
        whole = builder.fptosi(t, whole_type)
        rest = builder.fsub(builder.sitofp(whole, floats), t)  # in (-1, 0]
        power = constant(POLYNOMIAL[0])
        for coefficient in POLYNOMIAL[1:]:
            power = builder.fadd(builder.fmul(power, rest, flags=_FUSED), constant(coefficient), flags=_FUSED)
        bits = builder.shl(builder.sub(integers(127), whole), integers(23))
        return builder.fmul(power, builder.bitcast(bits, floats))

    return vector(vector), generate


@intrinsic
def reduce_add_4(typing_context, one, two, three, four):
    """Return the sums of the numbers of four vectors: half the work of four times :func:`reduce_add`."""

    def generate(context, builder, signature, arguments):
        def halved(first: Any, second: Any, run: int) -> Any:
            """Add the halves of every run of numbers of two vectors."""
            count = 2 * first.type.count
            low = [i for i in range(count) if i % run < run // 2]
            high = [i + run // 2 for i in low]
            return builder.fadd(
                builder.shuffle_vector(first, second, _indices(low)),
                builder.shuffle_vector(first, second, _indices(high)),
            )

        first, second = halved(arguments[0], arguments[1], LANES), halved(arguments[2], arguments[3], LANES)
        sums = halved(first, second, LANES // 2)
        run = LANES // 4
        while run > 1:
            sums = halved(sums, ir.Constant(sums.type, ir.Undefined), run)
            sums = builder.shuffle_vector(sums, sums, _indices(range(sums.type.count // 2)))
            run //= 2
        parts = [builder.extract_element(sums, ir.Constant(_INDEX, i)) for i in range(4)]
        return context.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.float32, 4)(_VECTOR, _VECTOR, _VECTOR, _VECTOR), generate


@intrinsic
def transpose_8(typing_context, source, row, column, target, first, at):
    """Write the eight numbers from a column on of eight rows of an array into eight rows of another, from at on."""

    def generate(context, builder, signature, arguments):
        def place(array_type, array, places, shift):
            moved = builder.add(places[0], ir.Constant(places[0].type, shift))
            return _pointer(context, builder, array_type, array, (moved, places[1]), _VECTOR_8)

        def mixed(vectors, step, low, high):
            """Return the vectors, each and the one a step on with their numbers exchanged."""
            made = list(vectors)
            for i in range(8):
                if i & step == 0:
                    pair = vectors[i], vectors[i | step]
                    made[i], made[i | step] = (builder.shuffle_vector(*pair, _indices(at)) for at in (low, high))
            return made

        vectors = [builder.load(place(source, arguments[0], arguments[1:3], i), align=4) for i in range(8)]
        vectors = mixed(vectors, 4, [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15])
        vectors = mixed(vectors, 2, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
        vectors = mixed(vectors, 1, [0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15])
        for i, vector in enumerate(vectors):
            builder.store(vector, place(target, arguments[3], arguments[4:], i), align=4)
        return context.get_dummy_value()

    return types.none(source, types.intp, types.intp, target, types.intp, types.intp), generate
