"""``imagegs-tex verify``."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from imagegs_tex.cli.numbers import read_size
from imagegs_tex.cli.options import AllowRoot, AsJson, IgsFile, Quiet, Report, Size, Textures
from imagegs_tex.formats.errors import UsageError


class VerifiedLanguages(StrEnum):
    """Decoders to check."""

    ALL = "all"
    GLSL = "glsl"
    HLSL = "hlsl"
    WGSL = "wgsl"


def verify(
    file: IgsFile,
    source: Annotated[
        Path | None,
        typer.Option(metavar="INPUT", readable=False, help="Its source maps: also score the decoder against them."),
    ] = None,
    size: Size = None,
    allow_root: AllowRoot = None,
    lang: Annotated[VerifiedLanguages, typer.Option("--lang", help="Which decoders.")] = VerifiedLanguages.ALL,
    report: Report = None,
    differences: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", readable=False, help="Write pictures of the differences, the bound eight times grey."
        ),
    ] = None,
    textures: Textures = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run the shader decoders on this machine's OpenGL and hold them against the reference decode.

    Seconds on a GPU, minutes on a software rasterizer.
    """
    from imagegs_tex.cli.outputs import STANDARD_OUTPUT, check_report, write_report
    from imagegs_tex.cli.progress import SECONDS_BETWEEN_LINES, step_progress
    from imagegs_tex.cli.tables_gpu import print_verification
    from imagegs_tex.formats.files.file_hash import hash_file
    from imagegs_tex.formats.files.safe_names import printable
    from imagegs_tex.formats.igs.container import read_igs
    from imagegs_tex.formats.material.build_stack import load_stack
    from imagegs_tex.formats.material.options import SourceOptions
    from imagegs_tex.memory import Work, check_memory
    from imagegs_tex.verification import verify as verify_decoders
    from imagegs_tex.verification.report import as_json as to_json
    from imagegs_tex.verification.run import VERIFIED_LANGUAGES

    every = lang == VerifiedLanguages.ALL
    languages = tuple(name for name in VERIFIED_LANGUAGES if every or name == lang.value)
    if size is not None and source is None:
        raise UsageError("--size is of the source; give --source, too")
    if allow_root and source is None:
        raise UsageError("--allow-root is for the source; give --source, too")
    if as_json and report == STANDARD_OUTPUT:
        raise UsageError("--json and --report - are the same; give one of them")
    if differences == STANDARD_OUTPUT:
        raise UsageError("--differences -: pictures go into a folder, not to standard output; give --differences DIR")
    check_report(report)
    with step_progress(quiet, "check", SECONDS_BETWEEN_LINES) as progress:
        quantized = read_igs(file)
        work = Work.VERIFY if source is None else Work.VERIFY_WITH_SOURCE
        check_memory(work, quantized.width, quantized.height, quantized.channel_count, printable(file))
        options = SourceOptions(size=read_size(size), allow_roots=tuple(allow_root or ()))
        stack = None if source is None else load_stack(source, options, file.stem)
        result = verify_decoders(
            quantized,
            languages,
            stack,
            textures=None if textures is None else textures.value,
            differences=differences,
            shared=True,
            progress=progress,
        )
    result = replace(result, file=hash_file(file))
    text = to_json(result)
    write_report(report, text)
    if as_json:
        print(text, end="")
    elif report != STANDARD_OUTPUT and not quiet:
        print_verification(result, file)
    if not result.passed:
        names = [variant.name for variant in result.variants if not variant.passed]
        failed = ", ".join([*names, *(loaded.name for loaded in result.textures if not loaded.passed)])
        typer.echo(f"imagegs-tex: {failed}: not the reference decode; see the table, or --differences DIR", err=True)
        raise typer.Exit(1)
