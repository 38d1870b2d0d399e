"""What ``info`` prints of a file, without the parser of options."""

from pathlib import Path

from imagegs_tex import file_info


def show_info(file: Path, as_json: bool) -> None:
    """Print what a file holds, as tables or as JSON.

    Raises:
        InputError: the file cannot be read
        IgsError: it is no .igs file or damaged
    """
    found = file_info.info(file)
    if as_json:
        from imagegs_tex.reports import as_json as to_json

        print(to_json(found), end="")
    else:
        from imagegs_tex.cli.tables_info import print_info

        print_info(found, file)
