"""Write igs_decode.gdshaderinc, the decoder of all materials in Godot's shading language: ``python make_include.py``.

It is GLSL ES 3.00 but for three things: no statement of precision; textures of unsigned words are not to be had from
GDScript, so that a word comes as a texel of four bytes; and what is shifted and by how much are of one type.
"""

import re
from pathlib import Path

from imagegs_tex.shaders.shared_decoder import shared_decoder

WORD = """uniform sampler2D igs_data : filter_nearest, repeat_disable;

uint igs_word(uint at)
{
    ivec2 place = ivec2(int(at & IGS_ROW_MASK), int(at >> IGS_ROW_LOG2));
    uvec4 byte = uvec4(texelFetch(igs_data, place, 0) * 255.0 + 0.5);
    return byte.x | (byte.y << 8u) | (byte.z << 16u) | (byte.w << 24u);
}
"""


def to_godot(text: str) -> str:
    """Translate igs_decode_texture.glsl."""
    text, heads = re.subn(
        r"// GLSL ES 3.00 \(WebGL 2\).*?\nuint igs_word.*?\n}\n", lambda _: WORD, text, flags=re.DOTALL
    )
    assert heads == 1
    text = re.sub(r"(<<|>>) uint\(", r"\1 int(", text)  # of an int by an int
    return re.sub(r"(int\(bits << .*\) >>) (\(\(32u - count\) & 31u\))", r"\1 int(\2)", text)


def main() -> None:
    """Write the include beside this script."""
    text = to_godot(shared_decoder().includes["igs_decode_texture.glsl"])
    (Path(__file__).parent / "igs_decode.gdshaderinc").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
