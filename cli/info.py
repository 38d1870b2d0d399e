"""``imagegs-tex info``."""

from imagegs_tex.cli.options import AsJson, IgsFile


def info(file: IgsFile, as_json: AsJson = False) -> None:
    """Show what a file holds: header, maps, bytes by section, bytes on the GPU, cost of decoding."""
    from imagegs_tex import info as info_of

    found = info_of(file)
    if as_json:
        from imagegs_tex.reports import as_json as to_json

        print(to_json(found), end="")
    else:
        from imagegs_tex.cli.tables_info import print_info

        print_info(found, file)
