"""The studio for others to use: at every address of its machine, at the port that the host asks for.

The package is in the wheel beside this file, which a Space cannot install: it has nothing but requirements.txt when it
does that. Without a wheel it is the one that is installed.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

with TemporaryDirectory(prefix="imagegs-tex-wheel-") as folder:
    for wheel in Path(__file__).parent.glob("imagegs_tex-*.whl"):
        ZipFile(wheel).extractall(folder)
        sys.path.insert(0, folder)
    from imagegs_tex.studio.serve import serve

    serve(host="0.0.0.0", port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
