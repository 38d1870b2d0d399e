"""The command line: thin Typer commands over imagegs_tex.api."""
