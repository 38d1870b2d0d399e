"""Compressed textures for the samples beside: moderngl has none of its own, so OpenGL is asked directly."""

import ctypes
import ctypes.util
from typing import Any

import moderngl

FORMATS = {37: 0x8058, 43: 0x8C43, 70: 0x822A, 132: 0x8C4C, 139: 0x8DBB, 141: 0x8DBD, 145: 0x8E8C, 146: 0x8E8D}
"""OpenGL's internal formats by VkFormat."""
_TEXTURE_2D, _UNPACK_BUFFER = 0x0DE1, 0x88EC
_PLAIN = {37: (0x1908, 0x1401), 43: (0x1908, 0x1401), 70: (0x1903, 0x1403)}  # format and type of what is copied

_gl = ctypes.CDLL(ctypes.util.find_library("OpenGL") or ctypes.util.find_library("GL") or "opengl32")


class Storage:
    """A texture with storage for all its levels, of a format that DDS and KTX 2 know, too."""

    def __init__(self, context: moderngl.Context, vulkan: int, size: tuple[int, int], levels: int) -> None:
        name = ctypes.c_uint()
        _gl.glGenTextures(1, ctypes.byref(name))
        _gl.glBindTexture(_TEXTURE_2D, name)
        _gl.glTexStorage2D(_TEXTURE_2D, levels, FORMATS[vulkan], *size)
        self.name, self.vulkan = name.value, vulkan
        self.texture: Any = context.external_texture(name.value, size, 4, 0, "f1")
        self.texture.repeat_x = self.texture.repeat_y = True
        linear = moderngl.LINEAR_MIPMAP_LINEAR if levels > 1 else moderngl.LINEAR
        self.texture.filter = (linear, moderngl.LINEAR)
        self.texture.anisotropy = min(8.0, context.max_anisotropy)

    def copy(self, buffer: moderngl.Buffer, offset: int, size: tuple[int, int], bytes_: int, *, level: int = 0,
             at: tuple[int, int] = (0, 0)) -> None:  # fmt: skip
        """Copy a level, or a part of one, from a buffer on the GPU."""
        _gl.glBindTexture(_TEXTURE_2D, ctypes.c_uint(self.name))
        _gl.glBindBuffer(_UNPACK_BUFFER, ctypes.c_uint(buffer.glo))
        if self.vulkan in _PLAIN:
            _gl.glTexSubImage2D(_TEXTURE_2D, level, *at, *size, *_PLAIN[self.vulkan], ctypes.c_void_p(offset))
        else:
            _gl.glCompressedTexSubImage2D(
                _TEXTURE_2D, level, *at, *size, FORMATS[self.vulkan], bytes_, ctypes.c_void_p(offset)
            )
        _gl.glBindBuffer(_UNPACK_BUFFER, ctypes.c_uint(0))
