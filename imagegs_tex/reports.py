"""What the commands report: plain data, and JSON made of it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # they import torch, image libraries, or each other, which `info` does without
    from imagegs_tex.doctor import DoctorReport
    from imagegs_tex.file_info import InfoReport
    from imagegs_tex.fit.control import StopPoint
    from imagegs_tex.formats.files.file_hash import HashedFile
    from imagegs_tex.formats.material.options import SourceOptions
    from imagegs_tex.metrics.byte_ledger import ByteLedger
    from imagegs_tex.metrics.scores import MapScore
    from imagegs_tex.metrics.upsampling import Upsampling
    from imagegs_tex.provenance import Versions
    from imagegs_tex.settings import CompressSettings
    from imagegs_tex.splats.export_splats import ExportedSplats
    from imagegs_tex.textures.export_maps import ExportedMap


@dataclass(frozen=True, slots=True)
class Seconds:
    """Where the time of a compression went; the parts add up to the total."""

    load: float  # reading the maps, and starting the backend
    fit: float
    quantize: float  # geometry
    encode: float  # features, entropy coding, and measuring what a search has found
    score: float  # decoding the file and comparing it with its source
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
    source_width: int  # texels of the largest map, before all became one size
    source_height: int
    channels: int  # coded
    gaussians: int
    file_bytes: int
    gpu_bytes: int  # resident on the GPU, index included
    bits_per_texel: float  # of the file, whole stack
    bits_per_channel_texel: float  # per coded channel
    psnr_db: float  # pooled over all channels, every texel alike
    weighted_psnr_db: float | None  # the same by the importance mask; None without one
    maps: "tuple[MapScore, ...]"
    quality: float | None  # that was asked for, 0..100, the usual one included; None: something else was
    targets: tuple[TargetReport, ...]
    unreached: str | None  # which of them this best file does not reach, in one line; None: it reaches all
    written: bool  # false where targets are not reached and the best file was not to be kept
    stopped: bool  # whether it was ended early, so that the file is what there was then
    stopped_at: "StopPoint | None"  # where
    warnings: tuple[str, ...]  # where it is poor by its own measures, and what to ask for; see advice.py
    ledger: "ByteLedger"  # where the file's bytes go
    readings: tuple[str, ...]  # per map: how its file was understood
    wrap: tuple[str, str]  # repeat or clamp, in x and in y
    wrap_reading: str  # how that was found out
    remarks: tuple[str, ...]  # what else there is to say, such as files that were left out
    seconds: Seconds
    compiling_seconds: float  # of them: compiling kernels of the CPU, which the first run on a machine does
    inputs: "tuple[HashedFile, ...]"  # what was read
    start: "HashedFile | None"  # the .igs file that the fit went on from
    preset: str | None  # None: settings of no preset
    settings: "CompressSettings"  # all of them; with the inputs, versions and processor they decide the bytes
    options: "SourceOptions"  # how the images were to be taken
    backend: str
    device: str
    processor: str  # kind of the device
    seed: int
    version: str
    versions: "Versions"


@dataclass(frozen=True, slots=True)
class AssetMaterial:
    """A material of an input that has several, as that lists it."""

    index: int
    name: str
    file: str | None  # name of its .igs file, which others may share; None: it has no textures, or is left out
    left_out: str | None = None  # why it could not be made


@dataclass(frozen=True, slots=True)
class AssetIndex:
    """The index beside the .igs files of several materials."""

    source: str  # file name of the input
    materials: tuple[AssetMaterial, ...]
    remarks: tuple[str, ...] = ()  # images that no material has


@dataclass(frozen=True, slots=True)
class AssetFile:
    """An .igs file made of one of several materials."""

    file: str
    report: CompressReport


@dataclass(frozen=True, slots=True)
class AssetReport:
    """One compression of an input with all its materials."""

    materials: tuple[AssetMaterial, ...]
    files: tuple[AssetFile, ...]
    remarks: tuple[str, ...] = ()  # images that no material has
    stopped: bool = False  # whether it was ended early: the last file is what there was then, others are left out


@dataclass(frozen=True, slots=True)
class CompareReport:
    """A file against its source."""

    psnr_db: float
    maps: "tuple[MapScore, ...]"
    warnings: tuple[str, ...]  # where it is poor by its own measures, and what to ask for; see advice.py
    upsampling: "Upsampling | None"  # where the source is larger: all scores are then at its size
    gamma: float  # the power of the values whose PSNR, SSIM, MS-SSIM, LPIPS and contrast these are
    options: "SourceOptions"  # how the images were taken
    file: "HashedFile"
    inputs: "tuple[HashedFile, ...]"  # of the source
    backend: str
    device: str
    processor: str  # kind of the device
    versions: "Versions"


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How textures were made."""

    bc1: bool
    premultiplied: bool
    detail: bool


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The textures that were made of a file."""

    container: str
    maps: "tuple[ExportedMap, ...]"
    settings: ExportSettings
    file: "HashedFile"  # what they were made of
    backend: str
    device: str
    processor: str  # kind of the device
    versions: "Versions"


@dataclass(frozen=True, slots=True)
class SplatReport:
    """The splats that were made of a file."""

    splat_format: str
    maps: "tuple[ExportedSplats, ...]"
    file: "HashedFile"  # what they were made of
    versions: "Versions"


@dataclass(frozen=True, slots=True)
class ViewedPicture:
    """A picture that was drawn of a file."""

    path: str
    shows: str  # printable
    width: int  # pixels, labels included
    height: int


@dataclass(frozen=True, slots=True)
class ViewedPage:
    """An HTML page that was made of a file."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ViewReport:
    """The pictures that were drawn of a file."""

    pictures: tuple[ViewedPicture, ...]
    left_out: tuple[str, ...]  # which could not be drawn and why, a line each
    reduction: int  # texels across and down that became one pixel; 1: none were reduced
    page: ViewedPage | None  # None where none was asked for
    psnr_db: float | None  # over all channels; None without a source
    maps: "tuple[MapScore, ...]"  # empty without a source
    options: "SourceOptions"  # how the source's images were taken
    file: "HashedFile"
    inputs: "tuple[HashedFile, ...]"  # of the source; empty without one
    backend: str
    device: str
    processor: str  # kind of the device
    versions: "Versions"


def as_json(
    report: "CompressReport | AssetReport | AssetIndex | CompareReport | InfoReport | ExportReport | SplatReport "
    "| DoctorReport | ViewReport",
) -> str:
    """Return a report dataclass as indented JSON with a newline at the end."""
    fields = asdict(report)
    if isinstance(report, CompressReport):
        for score in fields["maps"]:
            del (
                score["flip"],
                score["ms_ssim"],
                score["lpips"],
            )  # take a second per megatexel, so only compare measures them
        for target, settings in zip(report.settings.targets, fields["settings"]["targets"], strict=True):
            settings["semantic"] = None if target.semantic is None else target.semantic.name.lower()
    if isinstance(report, AssetIndex | AssetReport):  # only what there is to say of something
        for material in fields["materials"]:
            if material["left_out"] is None:
                del material["left_out"]
        if not fields["remarks"]:
            del fields["remarks"]
    text = json.dumps(fields, indent=2, ensure_ascii=False, default=_file_name) + "\n"
    # a file name that is no valid text becomes an escape that JSON knows as well
    return text.encode("utf-8", "backslashreplace").decode()


def _file_name(value: object) -> str:
    if isinstance(value, Path):
        return value.name
    raise TypeError(f"{type(value).__name__} is not for reports")
