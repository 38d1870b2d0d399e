"""A reader of the GPU buffer written from docs/gpu-buffer.md alone: bit by bit, slow and obvious."""

import numpy as np

NEAR = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)]


class Bits:
    """Bits from a word on."""

    def __init__(self, words, first_word):
        self.words, self.at = words, 32 * first_word

    def take(self, count):
        value = 0
        for bit in range(count):
            value |= (int(self.words[self.at // 32]) >> self.at % 32 & 1) << bit
            self.at += 1
        return value


def bytes_of(word):
    return [int(word) >> 8 * place & 255 for place in range(4)]


def signed(value, width):
    return value - (1 << width) if width and value >> width - 1 else value


def read_material(words, number=0):  # noqa: PLR0915 - in the page's order
    """Return a material's Gaussians in the order of its tiles, and the entries (tile, Gaussian, mask)."""
    assert int(words[0]) == int.from_bytes(b"IGSB", "little")
    assert number < int(words[1])
    at = int(words[3 + number])
    head = words[at:]
    assert int(head[0]) == int.from_bytes(b"ISB2", "little")
    width, height = int(head[1]) & 0xFFFF, int(head[1]) >> 16
    components = bytes_of(head[2])[1]
    wrap = [bool(int(head[3]) & 1), bool(int(head[3]) & 2)]
    tile_log2, mask_log2, position_bits, offset_bits = bytes_of(head[5])
    stride_bits, count_bits, reach_bits, width_bits = bytes_of(head[6])
    group_count_bits, entry_count_bits, tile_bits, listed_bits = bytes_of(head[7])
    head_words = int(head[8])
    least = [signed(int(word) & 0xFFFF, 16) for word in head[24:27]]
    least_bits = [int(word) >> 16 for word in head[24:27]]
    across, down = -(-width >> tile_log2), -(-height >> tile_log2)
    tiles_at = at + int(head[9])
    blocks_at = tiles_at + across * down * head_words
    tiles = []
    for tile in range(across * down):
        bits = Bits(words, tiles_at + tile * head_words)
        start = bits.at
        offset, stride = bits.take(offset_bits), bits.take(stride_bits)
        count, reaching = bits.take(count_bits), bits.take(reach_bits)
        scales = [(bits.take(4), bits.take(1)) for _ in range(2)]
        widths = [bits.take(width_bits) for _ in range(3)]
        base = [lowest + bits.take(above) for lowest, above in zip(least, least_bits, strict=True)]
        widths += [bits.take(width_bits) for _ in range(components)]
        group_count, entry_count = bits.take(group_count_bits), bits.take(entry_count_bits)
        assert 0 <= 32 * head_words - (bits.at - start) < 32
        assert bits.take(32 * head_words - (bits.at - start)) == 0
        bits = Bits(words, blocks_at)
        bits.at += offset
        assert not tiles or bits.at == tiles[-1][-1]
        gaussians = []
        for _ in range(count):
            begin = bits.at
            places = [((bits.take(position_bits - s - h) << h) | h) << s for s, h in scales]
            shape = [lowest + bits.take(bit_count) for lowest, bit_count in zip(base, widths[:3], strict=True)]
            features = [signed(bits.take(bit_count), bit_count) for bit_count in widths[3:]]
            x, y = places[::-1] if shape[1] < 0 else places
            x, y = x + (tile % across << position_bits), y + (tile // across << position_bits)
            assert bits.at - begin == stride
            gaussians.append([x, y, *shape, *features])
        assert reaching <= count
        near = [[bits.take(1) for _ in range(reaching)] for _ in NEAR]
        mask_bits = 4**mask_log2 if mask_log2 else 0
        planes = [[bits.take(1) for _ in range(entry_count)] for _ in range(mask_bits)]
        groups = [(bits.take(tile_bits), bits.take(listed_bits)) for _ in range(group_count)]
        far = []
        for source, length in groups:
            touching = [bits.take(1) for _ in range(length)]
            assert touching[-1]
            far += [(source, number) for number, touches in enumerate(touching) if touches]
        tiles.append((gaussians, near, far, planes, entry_count, bits.at))
    entries = []
    reached = set()
    for tile, (gaussians, _, far, planes, entry_count, _) in enumerate(tiles):
        found = [(tile, number) for number in range(len(gaussians))]
        for place, (right, below) in enumerate(NEAR):
            x, y = tile % across + right, tile // across + below
            x, y = (x % across if wrap[0] else x), (y % down if wrap[1] else y)
            if 0 <= x < across and 0 <= y < down:
                touching = tiles[y * across + x][1][place]
                found += [(y * across + x, number) for number, touches in enumerate(touching) if touches]
        found += far
        reached |= set(found[len(gaussians) :])
        assert len(set(found)) == len(found)
        assert len(found) == entry_count or not mask_log2
        first = np.cumsum([0, *(len(other[0]) for other in tiles)])
        masks = np.zeros(len(found), dtype=np.int64)
        for block, plane in enumerate(planes):
            masks |= np.array(plane, dtype=np.int64) << block
        for (source, place), mask in zip(found, masks.tolist(), strict=True):
            entries.append((tile, int(first[source]) + place, mask))
    for tile, (_, near, *_) in enumerate(tiles):
        assert {number for source, number in reached if source == tile} == set(range(len(near[0])))
    near_entries = sum(sum(map(sum, entries_of[1])) for entries_of in tiles)
    own_entries, far_entries = (sum(len(entries_of[part]) for entries_of in tiles) for part in (0, 2))
    assert len(entries) == own_entries + near_entries + far_entries  # no near bit is set beyond the border
    table = np.array([gaussian for gaussians, *_ in tiles for gaussian in gaussians], dtype=np.int64)
    return table.reshape(-1, 5 + components), entries
