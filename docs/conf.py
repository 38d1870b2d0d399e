"""How Sphinx builds the documentation; `make docs` fails on every warning, dead links and dead references included."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

project = "imagegs_tex"
project_copyright = "imagegs_tex's authors, MIT licence"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "api_extension"]
exclude_patterns = ["images"]

html_theme = "furo"  # brings its own style sheets and uses the reader's own fonts: nothing is loaded from elsewhere
html_title = "imagegs_tex"
html_static_path = ["static"]
html_css_files = ["wide_tables.css"]
html_show_sphinx = False
html_copy_source = False

myst_heading_anchors = 4  # headings have the names that GitHub gives them
myst_enable_extensions = ["colon_fence"]

highlight_language = "text"  # of blocks that name none

nitpicky = True  # every reference in a docstring must lead somewhere; api_extension knows where
suppress_warnings = ["misc.highlighting_failure"]  # excerpts of shaders are not whole programs
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
