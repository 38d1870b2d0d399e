"""How much one visitor, and all of them together, can make the studio do."""

from typing import Final

MAX_UPLOAD_BYTES: Final = 512 << 20
"""Of all files that one visitor has sent and not replaced."""
MAX_UNPACKED_BYTES: Final = 1 << 30
"""Of all files of a .zip, unpacked."""
MAX_UPLOAD_FILES: Final = 600
"""A glTF of a large scene has a few hundred images."""
MAX_TEXELS: Final = 4096 * 4096
"""Of one map: on two cores such a material already takes minutes."""
MAX_MATERIAL_TEXELS: Final = 16 * MAX_TEXELS
"""Of all maps of a material together: 16 maps of 4096 x 4096."""
MAX_WAITING: Final = 10
"""Runs in the queue behind the one that is under way."""
MAX_VISITORS: Final = 200
"""Open pages; the one that has been quiet for longest makes room."""
MAX_RESULTS: Final = 12
"""Results that a visitor keeps side by side; the oldest makes room."""
ABSENCE_SECONDS: Final = 20.0
"""A page that was closed or lost its connection for this long is gone: its run ends, its files are removed."""
LOG_LINES: Final = 200
"""Lines of the log that a page shows."""
