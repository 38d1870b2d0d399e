"""Numbers as people write them after an option: 50k, 1.5 MB, 48KiB, 32dB, 2bpp, 90s, 50%, 512x256, 2K.

Each reader takes the text of one option and raises BadParameter, which becomes one line, for anything else.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import typer

from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.settings import MOST_QUALITY

_NUMBER: Final = re.compile(
    r"\s*([+-]?(?:\d{1,3}(?:[,' \u00a0\u202f]\d{3})+|\d+(?:_\d+)*)?(?:\.\d*)?(?:e[+-]?\d+(?![a-z]))?)\s*(\D.*?)?\s*",
    re.IGNORECASE,
)
_BETWEEN_DIGITS: Final = re.compile(r"[,_' \u00a0\u202f]")
_POINTED: Final = re.compile(r"\s*\d{1,3}(?:\.\d{3})+\s*(?:b|bytes?|gaussians)?\s*", re.IGNORECASE)
_CLOCK: Final = re.compile(r"\s*(?:(\d+):)?(\d+):([0-5]\d(?:\.\d+)?)\s*")
_TOGETHER: Final = re.compile(r"\s*[\d.]+\s*[a-z]+", re.IGNORECASE)
_THOUSANDS: Final = {"": 1, "k": 1_000, "m": 1_000_000}
_GAUSSIANS: Final = {f"{prefix}{noun}": factor for prefix, factor in _THOUSANDS.items() for noun in ("", "gaussians")}
_BYTES: Final = {
    **{f"{prefix}{noun}": 1000**power for power, prefix in enumerate(("", "k", "m", "g")) for noun in ("", "b")},
    **{f"{prefix}{noun}": 1024**power for power, prefix in enumerate(("ki", "mi", "gi"), 1) for noun in ("", "b")},
    "byte": 1,
    "bytes": 1,
}
_DECIBELS: Final = dict.fromkeys(("", "db", "decibel", "decibels"), 1)
_BITS: Final = dict.fromkeys(
    ("", "b", "bit", "bits", "bpp", "bpt", "bit/texel", "bits/texel", "bitspertexel", "bits/pixel", "bitsperpixel"), 1
)
_SECONDS: Final[dict[str, int | Decimal]] = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    "ms": Decimal("0.001"),
}
_TIMES: Final[dict[str, int | Decimal]] = {
    "": 1,
    "x": 1,
    "×": 1,
    "times": 1,
    "%": Decimal("0.01"),
    "percent": Decimal("0.01"),
}
UNITS: Final = frozenset().union(_GAUSSIANS, _BYTES, _DECIBELS, _BITS, _SECONDS, _TIMES) - {""}
"""In lower case, of all options."""
_SIDE: Final = r"(\d+)\s*(k?)"
_SIZE: Final = re.compile(rf"\s*{_SIDE}\s*[x×*,]\s*{_SIDE}\s*(?:px|pixels|texels)?\s*", re.IGNORECASE)
_SQUARE: Final = re.compile(r"\s*(\d+)\s*k\s*", re.IGNORECASE)  # as artists say it: 2K is 2048 x 2048


def read_count(text: str) -> int:
    """Read a number of Gaussians, at least 1."""
    _refuse_thousands(text, "2000, 50k or 1.5M")
    value = _read(text, _GAUSSIANS, "a number of Gaussians", "2000, 50k or 1.5M")
    if value < 1 or value != int(value):
        raise typer.BadParameter(f"'{printable(text)}' is no whole number above 0; write it like 2000, 50k or 1.5M")
    return int(value)


def read_bytes(text: str) -> int:
    """Read a size, at least one byte; k, M and G are powers of 1000, Ki, Mi and Gi of 1024."""
    _refuse_thousands(text, "50000, 50k, 1.5MB or 48KiB")
    value = _read(text, _BYTES, "a number of bytes", "50000, 50k, 1.5MB or 48KiB")
    if value < 1:
        raise typer.BadParameter(f"'{printable(text)}' is less than a byte; write it like 50000, 50k, 1.5MB or 48KiB")
    return int(value)


def read_decibels(text: str) -> float:
    """Read a PSNR."""
    return float(_read(text, _DECIBELS, "a PSNR", "32 or 32dB"))


def read_quality(text: str) -> float:
    """Read a quality."""
    value = float(_read(text, {"": 1, "%": 1}, "a quality", "50"))
    if not 0 <= value <= MOST_QUALITY:
        raise typer.BadParameter(f"'{printable(text)}' is outside 0..100: 25 is small, 50 good, 75 high")
    return value


def read_bits(text: str) -> float:
    """Read bits per texel."""
    return float(_read(text, _BITS, "a number of bits per texel", "2, 0.5 or 2bpp"))


def read_seconds(text: str) -> float:
    """Read a time, at least a tenth of a second; also as a clock shows it, and in several units."""
    clock, parts = _CLOCK.fullmatch(text), _TOGETHER.findall(text)
    if clock:
        value = 3600.0 * int(clock[1] or 0) + 60.0 * int(clock[2]) + float(clock[3])
    else:
        parts = parts if len(parts) > 1 and "".join(parts) == text.rstrip() else [text]
        value = float(sum(_read(part, _SECONDS, "a time", "90, 90s, 1.5min or 1h") for part in parts))
    if value < 0.1:
        raise typer.BadParameter(f"'{printable(text)}' is less than 0.1 s; write it like 90, 90s, 1.5min or 1h")
    return value


def read_scale(text: str) -> float:
    """Read a relative size."""
    upper, slash, lower = text.partition("/")
    above, below = (
        _read(part, _TIMES, "a relative size", "0.5, 50% or 1/2") for part in (upper, lower if slash else "1")
    )
    if below == 0:
        raise typer.BadParameter(f"'{printable(text)}' divides by 0; write it like 0.5, 50% or 1/2")
    return float(above / below)


def read_size(text: str | None) -> tuple[int, int] | None:
    """Read a width and a height in texels."""
    if text is None:
        return None
    square, match = _SQUARE.fullmatch(text), _SIZE.fullmatch(text)
    if square:
        return int(square[1]) * 1024, int(square[1]) * 1024
    if not match:
        raise typer.BadParameter(
            f"'{printable(text)}' is not a size; write it like 512x256, or 2K for 2048x2048", param_hint="--size"
        )
    width, height = (int(match[side]) * (1024 if match[side + 1] else 1) for side in (1, 3))
    return width, height


def _refuse_thousands(text: str, like: str) -> None:
    """Refuse whole numbers with three digits behind a point, which half of Europe writes between thousands."""
    if _POINTED.fullmatch(text):
        raise typer.BadParameter(f"'{printable(text)}' may be thousands, or have a fraction; write it like {like}")


def _read(text: str, units: Mapping[str, int | Decimal], what: str, like: str) -> Decimal:
    """Return a number times its unit; upper and lower case and spaces do not matter in units."""
    match = _NUMBER.fullmatch(text)
    factor = None if match is None else units.get("".join((match[2] or "").lower().split()))
    try:
        number = None if match is None else Decimal(_BETWEEN_DIGITS.sub("", match[1]))
    except InvalidOperation:
        number = None
    if number is None or factor is None or number.adjusted() > 30:
        raise typer.BadParameter(f"'{printable(text)}' is not {what}; write it like {like}")
    return number * factor
