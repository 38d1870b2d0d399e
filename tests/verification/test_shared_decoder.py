"""One decoder draws every material of one buffer."""

import numpy as np
import pytest
from helpers.made_gaussians import made_map, made_set
from helpers.shared_sets import MOST, SETS, VALUES, requests

from imagegs_tex.decoder.render import shader_decoder
from imagegs_tex.formats.errors import UsageError
from imagegs_tex.formats.vocabulary import Coded, Constant, Semantic, Transfer, UnitZ
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.derived_z import derived_normals
from imagegs_tex.shaders.gpu_buffer import join_materials, pack_gaussians
from imagegs_tex.shaders.include_text import HLSL_INCLUDE, STORAGE_INCLUDE, TEXTURE_INCLUDE, with_include
from imagegs_tex.shaders.shared_decoder import shared_decoder
from imagegs_tex.verification import MAX_ERROR, probe_shaders
from imagegs_tex.verification.float64_accessors import accessor_error
from imagegs_tex.verification.float64_footprint import footprint_reference, sample_lod
from imagegs_tex.verification.float64_picture import reference_picture, reference_points, reference_rows
from imagegs_tex.verification.opengl import Scene
from imagegs_tex.verification.probe_shaders import full_target
from imagegs_tex.verification.shared_view import view_in_buffer
from imagegs_tex.verification.toolchain import check_glsl, hlsl_to_glsl

pytestmark = pytest.mark.gl


GLSL = """#version 430
//@include
layout(local_size_x = 64) in;
layout(std430, binding = 3) readonly buffer Points { float points[]; };
layout(std430, binding = 4) writeonly buffer Results { float results[]; };
void main()
{
    uint i = gl_GlobalInvocationID.x;
    if (i >= uint(points.length() / 4)) return;
    uint material = uint(points[4u * i]);
    vec2 uv = vec2(points[4u * i + 1u], points[4u * i + 2u]);
    IgsTexel texel = igs_decode(material, uv);
    if (points[4u * i + 3u] > 0.0) texel = igs_sample_lod(material, uv, points[4u * i + 3u]);
    for (int c = 0; c < IGS_VALUES; ++c) results[i * uint(IGS_VALUES) + uint(c)] = texel.channel[c];
}
"""
HLSL = f"""#include "{HLSL_INCLUDE}"
ByteAddressBuffer points : register(t3);
RWByteAddressBuffer results : register(u4);
[numthreads(64, 1, 1)]
void CSMain(uint3 id : SV_DispatchThreadID)
{{
    float4 given = asfloat(points.Load4(16u * id.x));
    uint material = uint(given.x);
    IgsTexel texel = igs_decode(material, given.yz);
    if (given.w > 0.0) {{
        texel = igs_sample_lod(material, given.yz, given.w);
    }}
    for (int c = 0; c < IGS_VALUES; ++c) {{
        results.Store(4u * (id.x * uint(IGS_VALUES) + uint(c)), asuint(texel.channel[c]));
    }}
}}
"""
GROUPS = """#version 430
#define IGS_COMPUTE
uniform int fault;
//@include
layout(local_size_x = 64) in;
uniform int material;
void main()
{
    igs_decode_group(uint(material), gl_WorkGroupID.xy, gl_LocalInvocationIndex, ivec2(0, 0));
}
"""
PIXEL = f"""#version 300 es
#define IGS_COMPONENTS {MOST[0]}
#define IGS_VALUES {VALUES}
#define IGS_ROW_LOG2 9u
//@include
precision highp sampler2D;
uniform sampler2D points;
layout(location = 0) out vec4 first;
layout(location = 1) out vec4 second;
void main()
{{
    vec4 given = texelFetch(points, ivec2(gl_FragCoord.xy), 0);
    IgsTexel texel = igs_decode(uint(given.x), given.yz);
    if (given.w > 0.0) texel = igs_sample_lod(uint(given.x), given.yz, given.w);
    first = igs_layer(texel, 0);
    second = igs_layer(texel, 1);
}}
"""


@pytest.fixture(scope="module")
def packed():
    return [shader_decoder(quantized).packed for quantized in SETS]


def run(device, source, words, rows):
    context = device.context
    program = context.compute_shader(source)
    data, given = context.buffer(words.tobytes()), context.buffer(np.pad(rows, ((0, 64), (0, 0))).tobytes())
    results = context.buffer(reserve=4 * VALUES * (len(rows) + 64))
    for binding, buffer in ((0, data), (3, given), (4, results)):
        buffer.bind_to_storage_buffer(binding)
    program.run(-(-len(rows) // 64))
    context.memory_barrier()
    return np.frombuffer(results.read(), np.float32).reshape(-1, VALUES)[: len(rows)]


@pytest.mark.parametrize("language", ["glsl", "hlsl"])
def test_materials_of_one_buffer(device, packed, language):
    includes = shared_decoder(*MOST).includes
    if language == "glsl":
        source = with_include(GLSL, includes[STORAGE_INCLUDE])
    else:
        source = hlsl_to_glsl(HLSL, "comp", includes)
    rows, right = requests(packed)
    found = run(device, source, join_materials(packed), rows)
    assert np.nanmax(np.abs(found - right)) <= MAX_ERROR
    swapped = run(device, source, join_materials(packed[::-1]), rows)
    assert np.nanmax(np.abs(swapped - right)) > 0.1


BROKEN_GROUPS = {
    "a component of the row above": ("sums[row].code[0].y * basis", "sums[max(row - 1, 0)].code[0].y * basis"),
    "y for x": ("(step == -1 ? 8u : 0u)", "8u"),
    "z a channel on": ("igs_one_at(uint(m.channels) & 3u)", "igs_one_at(uint(m.channels + 1) & 3u)"),
}


BROKEN_LISTS = {
    "another material's lists": ("igs_share_lists(m, blocks, group, thread);", ""),
    "a cell's first picture in all of its texels": ("unit = blocks.unit * igs_picture_weight(weights);", ""),
}


def group_program(device, most, layered=0, faults=()):
    """Compile the compute decoder; with faults, so that a number from 1 on chooses one: compiling takes 7 to 20 s."""
    source = with_include(GROUPS, shared_decoder(*most).includes[STORAGE_INCLUDE])
    source = source.replace("#define IGS_COMPUTE\n", f"#define IGS_COMPUTE\n#define IGS_LAYERED {layered}\n", 1)
    for number, (good, bad) in enumerate(faults, 1):
        assert good in source
        is_statement = good.endswith(";")
        chosen = f"if (fault == {number}) {{ {bad} }} else {{ {good} }}" if is_statement else (
            f"(fault == {number} ? {bad} : {good})"
        )  # fmt: skip
        source = source.replace(good, chosen)
    return device.context.compute_shader(source)


def check_groups(device, program, packed, sets, values, fault=0):
    """All texels of each material by the compute decoder, z of normals behind the channels."""
    context = device.context
    data = context.buffer(join_materials(packed).tobytes())
    if fault:
        program["fault"] = fault
    worst = 0.0
    for number, quantized in enumerate(sets):
        target = context.texture_array((quantized.width, quantized.height, values // 4), 4, dtype="f4")
        data.bind_to_storage_buffer(0)
        target.bind_to_image(1, read=False, write=True)
        program["material"] = number
        program.run(-(-quantized.width // 16), -(-quantized.height // 16))
        context.memory_barrier()
        layers = np.frombuffer(target.read(), np.float32).reshape(values // 4, quantized.height, quantized.width, 4)
        texels = np.moveaxis(layers, 0, 2).reshape(quantized.height, quantized.width, values)
        right = reference_rows(reference_picture(quantized), 0, quantized.height)
        channels = quantized.channel_count
        worst = max(worst, np.abs(texels[..., :channels] - right).max())
        for place, sides in enumerate(derived_normals(quantized.maps).values()):
            square = np.maximum(1.0 - np.sum((2.0 * right[..., list(sides)] - 1.0) ** 2, axis=-1), 0.0)
            worst = max(worst, np.abs((2.0 * texels[..., channels + place] - 1.0) ** 2 - square).max() / 4)
    return worst


WAYS = {"each texel's lists": (0, BROKEN_GROUPS), "shared lists": (1, BROKEN_LISTS)}


@pytest.mark.parametrize("way", WAYS)
def test_groups_of_each_material(device, packed, way):
    program = group_program(device, MOST, WAYS[way][0])
    assert check_groups(device, program, packed, SETS, VALUES) <= MAX_ERROR


@pytest.mark.parametrize("way", WAYS)
def test_broken_groups_are_found_out(device, packed, way):
    layered, faults = WAYS[way]
    program = group_program(device, MOST, layered, faults.values())
    assert check_groups(device, program, packed, SETS, VALUES) <= MAX_ERROR
    for number, fault in enumerate(faults, 1):
        assert check_groups(device, program, packed, SETS, VALUES, number) > MAX_ERROR, fault


def test_groups_of_many_components(device):
    quantized = made_set(40, 30, 40, 16, components=14)
    program = group_program(device, (14, 16))
    assert check_groups(device, program, [pack_gaussians(quantized)], [quantized], 16) <= MAX_ERROR


def test_the_texture_variant(device, packed):
    """As a page in a browser would use it: the include as it is, sizes set before it."""
    context = device.context
    source = with_include(PIXEL, shared_decoder().includes[TEXTURE_INCLUDE])
    program = context.program(vertex_shader=full_target(source), fragment_shader=source)
    words = join_materials(packed)
    words = np.pad(words, (0, -len(words) % 512))
    data = context.texture((512, len(words) // 512), 1, words.tobytes(), dtype="u4")
    rows, right = requests(packed)
    points = context.texture((len(rows), 1), 4, rows.tobytes(), dtype="f4")
    targets = [context.texture((len(rows), 1), 4, dtype="f4") for _ in range(2)]
    context.framebuffer(color_attachments=targets).use()
    data.use(0)
    points.use(1)
    program["igs_data"], program["points"] = 0, 1
    context.vertex_array(program, []).render(vertices=3)
    found = np.concatenate([np.frombuffer(target.read(), np.float32).reshape(-1, 4) for target in targets], axis=1)
    assert np.nanmax(np.abs(found - right)) <= MAX_ERROR


def test_the_texture_variant_compiles_as_it_is():
    source = (
        "#version 300 es\n//@include\nin vec2 uv;\nout vec4 colour;\n"
        "void main() { colour = igs_layer(igs_sample(1u, uv), 0); }\n"
    )
    check_glsl(with_include(source, shared_decoder().includes[TEXTURE_INCLUDE]), "frag")


def test_materials_without_levels_have_the_first_two(device):
    quantized = SETS[0]
    words = join_materials([pack_gaussians(quantized)])
    source = with_include(GLSL, shared_decoder(*MOST).includes[STORAGE_INCLUDE])
    picture = reference_picture(quantized)
    reference = footprint_reference(quantized, shader_decoder(quantized).packed, picture)
    size = np.array([quantized.width, quantized.height])
    uv = (np.random.default_rng(2).integers(0, 4096, (50, 2)) / 4096).astype(np.float32)
    right = sample_lod(reference, uv * size, np.ones(50))
    for level in (1.0, 7.0):
        rows = np.concatenate([np.zeros((50, 1)), uv, np.full((50, 1), level)], axis=1).astype(np.float32)
        found = run(device, source, words, rows)[:, : quantized.channel_count]
        assert np.abs(found - right[:, : quantized.channel_count]).max() <= MAX_ERROR


def test_another_include_on_top_is_an_error():
    one, other = (shared_decoder(components).includes[STORAGE_INCLUDE] for components in (12, 8))
    check_glsl(f"#version 430\n{one}\n{one}\nvoid main() {{}}\n", "vert")
    with pytest.raises(Exception, match="IGS_DECODE"):
        check_glsl(f"#version 430\n{one}\n{other}\nvoid main() {{}}\n", "vert")


def test_a_noise_tile_is_there_once():
    noisy = [shader_decoder(made_set(40, 30, 20, 3, detail={"seed": seed})).packed for seed in (1, 2)]
    words = join_materials(noisy)
    assert words[2] == 5  # behind a directory of two
    sizes = [packed.ledger.total for packed in noisy]
    assert words.nbytes == 4 * 3 + sum(sizes) + 16384 + 4


MATERIAL = made_set(
    40, 30, 40, 9, components=4,
    maps=(
        made_map(
            "base", routes=(Coded(0), Coded(1), Coded(2), Coded(8)),
            channel_semantics=(Semantic.BASE_COLOUR,) * 3 + (Semantic.OPACITY,),
        ),
        made_map("wall_normal_dx", Semantic.NORMAL, (Coded(3), Constant(0.6), UnitZ()), Transfer.LINEAR),
        made_map("normal2", Semantic.NORMAL, (Coded(3), Coded(4)), Transfer.LINEAR),
        made_map(
            "og", Semantic.OCCLUSION, (Constant(0.75), Coded(6)), Transfer.LINEAR,
            channel_semantics=(Semantic.OCCLUSION, Semantic.GLOSS),
        ),
        made_map("grey", Semantic.HEIGHT, (Coded(5),) * 3, Transfer.LINEAR),
        made_map("hdr", Semantic.EMISSIVE, (Coded(0), Coded(5), Constant(3.5)), Transfer.LOG, (-0.5, 700.0)),
        made_map("spec", Semantic.SPECULAR, (Coded(7),)),
    ),
)  # fmt: skip
BROKEN = {
    "colours stay encoded": ("encoded ? decoded.x", "encoded ? stored.x"),
    "the constant before": ("source - 128u", "source - 129u"),
    "logarithms stay": ("(head & 0x20000u) != 0u", "(head & 0x40000u) != 0u"),
    "z is not made": ("igs_normal_kind(material) > 0u", "igs_normal_kind(material) > 2u"),
}


@pytest.mark.parametrize("change", ["", *BROKEN])
def test_accessors_by_meaning(device, change):
    view = view_in_buffer(MATERIAL, build_decoder(MATERIAL))
    uv = (np.random.default_rng(3).integers(0, 4096, (300, 2)) / 4096).astype(np.float32)
    source = probe_shaders.glsl_points(view)
    if change:
        assert BROKEN[change][0] in source
        source = source.replace(*BROKEN[change])
    with Scene(device, view.packed, (40, 30), 9) as scene:
        found = scene.at_points(scene.compute(source), uv, probe_shaders.result_width(view))
    names = [accessor.name for accessor in view.accessors]
    assert names == [
        "igs_base_colour", "igs_base_colour_linear", "igs_opacity", "igs_normal", "igs_occlusion", "igs_gloss",
        "igs_height", "igs_emissive", "igs_specular", "igs_specular_linear", "igs_roughness",
    ]  # fmt: skip
    right = reference_points(reference_picture(MATERIAL), uv * [40, 30])
    error = accessor_error(MATERIAL.maps, view.accessors, found[:, 9:], right)
    assert error > MAX_ERROR if change else error <= MAX_ERROR


def test_what_a_material_has_not_and_which_way_green_points(device):
    plain = made_set(1, 1, 1, 1)
    text = """    results[0] = igs_normal_y(0u);
    results[1] = igs_normal_y(1u);
    results[2] = float(igs_has(0u, IGS_MEANING_GLOSS)) + 2.0 * float(igs_has(1u, IGS_MEANING_GLOSS));
    IgsTexel texel = igs_decode(1u, vec2(0.5, 0.5));
    vec3 normal = igs_normal(1u, texel);
    results[3] = normal.z;
    results[4] = igs_roughness(1u, texel);
    results[5] = igs_occlusion(1u, texel);
    results[6] = igs_base_colour_linear(1u, texel).y;
    results[7] = igs_sheen_linear(1u, texel).y;
}
"""
    source = GLSL[: GLSL.index("    uint i =")] + text
    source = with_include(source, shared_decoder(4, 10).includes[STORAGE_INCLUDE])
    words = join_materials([pack_gaussians(MATERIAL), pack_gaussians(plain)])
    found = run(device, source, words, np.zeros((1, 4), np.float32))[0]
    np.testing.assert_allclose(found, [-1, 0, 1, 1, 0.6, 1, 0.5, 0], atol=1e-6)


def test_a_buffer_of_no_material_is_refused():
    with pytest.raises(UsageError, match="no material"):
        join_materials([])
