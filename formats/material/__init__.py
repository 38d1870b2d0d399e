"""Images of a material in, one texture stack out: named, read, brought to one size, reduced to what must be coded.

``build_stack`` is the way in: ``name_reading`` or ``manifest`` say what files mean, ``read_maps`` and ``common_size``
make their samples, ``alpha_coverage``, ``unit_normals`` and ``wrap_detection`` find what need not be coded.
"""
