"""GLSL to WGSL: what the subset becomes, and what is refused."""

import pytest

from imagegs_tex.shaders.glsl_to_wgsl import constants_to_wgsl, to_wgsl

FUNCTION = """// A sum.
struct IgsPair {
    uvec2 set; // of both
    float code[IGS_COMPONENTS];
};

float igs_sum(IgsPair pair, int last, uint bits)
{
    float sum = 0.0; // so far
    for (int k = 0; k <= last; ++k) {
        sum += pair.code[k];
        last -= k > 3 && k < 9 ? 1 : 0;
    }
    if (bits != 0u) {
        bits &= bits - 1u;
    } else if (last == 2) {
        return -sum;
    }
    return sum + float((bits >> 3u * 2u) & 7u | bits);
}
"""
TRANSLATED = """// A sum.
struct IgsPair {
    set_: vec2u, // of both
    code: array<f32, IGS_COMPONENTS>,
}

fn igs_sum(pair_given: IgsPair, last_given: i32, bits_given: u32) -> f32 {
    var pair = pair_given;
    var last = last_given;
    var bits = bits_given;
    var sum: f32 = 0.0; // so far
    for (var k: i32 = 0; k <= last; k++) {
        sum += pair.code[k];
        last -= select(0, 1, k > 3 && k < 9);
    }
    if (bits != 0u) {
        bits &= bits - 1u;
    } else if (last == 2) {
        return -sum;
    }
    return sum + f32(((bits >> (3u * 2u)) & 7u) | bits);
}
"""


def test_structs_and_functions():
    assert to_wgsl(FUNCTION) == TRANSLATED


GROUP = """// For each part, bits.
IGS_SHARED uint igs_bits[4u * IGS_N]; // of slots
IGS_SHARED uvec4 igs_listed[8];

void igs_mark(IgsPair pairs[IGS_N], uint part)
{
    igs_bits[part] = 0u;
    igs_shared_or(igs_bits[part >> 1u], 1u << part);
    if ((igs_bits[part] & 1u) > 0u) {
        igs_listed[part][1u] = igs_bits[0];
    }
}
"""
GROUP_TRANSLATED = """// For each part, bits.
var<workgroup> igs_bits: array<atomic<u32>, 4u * IGS_N>; // of slots
var<workgroup> igs_listed: array<vec4u, 8>;

fn igs_mark(pairs_given: array<IgsPair, IGS_N>, part: u32) {
    var pairs = pairs_given;
    atomicStore(&igs_bits[part], 0u);
    atomicOr(&igs_bits[part >> 1u], 1u << part);
    if ((atomicLoad(&igs_bits[part]) & 1u) > 0u) {
        igs_listed[part][1u] = atomicLoad(&igs_bits[0]);
    }
}
"""


def test_what_a_workgroup_shares():
    assert to_wgsl(GROUP) == GROUP_TRANSLATED


@pytest.mark.parametrize(
    ("glsl", "wgsl"),
    [
        ("a + b * c - d", "a + b * c - d"),
        ("(a + b) * c", "(a + b) * c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a & b | c", "(a & b) | c"),
        ("a << 2u + b", "a << (2u + b)"),
        ("a < b && c || d", "(a < b && c) || d"),
        ("!(a < b)", "!(a < b)"),
        ("-(a + b) * c", "-(a + b) * c"),
        ("vec2(a, b).yx", "vec2f(a, b).yx"),
        ("first >> ivec2(a, b)", "first >> vec2u(vec2i(a, b))"),
        ("a ? b : c ? d : e", "select(select(e, d, c), b, a)"),
        ("(x ^ (x >> 16u)) * 0x7FEB352Du", "(x ^ (x >> 16u)) * 0x7FEB352Du"),
    ],
)
def test_expressions(glsl, wgsl):
    assert to_wgsl(f"int igs_f() {{ return {glsl}; }}") == f"fn igs_f() -> i32 {{\n    return {wgsl};\n}}\n"


@pytest.mark.parametrize(
    "source",
    [
        "mat2 igs_f() { return 0; }", "float igs_f() { return mix(a, b, c); }", "#define IGS_X 1",
        "float igs_f() { return a }", "int igs_f(inout int a) { return a; }", "double igs_f() { return 0.0; }",
        "int igs_f() { do { } while (a); return 0; }",
    ],
)  # fmt: skip
def test_what_is_refused(source):
    with pytest.raises(ValueError, match="no WGSL"):
        to_wgsl(source)


def test_constants_that_are_used():
    head = "#ifndef IGS_A\n#define IGS_A 3 // three\n#endif\n#define IGS_B IGS_A\n#define IGS_C 2u\n"
    assert constants_to_wgsl(head, "x + IGS_B") == "const IGS_A = 3; // three\nconst IGS_B = IGS_A;\n"
