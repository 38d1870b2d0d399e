"""The studio for others to use: at every address of its machine, at the port that the host asks for."""

import os

from imagegs_tex.studio.serve import serve

serve(host="0.0.0.0", port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
