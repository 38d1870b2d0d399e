"""Every file format of the project, in and out: images, the texture stack, .igs files.

numpy only: importing this package (or anything in it) never imports torch, so a tool that only reads files starts
quickly. Nothing is re-exported here, because the image codecs take a while to import; import what you need from

- ``imagegs_tex.formats.errors``: the exceptions of the whole project
- ``imagegs_tex.formats.vocabulary``: the words that all parts share: what a map means, how its samples are stored
- ``imagegs_tex.formats.material.stack``: the plain data that describe a texture stack
- ``imagegs_tex.formats.material.build_stack``: a folder of maps or a single image -> ``TextureStack``
- ``imagegs_tex.formats.images``: one image file <-> one array
- ``imagegs_tex.formats.material.name_reading``: a file name -> what the map means
- ``imagegs_tex.formats.files.atomic_write``: files that are written whole or not at all
"""
