"""``info``."""

import json

from imagegs_tex.formats.igs.container import decode_igs, encode_igs


def test_info_tells_the_bytes_of_every_section(run, packed):
    code, out, _ = run("info", packed)
    assert code == 0
    assert all(word in out for word in ("64 x 64", "basecolor", "positions", "features", "on the GPU"))
    found = json.loads(run("info", packed, "--json")[1])
    assert found["file_bytes"] == packed.stat().st_size == sum(part["stored_bytes"] for part in found["sections"])
    assert [entry["name"] for entry in found["maps"]] == ["basecolor", "height", "normal", "roughness"]


def test_a_whole_file_is_what_the_bytes_say(packed):
    data = packed.read_bytes()
    assert encode_igs(decode_igs(data)) == data
