"""A map of plain data, of which a test names only what it is about."""

from imagegs_tex.formats.vocabulary import SampleFormat, Semantic, TextureMap, Transfer


def make_map(
    routes, sample_format=SampleFormat.UINT8, transfer=Transfer.LINEAR, log_range=(0.0, 1.0), semantic=Semantic.DATA
):
    return TextureMap(
        name="m",
        file_suffix=".png",
        semantic=semantic,
        channel_semantics=(semantic,) * len(routes),
        transfer=transfer,
        sample_format=sample_format,
        routes=tuple(routes),
        log_range=log_range,
    )
