"""``python -m imagegs_tex`` is the command line."""

from imagegs_tex.cli.main import main

main()
