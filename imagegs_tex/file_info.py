"""What an .igs file holds, told without torch, which takes seconds to import, and without the other reports (10 ms)."""

from dataclasses import dataclass
from pathlib import Path

from imagegs_tex.formats.files.file_hash import hash_bytes
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.formats.igs.container import SectionSize, decode_igs, read_igs_bytes, section_sizes, version_of
from imagegs_tex.formats.igs.quantized_set import QuantizedGaussianSet
from imagegs_tex.formats.vocabulary import Constant, TextureMap, wrap_words
from imagegs_tex.metrics.byte_ledger import ByteLedger, byte_ledger
from imagegs_tex.shaders.decode_cost import DecodeCost, decode_cost
from imagegs_tex.shaders.gpu_buffer import reserve_levels
from imagegs_tex.shaders.gpu_memory import shared_bytes


@dataclass(frozen=True, slots=True)
class MapInfo:
    """One map of a file."""

    name: str
    semantic: str
    channel_semantics: tuple[str, ...]
    channels: int  # of the image
    constant_channels: int  # of them, those that cost nothing
    sample_format: str
    transfer: str


@dataclass(frozen=True, slots=True)
class InfoReport:
    """What an .igs file holds."""

    width: int
    height: int
    channels: int  # coded
    components: int
    gaussians: int
    version: int  # of the format
    wrap: tuple[str, str]  # repeat or clamp, in x and in y
    file_bytes: int
    sha256: str  # of the file
    bits_per_texel: float
    gpu_bytes: int  # of the material on the GPU at most, index included
    gpu_coarse_bytes: int  # of them, for coarse levels; they may take less
    gpu_detail_bytes: int  # of them, for the detail layer's envelope
    gpu_residual_bytes: int  # of them, for the coefficients of the residual
    gpu_repeat_bytes: int  # of them, for the cell's coefficients and the cells' weights of the repeat
    gpu_shared_bytes: int  # on top, once for all materials of a buffer: its head, and the noise tile of detail layers
    decode_cost: DecodeCost  # of the emitted shaders, per texel
    sections: tuple[SectionSize, ...]
    ledger: ByteLedger  # where the file's bytes go
    maps: tuple[MapInfo, ...]


def info(file: Path | str) -> InfoReport:
    """Read an .igs file and say what it holds; nothing is decoded.

    Args:
        file: the .igs file

    Returns:
        its maps, its bytes by section and by attribute, and what it takes on a GPU: resident bytes, work per texel

    Raises:
        InputError: the file cannot be read
        IgsError: it is no .igs file or damaged
    """
    data = read_igs_bytes(Path(file))
    name = printable(Path(file).name)
    return info_of(data, decode_igs(data, name), name)


def info_of(data: bytes, quantized: QuantizedGaussianSet, name: str) -> InfoReport:
    """Say what a file holds that has been read: its bytes, its content, and its printable name."""
    packed = reserve_levels(quantized)
    return InfoReport(
        width=quantized.width, height=quantized.height, channels=quantized.channel_count,
        components=quantized.component_count, gaussians=quantized.gaussian_count, version=version_of(data),
        wrap=wrap_words(quantized.wrap),
        file_bytes=len(data), sha256=hash_bytes(name, data).sha256,
        bits_per_texel=8 * len(data) / (quantized.width * quantized.height),
        gpu_bytes=packed.ledger.total, gpu_coarse_bytes=packed.ledger.coarse, gpu_detail_bytes=packed.ledger.envelope,
        gpu_shared_bytes=shared_bytes(packed.ledger),
        gpu_residual_bytes=packed.ledger.residual, gpu_repeat_bytes=packed.ledger.repeat,
        decode_cost=decode_cost(quantized, packed, has_levels=True),
        sections=section_sizes(data, name), ledger=byte_ledger(quantized, section_sizes(data, name)),
        maps=tuple(_map_info(texture_map) for texture_map in quantized.maps),
    )  # fmt: skip


def _map_info(texture_map: TextureMap) -> MapInfo:
    return MapInfo(
        name=texture_map.name,
        semantic=texture_map.semantic.name.lower(),
        channel_semantics=tuple(semantic.name.lower() for semantic in texture_map.channel_semantics),
        channels=texture_map.channel_count,
        constant_channels=sum(isinstance(route, Constant) for route in texture_map.routes),
        sample_format=texture_map.sample_format.name.lower(),
        transfer=texture_map.transfer.name.lower(),
    )
