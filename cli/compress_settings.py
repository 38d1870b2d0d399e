"""What the options of ``imagegs-tex compress`` say about size, quality and the fit, as settings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imagegs_tex.formats.igs.entropy import Entropy
from imagegs_tex.settings import CompressSettings, DetailMode, Preset, preset_settings

if TYPE_CHECKING:
    from imagegs_tex.setting_list import SettingValue


def chosen_settings(
    preset: Preset,
    limits: tuple[float | None, int | None, float | None, int | None, int | None, float | None],
    targets: Sequence[str],
    *,
    detail: DetailMode,
    named: "Mapping[str, SettingValue]",
    assignments: Sequence[str],
    file: Path | None,
    goes_on: bool,
    entropy: Entropy,
) -> CompressSettings:
    """Return the settings of a compression.

    Args:
        preset: to begin with
        limits: quality, Gaussians, bits per texel, bytes of the file, bytes on the GPU, dB
        targets: of some maps
        detail: whether there is a detail layer
        named: settings with options of their own, by name; None for one that is not given
        assignments: NAME=VALUE each
        file: of settings
        goes_on: whether the fit begins from an earlier file, which takes fewer steps if nothing else is said
        entropy: how the file is coded
    """
    from imagegs_tex.encoder.start_file import settings_from_start
    from imagegs_tex.encoder.target_text import parse_target
    from imagegs_tex.setting_list import with_settings

    usual = preset_settings(preset)
    settings = with_settings(settings_from_start(usual) if goes_on else usual, assignments, file, named)
    quality, gaussians, bpp, max_bytes, max_gpu_bytes, target_psnr = limits
    return replace(
        settings, quality=quality, gaussian_count=gaussians, bits_per_texel=bpp, max_bytes=max_bytes,
        max_gpu_bytes=max_gpu_bytes, target_psnr=target_psnr, targets=tuple(map(parse_target, targets)), detail=detail,
        entropy=entropy,
    )  # fmt: skip
