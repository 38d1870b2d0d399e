"""``imagegs-tex emit``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegs_tex.cli.options import Quiet, Textures
from imagegs_tex.formats.errors import InputError, UsageError
from imagegs_tex.formats.files.safe_names import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagegs_tex.shaders.build_decoder import Language
    from imagegs_tex.shaders.emit_materials import Stage


class BlockSize(StrEnum):
    """Texels across and down of the index's blocks."""

    SMALL = "8"
    MEDIUM = "16"
    LARGE = "32"
    LARGEST = "64"


class ShaderLanguage(StrEnum):
    """Languages of the emitted decoder."""

    GLSL = "glsl"
    HLSL = "hlsl"
    WGSL = "wgsl"


Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE.igs|DIR]...",
        readable=False,
        help="One file: a decoder for it alone. Several, or a folder of them: one buffer and the decoder that "
        "reads any of them. None: that decoder without a buffer.",
    ),
]


def emit(
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Folder for the decoder's files.")],
    files: Files = None,
    lang: Annotated[
        ShaderLanguage,
        typer.Option(
            "--lang",
            help="GLSL 4.30 and ES 3.00, HLSL shader model 5.0 and newer, or WGSL (always the decoder of many "
            "materials).",
        ),
    ] = ShaderLanguage.GLSL,
    shared: Annotated[
        bool | None,
        typer.Option(
            "--shared/--specialised",
            help="The decoder that reads any material of a buffer, or the faster one of a single file. By default: the "
            "latter for one file.",
        ),
    ] = None,
    block_size: Annotated[
        BlockSize | None,
        typer.Option(help="Texels of the blocks that Gaussians are listed for: small ones make pixel shaders faster."),
    ] = None,
    mips: Annotated[
        bool,
        typer.Option("--mips/--no-mips", help="igs_sample and coarse levels for minification, for a larger buffer."),
    ] = True,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="NAME_", help="What all names begin with, those of files included.")
    ] = "igs_",
    spirv: Annotated[
        bool,
        typer.Option("--spirv", help="The GLSL samples as SPIR-V for Vulkan, too: of the decoder of many materials."),
    ] = False,
    textures: Textures = None,
    quiet: Quiet = False,
) -> None:
    """Write a shader decoder: includes, the GPU buffer, its description, samples and a readme."""
    from imagegs_tex.cli.outputs import folder_path
    from imagegs_tex.shaders.prefix import DEFAULT_PREFIX, read_prefix

    folder = folder_path(output, "emit")
    names = read_prefix(prefix)
    block_log2 = None if block_size is None else int(block_size).bit_length() - 1
    paths = _igs_files(files or [])
    if spirv and lang != ShaderLanguage.GLSL:
        raise UsageError("--spirv is made of GLSL: leave --lang out")
    single = len(paths) == 1 and not shared and not spirv and lang != ShaderLanguage.WGSL
    if textures is not None and (not single or names != DEFAULT_PREFIX):
        raise UsageError("--textures is for one file and its own decoder, under the names igs_: leave the rest out")
    if shared is False and not single:
        raise UsageError("--specialised is the decoder of one file in GLSL or HLSL: give one file, without --spirv")
    if single:
        own: Language = "hlsl" if lang == ShaderLanguage.HLSL else "glsl"
        _emit_one(paths[0], folder, own, block_log2, mips=mips, prefix=names, textures=textures, quiet=quiet)
    else:
        _emit_many(paths, folder, lang, block_log2, mips=mips, prefix=names, spirv=spirv, quiet=quiet)


def _emit_one(
    file: Path, folder: Path, language: "Language", block_log2: int | None,
    *, mips: bool, prefix: str, textures: Textures, quiet: bool,
) -> None:  # fmt: skip
    from imagegs_tex.cli.progress import working
    from imagegs_tex.cli.tables_gpu import print_emission, print_loaded
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.shaders.emit import emit as emit_decoder

    quantized = read_igs(file)
    if mips:
        with working("rendering coarse levels", quiet):
            from imagegs_tex.decoder.render import shader_decoder  # loads torch

            decoder = shader_decoder(quantized, block_log2)
    else:
        from imagegs_tex.shaders.build_decoder import build_decoder

        decoder = build_decoder(quantized, block_log2)
    files = {}
    if textures is not None:
        from imagegs_tex.shaders.load_files import load_files, load_program
        from imagegs_tex.textures.load_plan import plan_loaded

        loaded, left_out = plan_loaded(quantized.maps, textures.value)
        program = load_program(quantized, decoder, loaded, language)
        files = load_files(program, left_out)
    paths = emit_decoder(quantized, language, folder, decoder, files, prefix)
    if not quiet:
        print_emission(decoder, paths)
        if textures is not None:
            print_loaded(program, quantized.maps, left_out)


def _emit_many(
    files: list[Path], folder: Path, lang: ShaderLanguage, block_log2: int | None,
    *, mips: bool, prefix: str, spirv: bool, quiet: bool,
) -> None:  # fmt: skip
    from imagegs_tex.cli.progress import working
    from imagegs_tex.cli.tables_gpu import print_materials
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.shaders.emit_materials import BufferMaterial, emit_materials
    from imagegs_tex.shaders.gpu_buffer import pack_gaussians

    to_module: Callable[[str, Stage], bytes] | None = None
    if spirv:
        from imagegs_tex.verification.toolchain import require_tool, to_spirv

        for tool in ("glslangValidator", "spirv-val"):
            require_tool(tool)
        to_module = to_spirv
    materials = []
    for file in files:
        quantized = read_igs(file)
        pictures = None
        if mips:
            with working(f"rendering coarse levels of {printable(file.name)}", quiet):
                from imagegs_tex.decoder.level_render import level_pictures

                pictures = level_pictures(quantized)
        materials.append(BufferMaterial(file.stem, quantized, pack_gaussians(quantized, block_log2, pictures)))
    paths = emit_materials(materials, lang.value, folder, prefix, to_module=to_module)
    if not quiet:
        print_materials(materials, paths)


def _igs_files(given: list[Path]) -> list[Path]:
    """Return the files, those of folders in the order of their names."""
    found: list[Path] = []
    for path in given:
        inside = sorted(path.glob("*.igs")) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{printable(path)}: no .igs files in this folder; compress makes them")
        found += inside
    return found
