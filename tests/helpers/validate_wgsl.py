"""Validates WGSL by wgpu in a process of its own: Vulkan beside an OpenGL context takes the context away.

Arguments: files of one shader each. What is no WGSL ends with what wgpu says of it.
"""

import sys
from pathlib import Path

import wgpu


def main():
    adapters = [each for each in wgpu.gpu.enumerate_adapters_sync() if each.info["backend_type"] != "OpenGL"]
    device = adapters[0].request_device_sync()
    for name in sys.argv[1:]:
        device.create_shader_module(code=Path(name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
