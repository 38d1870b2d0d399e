"""What pictures and page say of a file and its maps."""

from imagegs_tex.formats.vocabulary import COLOUR_SEMANTICS, Constant, Transfer
from imagegs_tex.metrics.scores import PSNR_CAP_DB, MapScore, shown_contrast
from imagegs_tex.pictures.display import words
from imagegs_tex.viewing.gather import Result, ShownMap, ShownPart


def file_lines(result: Result) -> tuple[str, ...]:
    """Return what there is to say of the file, in lines of a few numbers each."""
    info = result.info
    first = f"{info.file_bytes:,} bytes, {info.bits_per_texel:.3f} bits per texel, {info.gaussians:,} Gaussians"
    if result.source_bytes:
        first += f"; the source has {result.source_bytes:,} bytes ({result.source_bytes / info.file_bytes:.0f} x)"
    second = f"{len(result.maps)} map{'s' if len(result.maps) > 1 else ''} of {info.width} x {info.height} texels"
    if result.psnr_db is not None:
        second += f", {result.psnr_db:.2f} dB over all channels"
    return first, f"{second}; {info.gpu_bytes + info.gpu_shared_bytes:,} bytes on a GPU, {info.gpu_bytes:,} its own"


def map_meaning(shown: ShownMap) -> str:
    """Return what a map is: "base colour, 3 channels of 8 bits, sRGB"."""
    texture_map = shown.texture_map
    count = texture_map.channel_count
    used = dict.fromkeys(
        meaning
        for meaning, route in zip(texture_map.channel_semantics, texture_map.routes, strict=True)
        if not isinstance(route, Constant)
    )
    meanings = " and ".join(words(meaning) for meaning in used) or words(texture_map.semantic)
    parts = [meanings, f"{count} channel{'s' if count > 1 else ''} of {_bits(shown)}"]
    if texture_map.transfer == Transfer.SRGB:
        parts.append("sRGB")
    if texture_map.transfer == Transfer.LOG:
        toned = texture_map.semantic in COLOUR_SEMANTICS
        parts.append("shown tone mapped" if toned else "shown from its lowest to its highest value")
    return ", ".join(parts)


def _bits(shown: ShownMap) -> str:
    sample_format = shown.texture_map.sample_format
    return f"{8 * sample_format.dtype.itemsize} bits{' (float)' if sample_format.is_float else ''}"


def score_words(score: MapScore) -> str:
    """Return how close a map is: dB, SSIM, FLIP, degrees."""
    parts = ["the same in every texel" if score.psnr_db >= PSNR_CAP_DB else f"{score.psnr_db:.2f} dB"]
    parts.append(f"SSIM {score.ssim:.3f}")
    if score.flip is not None:
        parts.append(f"FLIP {score.flip:.3f}")
    if score.normal_degrees_mean is not None and score.normal_degrees_p95 is not None:
        parts.append(f"{score.normal_degrees_mean:.1f}° mean, {score.normal_degrees_p95:.1f}° at the 95th percentile")
    return ", ".join(parts)


def contrast_words(score: MapScore) -> str:
    """Return how much local contrast is kept, in percent by octave; "" for a map of one value."""
    kept = shown_contrast(score)
    if kept is None:
        return ""
    return " ".join("-" if ratio is None else f"{100 * ratio:.0f}" for ratio in kept) + " %"


def byte_words(result: Result, shown: ShownMap) -> str:
    """Return what a map's features take of the file."""
    share = shown.feature_bytes / result.info.file_bytes
    return f"{shown.feature_bytes:,.0f} bytes of features ({share:.1%} of the file)"


def map_lines(result: Result, shown: ShownMap) -> tuple[str, ...]:
    """Return what is said below a map's name."""
    lines = [map_meaning(shown)]
    if shown.score is not None:
        lines.append(score_words(shown.score))
        if contrast := contrast_words(shown.score):
            lines.append(f"kept contrast, finest octave first: {contrast}")
    lines.append(byte_words(result, shown))
    if result.reduction > 1:
        factor = result.reduction
        lines.append(f"shown reduced: a pixel is the mean of {factor} x {factor} texels")
    return tuple(lines)


def decode_note(result: Result) -> str:
    """Return what is said of decodes; "" for plain ones."""
    return "with the file's detail layer" if result.has_detail else ""


def error_meaning(shown: ShownMap, part: ShownPart) -> str:
    """Return what the error of a part of a map is; "" where there is none."""
    if part.error is None:
        return ""
    if part.error.unit == "°":
        return "angle between normals"
    is_log = shown.texture_map.transfer == Transfer.LOG
    return "difference, % of the range of logarithms" if is_log else "difference, % of the range"


def error_words(result: Result, shown: ShownMap, part: ShownPart) -> tuple[str, str]:
    """Return the title of an error map, and the line below it."""
    return f"error x {part.gain:g}", error_meaning(shown, part) + (", without detail" if result.has_detail else "")
