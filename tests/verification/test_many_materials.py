"""One buffer of thousands of materials: each is decoded as if it were alone."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.made_gaussians import made_set
from helpers.made_repeat import with_repeat
from helpers.made_residual import made_residual

from imagegs_tex.formats.errors import UsageError
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.gpu_buffer import DIRECTORY_WORDS, MOST_WORDS, join_materials, pack_gaussians
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, with_include
from imagegs_tex.shaders.shared_decoder import most_of, shared_decoder
from imagegs_tex.verification import MAX_ERROR
from imagegs_tex.verification.float64_picture import reference_picture, reference_points
from imagegs_tex.verification.shared_view import view_in_buffer
from imagegs_tex.verification.toolchain import hlsl_to_glsl

MATERIALS, KINDS, SAMPLES = 4096, 96, 6000
GLSL = """#version 430
//@include
layout(local_size_x = 64) in;
layout(std430, binding = 3) readonly buffer Points { vec4 points[]; };
layout(std430, binding = 4) writeonly buffer Results { vec4 results[]; };
void main()
{
    vec4 given = points[gl_GlobalInvocationID.x];
    results[gl_GlobalInvocationID.x] = igs_layer(igs_decode(uint(given.x), given.yz), 0);
}
"""
HLSL = f"""#include "{HLSL_INCLUDE}"
ByteAddressBuffer points : register(t3);
RWByteAddressBuffer results : register(u4);
[numthreads(64, 1, 1)]
void CSMain(uint3 id : SV_DispatchThreadID)
{{
    float4 given = asfloat(points.Load4(16u * id.x));
    results.Store4(16u * id.x, asuint(igs_layer(igs_decode(uint(given.x), given.yz), 0)));
}}
"""


def kind(number):
    """A small set of its own: every eighth has a residual, another a repeat, another noise."""
    size = 8 + number % 23, 8 + number % 17
    plain = made_set(
        *size, 6 + number % 9, 1 + number % 4, seed=number, wrap=(number % 3 == 0, number % 5 == 0),
        detail={"seed": number} if number % 8 == 3 else None,
    )  # fmt: skip
    if number % 8 == 1:
        return replace(plain, residual=made_residual(plain))
    return with_repeat(plain, period=(5, 7)) if number % 8 == 2 else plain


@pytest.fixture(scope="module")
def buffer():
    """Sets, which of them each material is, and the words."""
    sets = [kind(number) for number in range(KINDS)]
    of = np.random.default_rng(7).integers(0, KINDS, MATERIALS)
    packed = [pack_gaussians(each) for each in sets]
    return sets, of, packed, join_materials([packed[number] for number in of])


@pytest.mark.gl
@pytest.mark.parametrize("language", ["glsl", "hlsl"])
def test_any_of_thousands_of_materials(language, buffer, device):
    sets, of, packed, words = buffer
    rng = np.random.default_rng(11)
    chosen = rng.integers(0, MATERIALS, SAMPLES)
    chosen[:2] = 0, MATERIALS - 1
    uv = (rng.integers(0, 4096, (SAMPLES, 2)) / 4096).astype(np.float32)
    right = np.full((SAMPLES, 4), np.nan)
    for number, each in enumerate(sets):
        own = np.flatnonzero(of[chosen] == number)
        points = uv[own] * np.array([each.width, each.height], np.float32)
        right[own, : each.channel_count] = reference_points(reference_picture(each), points)
    includes = shared_decoder(*most_of(packed)).includes
    source = with_include(GLSL, includes[STORAGE_INCLUDE])
    if language == "hlsl":
        source = hlsl_to_glsl(HLSL, "comp", includes)
    found = decoded(device, source, words, np.concatenate([chosen[:, None], uv, uv[:, :1]], axis=1))
    assert np.nanmax(np.abs(found - right)) <= MAX_ERROR
    beside = decoded(device, source, words, np.concatenate([(chosen ^ 1)[:, None], uv, uv[:, :1]], axis=1))
    assert np.nanmax(np.abs(beside - right)) > 0.1


def decoded(device, source, words, points):
    """Values [P, 4] at points [P, 4] of material, u and v."""
    context = device.context
    rows = np.zeros((-(-len(points) // 64) * 64, 4), np.float32)
    rows[: len(points)] = points
    data, given = context.buffer(words.tobytes()), context.buffer(rows.tobytes())
    results = context.buffer(reserve=rows.nbytes)
    for binding, each in ((0, data), (3, given), (4, results)):
        each.bind_to_storage_buffer(binding)
    context.compute_shader(source).run(len(rows) // 64)
    context.memory_barrier()
    return np.frombuffer(results.read(), np.float32).reshape(-1, 4)[: len(points)]


def test_the_table_says_where_each_begins(buffer):
    _, of, packed, words = buffer
    assert words[1] == MATERIALS
    assert words[2] == DIRECTORY_WORDS + MATERIALS  # the noise tile, once
    sizes = [len(packed[number].words) - packed[number].material_at - 1 for number in of]
    first = DIRECTORY_WORDS + MATERIALS + 4096
    assert np.array_equal(words[DIRECTORY_WORDS : DIRECTORY_WORDS + MATERIALS], first + np.cumsum([0, *sizes[:-1]]))
    assert len(words) == first + sum(sizes) + 1


def test_a_buffer_beyond_four_gibibytes_is_refused(buffer):
    large = replace(buffer[2][0], words=np.broadcast_to(np.uint32(0), (MOST_WORDS,)))  # takes no memory
    with pytest.raises(UsageError, match=r"2 materials of .* bytes, more than 4,294,967,296 .* make several buffers"):
        join_materials([large, large])


def test_a_file_can_be_looked_at_behind_others(buffer):
    sets, _, packed, _ = buffer
    view = view_in_buffer(sets[9], build_decoder(sets[9]), packed[:9])
    joined = join_materials(packed[:10])
    assert np.array_equal(view.packed.words, joined)
    assert "#define IGS_NUMBER 9u" in view.includes[STORAGE_INCLUDE]
