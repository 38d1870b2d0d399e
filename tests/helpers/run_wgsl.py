"""Runs WGSL by wgpu in a process of its own: Vulkan beside an OpenGL context takes the context away.

Arguments: a file of arrays (words, rows, values per row, shaders: several, each is run), and where results go.
Prints "no device" where there is none.
"""

import sys
from pathlib import Path

import numpy as np
import wgpu

GROUP = 64


def run(device, shader, words, rows, values):
    buffers = [
        device.create_buffer_with_data(data=words, usage=wgpu.BufferUsage.STORAGE),
        device.create_buffer_with_data(data=rows, usage=wgpu.BufferUsage.STORAGE),
        device.create_buffer(
            size=4 * values * len(rows), usage=wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC
        ),
    ]  # fmt: skip
    module = device.create_shader_module(code=shader)
    pipeline = device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})
    entries = [
        {"binding": number, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
        for number, buffer in enumerate(buffers)
    ]
    group = device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    encoder = device.create_command_encoder()
    work = encoder.begin_compute_pass()
    work.set_pipeline(pipeline)
    work.set_bind_group(0, group)
    work.dispatch_workgroups(-(-len(rows) // GROUP))
    work.end()
    device.queue.submit([encoder.finish()])
    return np.frombuffer(device.queue.read_buffer(buffers[2]), np.float32).reshape(-1, values)


def main():
    adapters = [each for each in wgpu.gpu.enumerate_adapters_sync() if each.info["backend_type"] != "OpenGL"]
    if not adapters:
        sys.stdout.write("no device")
        return
    device = adapters[0].request_device_sync()
    given = np.load(sys.argv[1])
    for shader in given["valid"]:
        device.create_shader_module(code=str(shader))
    found = [
        run(device, str(shader), given["words"], given["rows"], int(given["values"])) for shader in given["shaders"]
    ]  # fmt: skip
    np.save(Path(sys.argv[2]), np.stack(found))


if __name__ == "__main__":
    main()
