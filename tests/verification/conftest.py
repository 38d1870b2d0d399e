import pytest

from imagegs_tex.formats.errors import MissingToolError
from imagegs_tex.verification.opengl import open_device
from imagegs_tex.verification.toolchain import has_tool


@pytest.fixture(scope="session")
def device(require_tool):
    """OpenGL, and the tools that bring HLSL to it."""
    for tool in ("glslangValidator", "spirv-cross"):
        require_tool(has_tool(tool), f"{tool} is not installed: apt-get install glslang-tools spirv-cross")
    try:
        opened = open_device()
    except MissingToolError as error:
        require_tool(False, str(error))
        raise
    yield opened
    opened.context.release()
