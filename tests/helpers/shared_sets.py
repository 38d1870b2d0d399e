"""Sets of many kinds for one buffer, and what their decodes should be at some points."""

from dataclasses import replace

import numpy as np

from helpers.made_gaussians import made_map, made_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_residual
from imagegs_tex.formats.igs.exact_samples import exact_samples
from imagegs_tex.formats.vocabulary import Coded, SampleFormat, Semantic, Transfer, UnitZ
from imagegs_tex.verification.float64_footprint import footprint_reference, lod_reads_sure_texels, sample_lod
from imagegs_tex.verification.float64_picture import reference_picture, reference_points


def exact(quantized):
    """The same maps as exact samples: random ones."""
    rng = np.random.default_rng(3)
    samples = rng.uniform(0.3, 0.7, (quantized.height, quantized.width, quantized.channel_count))
    return replace(quantized, exact=exact_samples(samples.astype(np.float32), quantized.maps))


def layered(quantized, **options):
    """With a residual."""
    return replace(quantized, residual=made_residual(quantized, **options))


SETS = [
    made_set(131, 77, 150, 4, wrap=(True, True)),
    made_set(64, 48, 80, 6, components=5),
    made_set(
        200, 150, 90, 4, components=3, spread=6,
        maps=(
            made_map("normal", Semantic.NORMAL, (Coded(1), Coded(2), UnitZ()), Transfer.LINEAR),
            made_map("rest", Semantic.DATA, (Coded(0), Coded(3)), Transfer.LINEAR),
        ),
    ),
    made_set(1, 1, 1, 1),
    made_set(140, 90, 100, 5, components=3, wrap=(True, False), detail={"components": 6, "relief": 2}),
    made_set(33, 70, 60, 3, detail={"components": 1, "grid": (64, 3)}),
    exact(made_set(37, 21, 1, 7, maps=(
        made_map("normal", Semantic.NORMAL, (Coded(5), Coded(1), UnitZ()), Transfer.LINEAR),
        made_map("8 bits", Semantic.DATA, (Coded(0), Coded(2), Coded(3)), Transfer.LINEAR),
        made_map("16 bits", Semantic.HEIGHT, (Coded(4),), Transfer.LINEAR, sample_format=SampleFormat.UINT16),
        made_map("floats", Semantic.DATA, (Coded(6),), Transfer.LOG, (0.0, 9.0), sample_format=SampleFormat.FLOAT16),
    ))),
    layered(made_set(77, 45, 60, 5, wrap=(True, False), detail={}), side_log2=4, components=3, step=0.04),
    layered(made_set(60, 51, 60, 4), density=0.15),
    with_repeat(made_set(70, 40, 30, 4, wrap=(False, True)), period=(16, 24), origin=(3, 5), shift=9, side_log2=3),
    layered(with_repeat(made_set(45, 30, 20, 3, detail={}), period=(13, 7), pictures=4), step=0.03),
]  # fmt: skip
POINTS = 200
MOST = 5, 8  # components, values: what the sets need; drivers unroll loops over both
VALUES = MOST[1]


def requests(packed):
    """Points and what is right there: material, u, v, level [P, 4]; values [P, 8], NaN where a material has none."""
    rng = np.random.default_rng(5)
    rows, right = [], []
    for number, quantized in enumerate(SETS):
        picture = reference_picture(quantized)
        reference = footprint_reference(quantized, packed[number], picture)
        size = np.array([quantized.width, quantized.height])
        uv = (rng.integers(0, 4096, (POINTS, 2)) / 4096).astype(np.float32)
        values = reference_points(picture, uv * size)
        level = np.zeros((POINTS, 1))
        lods = [0.4, *np.arange(1, reference.last + 1), reference.last - 0.7, 20.0]
        level[-len(lods) :, 0] = np.maximum(lods, 0)
        places = uv[-len(lods) :] * size
        sampled = sample_lod(reference, places, level[-len(lods) :, 0])[:, : quantized.channel_count]
        sampled[~lod_reads_sure_texels(reference, places, level[-len(lods) :, 0])] = np.nan
        values[-len(lods) :] = sampled
        rows.append(np.concatenate([np.full((POINTS, 1), number), uv, level], axis=1).astype(np.float32))
        right.append(np.pad(values, ((0, 0), (0, VALUES - values.shape[1])), constant_values=np.nan))
    return np.concatenate(rows), np.concatenate(right)
