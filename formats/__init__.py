"""Every file format, in and out, with numpy alone; image codecs load when they are used.

Files go in through ``open_material``: ``gltf`` or ``material`` make a ``TextureStack`` of them, with ``images``. A
quantized set goes out and in again through ``igs``, textures out through ``gpu_textures``. ``vocabulary`` is for all.
"""
