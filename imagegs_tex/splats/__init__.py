"""A file's Gaussians as splats: ``make_splats`` turns one map's Gaussians into flat splats that a 3D viewer shows.

``export_splats`` is the way in and writes a file per map, through gsplat's exporter.
"""
