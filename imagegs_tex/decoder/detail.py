"""The detail layer drawn: noise for each texel from its position alone; docs/igs-format.md, "Detail".

A texel's noise is read from the tile at two places that depend
on the block it lies in, for two grids of blocks that are half a block apart; each is weighed by its distance from the
block's border, so that neither borders nor the tile's repetition show. (Blending by-example noise with weights whose
squares sum to one: Heitz and Neyret 2018.) In torch where the picture is on a GPU, otherwise by :mod:`.detail_kernel`.
"""

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imagegs_tex.decoder.detail_kernel import add_rows, draw_rows
from imagegs_tex.formats.igs.detail_layer import BAND_SCALE, MAX_AMPLITUDE, DetailLayer
from imagegs_tex.formats.igs.noise_tile import (
    BAND_COUNT,
    DEVIATION,
    GRID_FACTOR,
    GRID_PERIOD_BITS,
    LAYER_WEIGHT_ONE,
    LAYER_WEIGHTS,
    TILE_SIDE,
    block_count,
    hash32,
    noise_tile,
)
from imagegs_tex.formats.row_threads import in_bands

_TEXELS_AT_ONCE: Final = 1 << 20
"""On a GPU, for which a band is a hundred launches; bounds the memory of temporaries: 500 MB."""
_BANDS_KEPT: Final = 16
"""Of which places are kept from one drawing to the next: an encode draws the same picture half a dozen times."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where the texels of an axis lie in the two grids of blocks."""

    block: NDArray[np.int64]  # [2, L] number of the block in each grid
    local: NDArray[np.int64]  # [2, L] texels from the block's first
    place: NDArray[np.int64]  # [L] 0..255, within the first grid's block


def add_detail(
    channels: Tensor,
    detail: DetailLayer,
    offset: NDArray[np.float32],
    size: tuple[int, int],
    wrap: tuple[bool, bool],
    band: tuple[int, int] | None = None,
) -> Tensor:
    """Add a file's detail to its picture; on the CPU the same bits everywhere.

    Args:
        channels: float32 [H, W, C] in [0, 1], the Gaussians' picture, at the file's size or larger; changed in place
        detail: of the file
        offset: [C], the channels' offsets in the file, from which amplitudes count
        size: width and height of the file in texels; where the picture is larger, a point has its texel's noise
        wrap: whether the picture repeats in x and in y
        band: where the channels are a band of rows: its first row, and the rows of the whole picture

    Returns:
        float32 [H, W, C] in [0, 1]: the same tensor
    """
    count, width, _ = channels.shape
    begin, height = band or (0, count)
    texels = _drawn_texels(size, (width, height))
    columns = _envelope_columns(detail, texels[0], size[0], wrap[0])
    if channels.device.type == "cpu":
        texels[1] = texels[1][begin : begin + count]
        _add_on_cpu(channels.numpy(), detail, offset, size, wrap, texels=texels, columns=columns)
    else:
        add_in_torch(channels, detail, offset, size, wrap, (begin, height))
    return channels


def _add_on_cpu(
    picture: NDArray[np.float32],
    detail: DetailLayer,
    offset: NDArray[np.float32],
    size: tuple[int, int],
    wrap: tuple[bool, bool],
    *,
    texels: list[NDArray[np.int64]],
    columns: NDArray[np.float32],
    kept: NDArray[np.float32] | None = None,
) -> None:
    """Add detail to a picture [H, W, C], or to a band, whose columns and rows lie in some of the file's texels.

    With room for it, keep only the strengths [K, H, W].
    """
    across, down = (_axis(own, places) for own, places in zip(size, texels, strict=True))
    hashes = _hashes(block_count(size[1]), block_count(size[0]))
    low, high, share = _between(texels[1], size[1], columns.shape[0], wrap[1])
    weights = np.array(LAYER_WEIGHTS, dtype=np.float32) / np.float32(LAYER_WEIGHT_ONE * DEVIATION)
    whole = noise_tile().reshape(-1, BAND_COUNT).astype(np.int64) @ detail.band_codes.astype(np.int64).T
    noises = np.ascontiguousarray((whole / BAND_SCALE).astype(np.float32).T)  # whole numbers, rounded once
    shifts = np.array(detail.shifts, dtype=np.int64)
    slopes, mixing = (values.astype(np.float32) for values in (detail.slopes, detail.mixing))
    base, cells = np.array(offset), np.ascontiguousarray(columns)
    room = np.empty((0, len(picture), 0), np.float32) if kept is None else kept

    def draw(rows: slice) -> None:
        draw_rows(
            picture[rows], base, across.block, across.local, across.place,
            *(np.ascontiguousarray(values[..., rows]) for values in (down.block, down.local, down.place)), hashes,
            weights, noises, shifts, slopes, mixing, np.float32(MAX_AMPLITUDE), cells, low[rows], high[rows],
            share[rows], room[:, rows],
        )  # fmt: skip

    in_bands(draw, len(picture))


@dataclass(frozen=True, slots=True)
class KeptNoise:
    """How strong each component of a layer is at each texel of a file's picture, for layers that mix them otherwise."""

    picture: Tensor  # float32 [H, W, C] in [0, 1], without detail
    strengths: Tensor  # float32 [K, H, W]

    @staticmethod
    def of(
        picture: Tensor, detail: DetailLayer, offset: NDArray[np.float32], wrap: tuple[bool, bool]
    ) -> "KeptNoise":  # fmt: skip
        """Draw it; arguments as of :func:`add_detail`, of a picture at the file's size."""
        height, width, _ = picture.shape
        strengths = torch.empty(detail.component_count, height, width, device=picture.device)
        texels = _drawn_texels((width, height), (width, height))
        columns = _envelope_columns(detail, texels[0], width, wrap[0])
        if picture.device.type == "cpu":
            _add_on_cpu(
                picture.numpy(), detail, offset, (width, height), wrap, texels=texels, columns=columns,
                kept=strengths.numpy(),
            )  # fmt: skip
        else:
            for rows, found in _strengths_in_torch(picture, detail, offset, (width, height), wrap, (0, height)):
                strengths[:, rows] = torch.stack(found)
        return KeptNoise(picture, strengths)

    def added(self, detail: DetailLayer) -> Tensor:
        """Return the picture with a layer that differs in its channels' shares alone, bit by bit as it is drawn."""
        mixing = detail.mixing.astype(np.float32)
        if self.picture.device.type != "cpu":
            shares = torch.from_numpy(mixing).to(self.picture.device)
            added = torch.zeros_like(self.picture)
            for component, strengths in enumerate(self.strengths):
                added += strengths[..., None] * shares[:, component]
            return added.add_(self.picture).clamp_(0.0, 1.0)
        drawn = torch.empty_like(self.picture, memory_format=torch.contiguous_format)
        part, kept, whole = self.picture.numpy(), self.strengths.numpy(), drawn.numpy()

        def add(rows: slice) -> None:
            add_rows(part[rows], kept[:, rows], mixing, whole[rows])

        in_bands(add, len(part))
        return drawn


def add_in_torch(
    channels: Tensor,
    detail: DetailLayer,
    offset: NDArray[np.float32],
    size: tuple[int, int],
    wrap: tuple[bool, bool],
    band: tuple[int, int],
) -> None:
    """Do the same on any device: bits depend on the order of sums in matrix products."""
    mixing = torch.from_numpy(detail.mixing.astype(np.float32)).to(channels.device)
    for rows, strengths in _strengths_in_torch(channels, detail, offset, size, wrap, band):
        part = channels[rows]
        added = torch.zeros_like(part)
        for component, strength in enumerate(strengths):
            added += strength[..., None] * mixing[:, component]
        part.add_(added).clamp_(0.0, 1.0)


def _strengths_in_torch(
    channels: Tensor,
    detail: DetailLayer,
    offset: NDArray[np.float32],
    size: tuple[int, int],
    wrap: tuple[bool, bool],
    band: tuple[int, int],
) -> Iterator[tuple[slice, list[Tensor]]]:
    """Give the strengths of components [K][rows, W] at rows of a picture, or of a band, some rows at a time."""
    count, width, _ = channels.shape
    begin, height = band
    device = channels.device
    slopes = torch.from_numpy(detail.slopes.astype(np.float32)).to(device)
    noises = _noises(detail, device)
    base = torch.from_numpy(offset).to(device)
    texels_across, texels_down = _drawn_texels(size, (width, height))
    columns = _envelope_columns(detail, texels_across, size[0], wrap[0])
    at_once = max(1, _TEXELS_AT_ONCE // width)
    for start in range(0, count, at_once):
        rows = np.arange(start, min(start + at_once, count)) + begin
        part = channels[start : start + len(rows)]
        band_rows = int(rows[0]), int(rows[-1]) + 1
        *places, strengths = _places_of_band(size, (width, height), band_rows, device, threading.get_ident())
        envelope = torch.from_numpy(_envelope_rows(columns, texels_down[rows], size[1], wrap[1])).to(device)
        found = []
        for component in range(detail.component_count):
            noise = torch.zeros(len(rows), width, device=device)
            for layer in (0, 1):
                shifted = _shifted(places[layer], detail.shifts[component])
                noise += strengths[layer] * noises[component][shifted]
            amplitude = (1.0 + (part - base) @ slopes[component]).clamp_(0.0, MAX_AMPLITUDE)
            found.append(noise * amplitude * envelope)
        yield slice(start, start + len(rows)), found


def _drawn_texels(size: tuple[int, int], drawn: tuple[int, int]) -> list[NDArray[np.int64]]:
    """Return the file's texel that each column and each row of a picture lies in."""
    return [(2 * np.arange(length) + 1) * own // (2 * length) for length, own in zip(drawn, size, strict=True)]


@functools.lru_cache(_BANDS_KEPT)
def _places_of_band(
    size: tuple[int, int], drawn: tuple[int, int], rows: tuple[int, int], device: torch.device, thread: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Do :func:`_places` for rows of a picture, from one to before another; kept by thread, as each has its stream."""
    del thread
    across, down = (_axis(own, texels) for own, texels in zip(size, _drawn_texels(size, drawn), strict=True))
    first, second, weights = _places(across, down, np.arange(*rows))
    return torch.from_numpy(first).to(device), torch.from_numpy(second).to(device), torch.from_numpy(weights).to(device)


def _noises(detail: DetailLayer, device: torch.device) -> list[Tensor]:
    """Return the noise of each component at each word of the tile [K][4096]."""
    tile = torch.from_numpy(noise_tile().astype(np.float32)).to(device).reshape(-1, BAND_COUNT)
    bands = torch.from_numpy(detail.bands.astype(np.float32)).to(device)
    return [tile @ bands[component] for component in range(detail.component_count)]


def _hashes(down: int, across: int) -> NDArray[np.int64]:
    """Return what each block of the two grids [2, down, across] adds to places in the tile, y * 64 + x."""
    numbers = np.arange(down)[:, None] * GRID_FACTOR + np.arange(across)
    hashes = hash32((2 * numbers + np.arange(2)[:, None, None]).astype(np.uint32))
    return hashes.astype(np.int64) & (TILE_SIDE * TILE_SIDE - 1)


def _shifted(places: Tensor, shift: tuple[int, int]) -> Tensor:
    """Return words of the tile [...] for places x | y << 16 [...], moved by a component's own shift."""
    x = ((places & 0xFFFF) + shift[0]) % TILE_SIDE
    y = ((places >> 16) + shift[1]) % TILE_SIDE
    return y * TILE_SIDE + x


def _axis(length: int, texels: NDArray[np.int64]) -> _Axis:
    """Return where texels of an axis lie; all in integers, so that every decoder agrees."""
    count = block_count(length)
    first = texels * count // length
    second = (2 * texels * count + length) // (2 * length)
    return _Axis(
        block=np.stack([first, second % count]),
        local=np.stack([texels - -(-first * length // count), texels - -(-(2 * second - 1) * length // (2 * count))]),
        place=texels * count % length * 256 // length,
    )


def _places(
    across: _Axis, down: _Axis, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return the texels of the tile, x | y << 16 [2 of rows, W], and the layers' weights [2, rows, W]."""
    places = []
    for layer in (0, 1):
        numbers = down.block[layer][rows][:, None] * GRID_FACTOR + across.block[layer][None]
        hashes = hash32((2 * numbers + layer).astype(np.uint32)).astype(np.int64)
        x = (across.local[layer][None] + (hashes & (TILE_SIDE - 1))) % TILE_SIDE
        y = (down.local[layer][rows][:, None] + (hashes >> GRID_PERIOD_BITS & (TILE_SIDE - 1))) % TILE_SIDE
        places.append(x | y << 16)
    x, y = across.place[None], down.place[rows][:, None]
    border = np.minimum(np.minimum(x, 255 - x), np.minimum(y, 255 - y))
    middle = np.minimum(np.abs(x - 128), np.abs(y - 128))
    total = border + middle
    steps = np.where(total > 0, 16 * border // np.maximum(total, 1), 8)
    weights = np.array(LAYER_WEIGHTS, dtype=np.float32)[steps] / np.float32(LAYER_WEIGHT_ONE * DEVIATION)
    return places[0], places[1], np.ascontiguousarray(np.moveaxis(weights, -1, 0))


def _envelope_columns(
    detail: DetailLayer, texels: NDArray[np.int64], width: int, repeats: bool
) -> NDArray[np.float32]:  # fmt: skip
    """Return the envelope at the centres of columns [grid rows, W], linear between the centres of cells."""
    low, high, share = _between(texels, width, detail.envelope_codes.shape[1], repeats)
    values = detail.envelope.astype(np.float32)
    return np.asarray(values[:, low] * (1 - share) + values[:, high] * share)


def _envelope_rows(
    columns: NDArray[np.float32], texels: NDArray[np.int64], height: int, repeats: bool
) -> NDArray[np.float32]:  # fmt: skip
    low, high, share = _between(texels, height, columns.shape[0], repeats)
    return np.asarray(columns[low] * (1 - share[:, None]) + columns[high] * share[:, None])


def _between(
    texels: NDArray[np.int64], length: int, cells: int, repeats: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return the two cells whose centres a texel's centre lies between, and how far it is towards the second."""
    scaled = (2 * texels + 1) * cells - length  # in units of 1 / (2 length) of a cell
    low, rest = scaled // (2 * length), scaled % (2 * length)
    share = (rest / (2 * length)).astype(np.float32)
    if repeats:
        return low % cells, (low + 1) % cells, share
    return np.clip(low, 0, cells - 1), np.clip(low + 1, 0, cells - 1), share
