"""What a material takes on the GPU, by part."""

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
        "repeat": ledger.repeat,
        "residual": ledger.residual,
    }
