"""Say what Mesa's RADV makes of compute decoders for an AMD GPU that is not there: registers, waves, instructions.

    python benchmarks/shader_statistics.py [FILE.igs …] [--family navi21]

It takes no GPU, but mesa-vulkan-drivers and glslangValidator. For each file, its own decoder and the one of many
materials made for it; the one of any material, with and without IGS_LAYERED; each with and without noise; squares of
32 texels. It prints a Markdown table. *throughput* is RADV's estimate in cycles, for which it guesses how often loops
turn: of similar shaders it says which is better, and it is no time.
"""

import argparse
import ctypes
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import imagegs_tex
from imagegs_tex.shaders.build_decoder import build_decoder
from imagegs_tex.shaders.gpu_buffer import pack_gaussians
from imagegs_tex.shaders.include_text import STORAGE_INCLUDE, with_include
from imagegs_tex.shaders.shared_decoder import most_of, shared_decoder

SHADER: Final = """#version 430
{defines}#define IGS_COMPUTE
#define IGS_GROUP_LOG2 5
//@include
layout(local_size_x = 256) in;
void main()
{{
    igs_decode_group({material}gl_WorkGroupID.xy, gl_LocalInvocationIndex, ivec2(0, 0));
}}
"""
SHOWN: Final = ("VGPRs", "Subgroups per SIMD", "LDS size", "Code size", "Instructions", "Inverse Throughput")
CAPTURE_STATISTICS: Final = 0x40
CType = Any
"""A type of ctypes, or what is given for one."""
U32, U64, POINTER = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p


def struct(*types: CType) -> CType:
    """Return a structure of Vulkan: its type and the next one, then members of these types, m0, m1, ..."""
    members = [("kind", U32), ("next", POINTER), *((f"m{place}", each) for place, each in enumerate(types))]
    return type("VulkanStruct", (ctypes.Structure,), {"_fields_": members})


INSTANCE: Final = struct(U32, POINTER, U32, POINTER, U32, POINTER)
QUEUE: Final = struct(U32, U32, U32, POINTER)
DEVICE: Final = struct(U32, U32, POINTER, U32, POINTER, U32, POINTER, POINTER)
FEATURE: Final = struct(U32)
SET_LAYOUT: Final = struct(U32, U32, POINTER)
LAYOUT: Final = struct(U32, U32, POINTER, U32, POINTER)
MODULE: Final = struct(U32, ctypes.c_size_t, POINTER)
STAGE: Final = struct(U32, U32, U64, ctypes.c_char_p, POINTER)
PIPELINE: Final = struct(U32, STAGE, U64, U64, ctypes.c_int32)
EXECUTABLE: Final = struct(U64, U32)
STATISTIC: Final = struct(ctypes.c_char * 256, ctypes.c_char * 256, U32, U64)


class Binding(ctypes.Structure):
    """Of a set: number, kind, count, stages, samplers."""

    _fields_ = (("number", U32), ("kind", U32), ("count", U32), ("stages", U32), ("samplers", POINTER))


class Radv:
    """A device of RADV without a GPU."""

    def __init__(self, family: str) -> None:
        drivers = sorted(Path("/usr/share/vulkan/icd.d").glob("radeon*.json"))
        if not drivers:
            raise SystemExit("no RADV; install it (Debian: mesa-vulkan-drivers)")
        settings = {"RADV_FORCE_FAMILY": family, "VK_ICD_FILENAMES": str(drivers[0])}
        os.environ |= settings | {"MESA_SHADER_CACHE_DISABLE": "true"}
        self._vulkan = ctypes.CDLL("libvulkan.so.1")
        instance = self._make("vkCreateInstance", INSTANCE(1), first=())
        devices, count = (POINTER * 8)(), U32(8)
        self._call("vkEnumeratePhysicalDevices", instance, ctypes.byref(count), devices)
        priority = ctypes.c_float(1.0)
        queue = QUEUE(2, None, 0, 0, 1, ctypes.addressof(priority))
        extension = (ctypes.c_char_p * 1)(b"VK_KHR_pipeline_executable_properties")
        feature = FEATURE(1000269000, None, 1)
        info = DEVICE(3, ctypes.addressof(feature), 0, 1, ctypes.addressof(queue), 0, None, 1,
                      ctypes.addressof(extension), None)  # fmt: skip
        self._device = self._make("vkCreateDevice", info, first=(POINTER(devices[0]),))
        storage_buffer, storage_image, compute = 7, 3, 0x20
        kinds = enumerate((storage_buffer, storage_image))
        bindings = (Binding * 2)(*(Binding(number, kind, 1, compute, None) for number, kind in kinds))
        layout = self._make("vkCreateDescriptorSetLayout", SET_LAYOUT(32, None, 0, 2, ctypes.addressof(bindings)))
        sets = (U64 * 1)(layout.value or 0)
        self._layout = self._make("vkCreatePipelineLayout", LAYOUT(30, None, 0, 1, ctypes.addressof(sets), 0, None))

    def statistics(self, module: bytes) -> dict[str, int]:
        """Return what is known of a compute shader in SPIR-V."""
        code = ctypes.create_string_buffer(module, len(module))
        shader = self._make("vkCreateShaderModule", MODULE(16, None, 0, len(module), ctypes.addressof(code)))
        stage = STAGE(18, None, 0, 0x20, shader.value, b"main", None)
        info = PIPELINE(29, None, CAPTURE_STATISTICS, stage, self._layout.value, 0, -1)
        pipeline = POINTER()
        made = (self._device, U64(0), U32(1), ctypes.byref(info), None, ctypes.byref(pipeline))
        self._call("vkCreateComputePipelines", *made)
        address = self._vulkan.vkGetDeviceProcAddr
        address.restype = POINTER
        found = address(self._device, b"vkGetPipelineExecutableStatisticsKHR")
        read = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, POINTER, POINTER)(found)
        count = U32(64)
        numbers = (STATISTIC * 64)(*(STATISTIC(1000269004) for _ in range(64)))
        executable = EXECUTABLE(1000269003, None, pipeline.value, 0)
        read(self._device, ctypes.addressof(executable), ctypes.addressof(count), ctypes.addressof(numbers))
        return {each.m0.decode(): each.m3 for each in numbers[: count.value]}

    def _make(self, name: str, info: CType, first: tuple[CType, ...] | None = None) -> ctypes.c_void_p:
        made = POINTER()
        given = (self._device,) if first is None else first
        self._call(name, *given, ctypes.byref(info), None, ctypes.byref(made))
        return made

    def _call(self, name: str, *arguments: CType) -> None:
        result = getattr(self._vulkan, name)(*arguments)
        if result != 0:
            raise SystemExit(f"{name}: {result}")


def shaders(paths: list[Path]) -> dict[str, str]:
    """Return the compute shaders by name."""
    without_noise = "#define IGS_DETAIL 0\n"
    wanted = []  # name, defines, material's number, include
    for path in paths:
        quantized = imagegs_tex.read_igs(path)
        packed = pack_gaussians(quantized)
        made = shared_decoder(*most_of([packed]), materials=[packed]).includes[STORAGE_INCLUDE]
        own = build_decoder(quantized).includes[STORAGE_INCLUDE]
        for kind, material, include in (("own", "", own), ("made for it", "0u, ", made)):
            wanted += [
                (f"{path.stem}, {kind}", "", material, include),
                (f"{path.stem}, {kind}, no noise", without_noise, material, include),
            ]
    plain = "#define IGS_RESIDUAL 0\n#define IGS_REPEAT 0\n"
    for kind, defines in (
        ("", ""),
        (", IGS_LAYERED", "#define IGS_LAYERED 1\n"),
        (", no layers", plain),
        (", neither layers nor noise", plain + without_noise),
    ):
        wanted.append((f"any material{kind}", defines, "0u, ", shared_decoder().includes[STORAGE_INCLUDE]))
    return {
        name: with_include(SHADER.format(defines=defines, material=material), include)
        for name, defines, material, include in wanted
    }


def main() -> None:
    """Print the table."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--family", default="navi21", help="of AMD GPUs, as RADV calls it")
    given = parser.parse_args()
    device = Radv(given.family)
    print("| decoder | registers | waves of a SIMD | shared, bytes | code, bytes | instructions | throughput |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in shaders(given.files).items():
            source, module = Path(folder) / "shader.comp", Path(folder) / "shader.spv"
            source.write_text(text, encoding="utf-8")
            command = ["glslangValidator", "-V", "--target-env", "vulkan1.1", str(source), "-o", str(module)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            numbers = device.statistics(module.read_bytes())
            print(f"| {name} | {' | '.join(f'{numbers[each]:,}' for each in SHOWN)} |", flush=True)


if __name__ == "__main__":
    main()
