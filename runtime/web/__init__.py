"""What a browser loads: no Python. imagegs_tex.viewing.serve_viewer serves it."""
