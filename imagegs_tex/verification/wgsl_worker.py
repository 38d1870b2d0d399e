"""Runs WGSL by wgpu in a process of its own: Vulkan beside an OpenGL context takes the context away.

Reads arrays from standard input and writes arrays to standard output, each behind its length. First come the buffer's
words and the shaders' texts, then requests: which shader and how many values per point, and the points.
"""

import io
import struct
import sys
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

NO_DEVICE: Final = 3
"""Exit code without Vulkan, Metal or Direct3D."""
_THREADS: Final = 64
WgpuObject = Any
"""Of wgpu, which is optional."""
_LENGTH: Final = struct.Struct("<Q")


def send(stream: IO[bytes], array: NDArray[Any]) -> None:
    """Write an array and its length."""
    text = io.BytesIO()
    np.save(text, array, allow_pickle=False)
    stream.write(_LENGTH.pack(text.tell()) + text.getvalue())
    stream.flush()


def receive(stream: IO[bytes]) -> NDArray[Any] | None:
    """Read an array; None where the stream has ended."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    array: NDArray[Any] = np.load(io.BytesIO(stream.read(_LENGTH.unpack(head)[0])), allow_pickle=False)
    return array


def _run(
    device: WgpuObject, pipeline: WgpuObject, data: WgpuObject, points: NDArray[np.float32], values: int
) -> NDArray[np.float32]:
    import wgpu

    usage = wgpu.BufferUsage
    given = device.create_buffer_with_data(data=np.ascontiguousarray(points), usage=usage.STORAGE)
    found = device.create_buffer(size=4 * values * len(points), usage=usage.STORAGE | usage.COPY_SRC)
    entries = [
        {"binding": number, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
        for number, buffer in enumerate((data, given, found))
    ]
    group = device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
    encoder = device.create_command_encoder()
    work = encoder.begin_compute_pass()
    work.set_pipeline(pipeline)
    work.set_bind_group(0, group)
    work.dispatch_workgroups(-(-len(points) // _THREADS))
    work.end()
    device.queue.submit([encoder.finish()])
    return np.frombuffer(device.queue.read_buffer(found), np.float32).reshape(-1, values)


def main() -> None:
    """Serve until standard input ends."""
    import wgpu

    given, answers = sys.stdin.buffer, sys.stdout.buffer
    words, texts = receive(given), receive(given)
    assert words is not None
    assert texts is not None
    adapters = [each for each in wgpu.gpu.enumerate_adapters_sync() if each.info["backend_type"] != "OpenGL"]
    if not adapters:
        sys.exit(NO_DEVICE)
    device = adapters[0].request_device_sync()
    data = device.create_buffer_with_data(data=words, usage=wgpu.BufferUsage.STORAGE)
    pipelines = [
        device.create_compute_pipeline(
            layout="auto",
            compute={"module": device.create_shader_module(code=str(text)), "entry_point": "main"},
        )
        for text in texts
    ]
    send(answers, np.array([len(pipelines)]))
    while (request := receive(given)) is not None:
        points = receive(given)
        assert points is not None
        send(answers, _run(device, pipelines[int(request[0])], data, points, int(request[1])))


if __name__ == "__main__":
    main()
