"""docs/inputs.md says what the table of formats says."""

from imagegs_tex.formats.images.file_formats import ALL_FORMATS, SIGNATURE_BYTES, detect
from imagegs_tex.formats.images.read import _DECODERS as DECODERS

BEGIN, END = "<!-- formats -->\n", "<!-- end of formats -->"


def table():
    lines = [
        "| format | depths | layouts | what decides a sample's meaning | refused | written |",
        "|---|---|---|---|---|---|",
    ]
    for entry in ALL_FORMATS:
        names = ", ".join(f"`{suffix}`" for suffix in entry.suffixes)
        formats = ", ".join(sorted(sample_format.name.lower() for sample_format in entry.sample_formats))
        channels = entry.channel_counts
        written = (
            f"{formats}; {', '.join(map(str, channels)) if len(channels) < 5 else '1 to 32'} channels"
            if formats
            else "no"
        )
        cells = (
            f"**{entry.name}** {names}",
            entry.depths,
            entry.layouts,
            entry.interpreted,
            entry.refused or "-",
            written,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_page_has_the_table_of_the_code(repository):
    page = (repository / "docs" / "inputs.md").read_text(encoding="utf-8")
    assert page.split(BEGIN)[1].split(END)[0] == table(), f"put this between the marks of docs/inputs.md:\n{table()}"


def test_each_format_is_read_and_told_by_its_own_signature():
    assert {entry.name for entry in ALL_FORMATS} == {*DECODERS}
    for entry in ALL_FORMATS:
        for signature in entry.signatures:
            assert len(signature) <= SIGNATURE_BYTES
            assert detect(signature.replace(b"?", b"x") + bytes(40)) is entry
