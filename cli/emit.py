"""``imagegs-tex emit``."""

from enum import StrEnum
from typing import Annotated

import typer

from imagegs_tex.cli.options import IgsFile, Quiet, Textures


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


def emit(
    file: IgsFile,
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Folder for the decoder's files.")],
    lang: Annotated[
        ShaderLanguage, typer.Option("--lang", help="GLSL 4.30 and ES 3.00, or HLSL shader model 5.0 and newer.")
    ] = ShaderLanguage.GLSL,
    block_size: Annotated[
        BlockSize | None,
        typer.Option(help="Texels of the blocks that Gaussians are listed for: small ones make pixel shaders faster."),
    ] = None,
    mips: Annotated[
        bool,
        typer.Option("--mips/--no-mips", help="igs_sample and coarse levels for minification, for a larger buffer."),
    ] = True,
    textures: Textures = None,
    quiet: Quiet = False,
) -> None:
    """Write a shader decoder for a file: an include, the GPU buffer, its description, samples and a readme."""
    from imagegs_tex.cli.outputs import folder_path
    from imagegs_tex.cli.progress import working
    from imagegs_tex.cli.tables_gpu import print_emission, print_loaded
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.shaders.emit import emit as emit_decoder

    folder = folder_path(output, "emit")
    quantized = read_igs(file)
    block_log2 = None if block_size is None else int(block_size).bit_length() - 1
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
        program = load_program(quantized, decoder, loaded, lang.value)
        files = load_files(program, left_out)
    paths = emit_decoder(quantized, lang.value, folder, decoder, files)
    if not quiet:
        print_emission(decoder, paths)
        if textures is not None:
            print_loaded(program, quantized.maps, left_out)
