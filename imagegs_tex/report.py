"""What the commands report: plain data, and JSON made of it."""

import json
from dataclasses import asdict, dataclass

from imagegs_tex.doctor import DoctorReport
from imagegs_tex.formats.igs import SectionSize
from imagegs_tex.ledger import ByteLedger
from imagegs_tex.metrics import MapScore
from imagegs_tex.shaders.cost import DecodeCost


@dataclass(frozen=True, slots=True)
class Seconds:
    """Where the time of a compression went."""

    load: float
    fit: float
    quantize: float
    write: float
    total: float


@dataclass(frozen=True, slots=True)
class TargetReport:
    """A quality that was asked for."""

    semantic: str  # "all" for all maps together
    asked: float
    reached: float
    unit: str  # dB or degrees


@dataclass(frozen=True, slots=True)
class CompressReport:
    """One compression; scores are those of the written file, decoded again."""

    width: int
    height: int
    channels: int  # coded
    gaussians: int
    file_bytes: int
    gpu_bytes: int  # resident on the GPU, index included
    bits_per_texel: float  # of the file, whole stack
    bits_per_channel_texel: float  # per coded channel
    psnr_db: float  # pooled over all channels, every texel alike
    weighted_psnr_db: float | None  # the same by the importance mask; None without one
    maps: tuple[MapScore, ...]
    targets: tuple[TargetReport, ...]
    ledger: ByteLedger  # where the file's bytes go
    readings: tuple[str, ...]  # per map: how its file was understood
    seconds: Seconds
    backend: str
    device: str
    seed: int
    version: str


@dataclass(frozen=True, slots=True)
class CompareReport:
    """A file against its source."""

    psnr_db: float
    maps: tuple[MapScore, ...]


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
    file_bytes: int
    bits_per_texel: float
    gpu_bytes: int  # resident on the GPU, index included
    decode_cost: DecodeCost  # of the emitted shaders, per texel
    sections: tuple[SectionSize, ...]
    ledger: ByteLedger  # where the file's bytes go
    maps: tuple[MapInfo, ...]


def as_json(report: CompressReport | CompareReport | InfoReport | DoctorReport) -> str:
    """Return a report dataclass as indented JSON with a newline at the end."""
    text = json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"
    # a file name that is no valid text becomes an escape that JSON knows as well
    return text.encode("utf-8", "backslashreplace").decode()
