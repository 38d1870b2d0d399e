"""Tile lists on the GPU: built without waiting for how long they turn out.

Arrays of slots are allocated for as many as the last lists of this size had, with headroom. The kernels that follow
are launched at once; only then is the true number read, which the GPU has counted long before it is done with the rest.
If it did not fit, every kernel has returned without touching anything and the work is done again with enough room. So
the GPU never idles for the host, and no result is ever cut short.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.rasterize.backend import TILE, Frame
from imagegs_tex.rasterize.cuda.driver import Double, Kernel, Long, Pointer
from imagegs_tex.rasterize.cuda.load_kernels import RECORD_HEAD, load_kernels

_HEADROOM: Final = 1.25
_FIRST_GUESS: Final = 24
"""Slots per Gaussian assumed before anything was counted; the fits measured have 8 to 20."""
_THREADS: Final = 128
_ORDERING_THREADS: Final = 64
_SIDE: Final = 8
"""Threads per Gaussian while its slots are found: few reach more columns. With 32, boombox took 52 us and not 33."""


@dataclass(frozen=True, slots=True)
class CudaLists:
    """Slots by Gaussian and by tile, and what the rasterizer reads of each Gaussian; all on the GPU."""

    frame: Frame
    across: int  # tiles per row
    tile_count: int  # T
    records: Tensor  # float32 [N, RECORD_HEAD + padded K], see gaussian.cuh
    slot_starts: Tensor  # int64 [N + 1]
    tile_starts: Tensor  # int64 [T + 1], counted from the first
    ordered_slots: Tensor  # int32 [capacity], the slots of tile 0, of tile 1, ...
    ordered_info: Tensor  # int32 [capacity], Gaussian << 8 | first row << 4 | last row of each
    ordered_copies: Tensor | Pointer  # int32 [capacity], as named in gaussian.cuh; nothing where nothing repeats
    capacity: int  # slots that the arrays hold
    counted: Tensor  # int64 [1] on the host, valid once the event has passed
    event: torch.cuda.Event


class ListBuilder:
    """Builds tile lists on one device and remembers how long they were."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        module = load_kernels("tile_lists.cu", device, SIDE=_SIDE)
        self._count: Kernel = module.kernel("count_slots")
        self._fill: Kernel = module.kernel("fill_slots")
        self._order: Kernel = module.kernel("order_tiles")
        self._lengths: dict[tuple[int, Frame], int] = {}

    def build(
        self,
        means: Tensor,
        conics: Tensor,
        features: Tensor | None,
        component_count: int,
        frame: Frame,
    ) -> CudaLists:
        """Launch everything that builds the lists; ask :meth:`sufficed` once the kernels that use them are launched.

        Args:
            means: float32 [N, 2] contiguous
            conics: float32 [N, 3] contiguous
            features: float32 [N, K] contiguous, or None for zeros
            component_count: K
            frame: the picture
        """
        (width, height), wrap = frame.size, frame.wrap
        across, down = -(-width // TILE), -(-height // TILE)
        count, tiles = means.shape[0], across * down
        record_floats = RECORD_HEAD + -(-component_count // 4) * 4
        records = torch.empty(count, record_floats, device=self._device)
        # one running sum for both: [0, slots per Gaussian, slots per tile], then the tiles' places
        counts = torch.zeros(1 + count + 2 * tiles, dtype=torch.int64, device=self._device)
        tile_counts, tile_places = counts[1 + count : 1 + count + tiles], counts[1 + count + tiles :]
        blocks = -(-count * _SIDE // _THREADS)
        limit = Double(2.0 * frame.cutoff)
        self._count(
            blocks, _THREADS, means, conics, Pointer(0) if features is None else features, count, component_count,
            record_floats, limit, width, height, *map(int, wrap), records, counts[1:], tile_counts,
        )  # fmt: skip
        starts = torch.cumsum(counts[: 1 + count + tiles], dim=0)
        slot_starts, tile_starts = starts[: count + 1], starts[count:]
        counted = torch.empty(1, dtype=torch.int64, pin_memory=True)
        counted.copy_(slot_starts[-1:], non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch leaves it without types
        event.record(torch.cuda.current_stream(self._device))
        capacity = int(self._lengths.get((count, frame), count * _FIRST_GUESS) * _HEADROOM) + 1024
        slot_info, tile_slots, ordered_slots, ordered_info = torch.empty(
            4, capacity, dtype=torch.int32, device=self._device
        )
        slot_copies: Tensor | Pointer = Pointer(0)
        ordered_copies: Tensor | Pointer = Pointer(0)
        if any(wrap):
            slot_copies, ordered_copies = torch.empty(2, capacity, dtype=torch.int32, device=self._device)
        self._fill(
            blocks, _THREADS, means, conics, count, limit, width, height, *map(int, wrap), slot_starts, tile_starts,
            Long(capacity), tile_places, slot_info, slot_copies, tile_slots,
        )  # fmt: skip
        self._order(
            tiles, _ORDERING_THREADS, tile_starts, Long(capacity), tile_slots, slot_info, slot_copies, ordered_slots,
            ordered_info, ordered_copies,
        )  # fmt: skip
        return CudaLists(
            frame, across, tiles, records, slot_starts, tile_starts, ordered_slots, ordered_info,
            ordered_copies, capacity, counted, event,
        )  # fmt: skip

    def sufficed(self, lists: CudaLists) -> bool:
        """Wait until the slots are counted, remember their number, and say whether there was room for them."""
        lists.event.synchronize()
        total = int(lists.counted)
        self._lengths[len(lists.records), lists.frame] = total
        return total <= lists.capacity
