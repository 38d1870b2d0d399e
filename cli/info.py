"""``imagegs-tex info``."""

from imagegs_tex.cli.options import AsJson, IgsFile


def info(file: IgsFile, as_json: AsJson = False) -> None:
    """Show what a file holds: header, maps, bytes by section, bytes on the GPU, cost of decoding."""
    from imagegs_tex.cli.show_info import show_info

    show_info(file, as_json)
