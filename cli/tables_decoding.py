"""Tables of what decoding takes: bytes on the GPU, work of a texel, work of a sample with a footprint.

Each has an empty line above it, as they follow other output.
"""

from collections.abc import Mapping

from rich.console import Console

from imagegs_tex.cli.columns import print_columns
from imagegs_tex.shaders.decode_cost import DecodeCost
from imagegs_tex.shaders.gpu_buffer import NOISE_TILE_BYTES, GpuBytes
from imagegs_tex.shaders.gpu_memory import parts_of, shared_bytes


def print_ledger(console: Console, ledger: GpuBytes) -> None:
    """Print what a buffer of one material takes, by part."""
    print_memory(console, "buffer", ledger.total, shared_bytes(ledger), parts_of(ledger))


def print_memory(console: Console, whole: str, material: int, shared: int, parts: Mapping[str, int]) -> None:
    """Print the bytes that are uploaded for a material by itself.

    Args:
        console: where to
        whole: what all of it is called
        material: bytes that it adds to a buffer
        shared: of :func:`imagegs_tex.shaders.gpu_memory.shared_bytes`
        parts: bytes of the material by name; those of 0 are left out
    """
    rows = {whole: material + shared, "material": material}
    rows |= {f"  {name}": size for name, size in parts.items() if size}
    rows["once for all materials"] = shared
    if shared > NOISE_TILE_BYTES:
        rows["  noise tile"] = NOISE_TILE_BYTES
    columns = {
        "on the GPU": [*rows],
        "bytes": [f"{size:,}" for size in rows.values()],
        "share": ["", *(f"{size / (material + shared):.1%}" for size in [*rows.values()][1:])],
    }
    console.print()
    print_columns(console, columns)


def print_cost(console: Console, cost: DecodeCost) -> None:
    """Print what a texel takes, and a sample with a footprint at each level."""
    rows = {
        "Gaussians evaluated": (f"{cost.weights_mean:.1f}", f"{cost.candidates.p99:.0f}", str(cost.candidates.max)),
        "multiply-adds": (
            f"{cost.multiply_adds_mean:.0f}",
            f"{cost.multiply_adds_p99:.0f}",
            str(cost.multiply_adds_max),
        ),
    }
    if cost.detail_multiply_adds:
        rows["  of detail"] = (str(cost.detail_multiply_adds),) * 3
    if cost.repeat_multiply_adds.max:
        work = cost.repeat_multiply_adds
        rows["  of the repeat"] = (f"{cost.repeat_multiply_adds_mean:.0f}", f"{work.p99:.0f}", str(work.max))
    if cost.residual_multiply_adds.max:
        work = cost.residual_multiply_adds
        rows["  of the residual"] = (f"{cost.residual_multiply_adds_mean:.0f}", f"{work.p99:.0f}", str(work.max))
    headings = ("mean", "99 %", "most")
    cells = {heading: [row[column] for row in rows.values()] for column, heading in enumerate(headings)}
    console.print()
    print_columns(console, {"per texel": [*rows], **cells})
    if cost.samples:
        _print_samples(console, cost)


def _print_samples(console: Console, cost: DecodeCost) -> None:
    """Print them as rows of levels; between two levels a sample takes what both take."""
    decoded = [sample for sample in cost.samples if sample.decodes]
    above = [sample for sample in cost.samples if not sample.decodes][:1]
    columns = {
        "per sample at level": [
            *(str(sample.level) for sample in decoded),
            *(f"{sample.level} and above" for sample in above),
        ],
        "Gaussians evaluated": [f"{sample.gaussians_median:g}" for sample in (*decoded, *above)],
        "most": [str(sample.gaussians_max) for sample in (*decoded, *above)],
        "blocks read": [str(sample.blocks) for sample in (*decoded, *above)],
    }
    console.print()
    print_columns(console, columns)
