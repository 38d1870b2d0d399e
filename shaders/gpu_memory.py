"""What a material takes on the GPU, in the one sentence that every command has for it."""

from collections.abc import Mapping

from imagegs_tex.shaders.gpu_buffer import DIRECTORY_WORDS, GpuBytes


def shared_bytes(ledger: GpuBytes) -> int:
    """Return the bytes of a buffer that are there once, whatever the number of its materials: head, end, noise tile."""
    return 4 * (DIRECTORY_WORDS + 1) + ledger.noise_tile  # one word lies behind the last material


def parts_of(ledger: GpuBytes) -> dict[str, int]:
    """Return the bytes of the largest parts of a material by name."""
    return {
        "records": ledger.records,
        "index": ledger.index,
        "coarse levels": ledger.coarse,
        "detail": ledger.envelope,
        "residual": ledger.residual,
    }


def memory_words(material: int, shared: int, parts: Mapping[str, int]) -> str:
    """Say how many bytes are uploaded for a material by itself.

    Args:
        material: bytes that it adds to a buffer
        shared: of :func:`shared_bytes`
        parts: bytes of the material by name; those of 0 are left out
    """
    named = ", ".join(f"{name} {size:,}" for name, size in parts.items() if size)
    inside = f" ({named})" if named else ""
    return (
        f"{material + shared:,} bytes on the GPU: {material:,} of the material{inside}, "
        f"{shared:,} once for all materials of a buffer"
    )
