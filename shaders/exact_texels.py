"""Exact samples in a decoder: texels in the buffer, which take the place of what the Gaussians make of a point.

A texel's channels lie in order, from the lowest bit on; one that does not fit into what is left of a word begins the
next. The text is GLSL that glsl_to_hlsl understands, made of numbers alone.
"""

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.igs.exact_samples import ExactSamples
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.shaders.bit_fields import WORD_BITS


def exact_words(exact: ExactSamples | None) -> NDArray[np.uint32]:
    """Return the texels row by row as the buffer holds them; nothing without exact samples."""
    if exact is None:
        return np.empty(0, dtype=np.uint32)
    places = _places(exact)
    words = np.zeros((exact.codes.shape[0] * exact.codes.shape[1], texel_words(exact)), dtype=np.uint32)
    for channel, (word, shift) in enumerate(places):
        words[:, word] |= exact.codes[..., channel].ravel() << np.uint32(shift)
    return words.ravel()


def exact_lines(quantized: QuantizedGaussianSet, first_word: int) -> str:
    """Return the statements that set a texel's channels from the texel `at` of the picture.

    Args:
        quantized: a set with exact samples
        first_word: of the buffer
    """
    exact = quantized.exact
    assert exact is not None
    size = texel_words(exact)
    text = f"    uint first = {first_word}u + {size}u * (at.y * uint(m.width) + at.x);\n" + "".join(
        f"    uint word{word} = igs_word(first + {word}u);\n" for word in range(size)
    )
    for channel, (word, shift) in enumerate(_places(exact)):
        bits = 8 * exact.sample_bytes[channel]
        shifted = f"(word{word} >> {shift}u)" if shift else f"word{word}"
        value = f"float({shifted} & {(1 << bits) - 1}u)"
        # a product with the inverse is a last bit off for some codes of 16 bits
        text += f"    texel.channel[{channel}] = {value} / {(1 << bits) - 1}.0;\n"
    return text


def texel_words(exact: ExactSamples) -> int:
    """Return the words of a texel."""
    return _places(exact)[-1][0] + 1


def _places(exact: ExactSamples) -> list[tuple[int, int]]:
    """Return word and shift of each channel."""
    places, bit = [], 0
    for width in exact.sample_bytes:
        if bit % WORD_BITS + 8 * width > WORD_BITS:
            bit += -bit % WORD_BITS
        places.append(divmod(bit, WORD_BITS))
        bit += 8 * width
    return places
