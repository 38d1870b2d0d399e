"""Square roots of tensors that have the same bits on every processor.

On a CPU torch hands ``sqrt`` to MKL's vector functions, which choose by the processor's maker whatever ``MKL_CBWR``
says: many float32 have another last bit on AMD's processors than on Intel's. ``rsqrt`` and ``reciprocal`` are torch's
own, which divide. tests/test_common_instructions.py finds who uses torch's.
"""

from torch import Tensor


def square_root(values: Tensor) -> Tensor:
    """Return the roots of values [...] >= 0 to the last bit but one; differentiable above 0."""
    return values.rsqrt().reciprocal()


def square_root_(values: Tensor) -> Tensor:
    """Put the roots of values [...] >= 0 in their place, and return them."""
    return values.rsqrt_().reciprocal_()
