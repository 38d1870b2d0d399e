"""What the compute decoder does with a thread's sums, written out by constant numbers.

Compilers give up unrolling loops over sums where much is done in them; a number that is then found while the shader
runs moves all sums to memory.
"""

from collections.abc import Sequence
from typing import Final

from imagegs_tex.shaders.file_constants import group_vectors

_BEFORE_CODES: Final = 3
"""Vectors of a Gaussian in shared memory that hold no codes but the first."""


def code_sums(component_count: int) -> str:
    """Return what adds a Gaussian's codes behind the first to the sums, of a known number of components."""
    return "".join(_vector_sums(group_vectors(component_count) - _BEFORE_CODES))


def shared_code_sums(most_components: int) -> str:
    """Return the same for as many components as IGS_GROUP_VECTORS has room for.

    Args:
        most_components: that it may be set for
    """
    vectors = _vector_sums(group_vectors(most_components) - _BEFORE_CODES)
    return "".join(f"#if IGS_GROUP_VECTORS > {v + _BEFORE_CODES}\n{text}#endif\n" for v, text in enumerate(vectors))


def _vector_sums(count: int) -> Sequence[str]:
    return [
        f"""                        if ({4 * v + 1} < m.components) {{
                            vec4 codes = igs_group[{v + _BEFORE_CODES}u * IGS_GROUP_SLOTS + slot];
                            for (int row = 0; row < IGS_ROWS; ++row) {{
                                sums[row].code[{v}] += scaled[row] * codes;
                            }}
                        }}
"""
        for v in range(count)
    ]


def picked_store(most_rows: int, finish: str) -> str:
    """Return what is done with the sums of a texel, of which a thread has at most so many.

    Without, an H200 takes 0.063 instead of 0.048 ms for 1024 x 1024 texels of 9 channels.

    Args:
        most_rows: texels of a thread
        finish: what makes a texel of the sums, which are called ``own``
    """
    picked = "".join(
        f"                if (row == {row}) {{\n"
        f"                    own = sums[min({row}, IGS_ROWS - 1)];\n                }}\n"
        for row in range(1, most_rows)
    )
    store = f"                igs_store(ivec2(at) + place, {finish});\n"
    return f"                IgsGroupSums own = sums[0];\n{picked}{store}"
