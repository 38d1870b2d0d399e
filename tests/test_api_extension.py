"""What the site shows of classes: their fields with the comments beside them, and where references may lead."""

import importlib.util

import pytest

from imagegs_tex import AlphaUse, CompressReport, CompressSettings, FitSettings, ImageFormat


@pytest.fixture(scope="module")
def extension(repository, require_tool):
    require_tool(importlib.util.find_spec("sphinx") is not None, "needs Sphinx: pip install '.[docs]'")
    spec = importlib.util.spec_from_file_location("api_extension", repository / "docs" / "api_extension.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_field_has_its_type_default_and_comment(extension):
    fields = {name: (kind, text) for name, kind, text in extension.fields_of(CompressSettings)}
    assert list(fields)[:3] == ["quality", "gaussian_count", "bits_per_texel"]
    assert fields["max_bytes"] == ("int | None, default None", "of the complete file")
    assert fields["quality"][1].startswith("0..100, what people see")  # a comment above
    assert fields["target_psnr"][1].startswith("dB over all channels")  # within brackets over several lines
    assert fields["fit"] == ("FitSettings, default FitSettings()", "")


def test_members_of_an_enumeration_are_listed(extension):
    assert extension.fields_of(ImageFormat) == [("PNG", "'png'", ""), ("EXR", "'exr'", ""), ("TGA", "'tga'", "")]
    assert {name: text for name, _, text in extension.fields_of(AlphaUse)}["DATA"] == "all channels count everywhere"


def test_every_field_is_listed(extension):
    for thing in (FitSettings, CompressReport):
        assert [name for name, _, _ in extension.fields_of(thing)] == list(thing.__dataclass_fields__)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("imagegs_tex.fit.densification", True),
        ("imagegs_tex.formats.igs.container.read_igs", True),
        ("imagegs_tex.fit.nowhere", False),
        ("imagegs_tex.api.compress.nothing", False),
    ],
)
def test_references_lead_to_what_exists(extension, target, found):
    assert extension.exists(target) == found
