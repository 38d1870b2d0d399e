"""Where a file's bytes go: positions, shapes, features by map, index, layers; and what one more Gaussian costs."""

from dataclasses import dataclass

import numpy as np

from imagegs_tex.formats.igs.container import SectionSize
from imagegs_tex.formats.igs.optional_sections import DETAIL_SECTION, EXACT_SECTION, REPEAT_SECTION, RESIDUAL_SECTION
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet, basis_values
from imagegs_tex.formats.vocabulary import Coded
from imagegs_tex.quantize.code_lengths import code_lengths


@dataclass(frozen=True, slots=True)
class ByteLedger:
    """Bytes of one file; the parts add up to the file but for the rounding of features to maps."""

    header: int  # with the section table and its checksum
    maps: int  # what each image is made of
    components: int  # offset, steps, basis
    index: int  # how many Gaussians each cell holds
    positions: int
    shapes: int
    features: int
    detail: int  # 0 without a detail layer
    residual: int  # 0 without a residual layer
    repeat: int  # 0 without a repeat layer
    exact: int  # of exact samples; 0 where Gaussians are the picture
    features_by_map: tuple[tuple[str, float], ...]  # name and bytes, by what each component is worth to each map
    per_gaussian: float  # bytes that one more Gaussian costs: of index, positions, shapes and features


def byte_ledger(quantized: QuantizedGaussianSet, sections: tuple[SectionSize, ...]) -> ByteLedger:
    """Return where the bytes of a file go.

    A plane of feature codes has the share of the section that its codes' own entropy has; a map has the share of a
    plane that its channels have of the component's squared basis row. A channel that several maps share counts for each
    of them alike.
    """
    stored = {section.name: section.stored_bytes for section in sections}
    bits = np.array([_entropy(plane) for plane in quantized.feature_codes.T.astype(np.int64)])
    planes = stored["features"] * bits / max(float(bits.sum()), 1e-9)
    squares = np.square(basis_values(quantized.basis_codes, quantized.basis_scale), dtype=np.float64)
    squares /= np.maximum(squares.sum(axis=1, keepdims=True), 1e-30)
    by_channel = planes @ squares
    users = np.zeros(quantized.channel_count)
    for texture_map in quantized.maps:
        users[list(texture_map.coded_indices)] += 1
    by_map = []
    for texture_map in quantized.maps:
        channels = sorted({route.index for route in texture_map.routes if isinstance(route, Coded)})
        by_map.append((texture_map.name, float((by_channel[channels] / users[channels]).sum())))
    moving = stored["cells"] + stored["positions"] + stored["shapes"] + stored["features"]
    return ByteLedger(
        header=stored["header"], maps=stored["maps"], components=stored["components"], index=stored["cells"],
        positions=stored["positions"], shapes=stored["shapes"], features=stored["features"],
        detail=stored.get(DETAIL_SECTION, 0), residual=stored.get(RESIDUAL_SECTION, 0),
        repeat=stored.get(REPEAT_SECTION, 0), exact=stored.get(EXACT_SECTION, 0),
        features_by_map=tuple(by_map), per_gaussian=moving / quantized.gaussian_count,
    )  # fmt: skip


def _entropy(plane: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
    """Bits of a plane of codes by their own statistics."""
    least = int(plane.min())
    return float(code_lengths(plane, least)[plane - least].sum())
