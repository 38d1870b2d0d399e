"""Where on its maps a glTF material is used: the texture coordinates of all triangles that have it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imagegs_tex.formats.files.json_reader import Json
from imagegs_tex.formats.gltf.container import GltfFile
from imagegs_tex.formats.material.uv_coverage import MAX_TRIANGLES, UvSet, UvWrap

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_TYPES: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_INDEX_TYPES: Final = frozenset({5121, 5123, 5125})
_MAX_COORDINATE: Final = 1e6  # beyond, float32 has no digits left for a place in a texture


@dataclass(frozen=True, slots=True)
class UvView:
    """How a texture looks at a mesh's coordinates: which set of them, moved, turned and scaled."""

    coordinates: int  # n of TEXCOORD_n
    wraps: tuple[UvWrap, UvWrap]
    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0  # radians, counter-clockwise around the origin
    scale: tuple[float, float] = (1.0, 1.0)


def check_nodes(file: GltfFile) -> None:
    """Refuse a scene whose nodes are no trees: a node with two parents, or within itself."""
    nodes = file.root.get("nodes")
    parents: dict[int, int] = {}
    for number, node in enumerate(nodes or ()):
        for child in node.get("children") or ():
            index = child.integer()
            file.element("nodes", child)
            if index in parents:
                raise child.error(f"node {index} has two parents; export the asset again")
            parents[index] = number
    safe: set[int] = set()
    for start in range(0 if nodes is None else len(nodes)):
        path: set[int] = set()
        node_index: int | None = start
        while node_index is not None and node_index not in safe:
            if node_index in path:
                raise file.damaged(f"has node {node_index} within itself")
            path.add(node_index)
            node_index = parents.get(node_index)
        safe |= path


def primitives_by_material(file: GltfFile) -> dict[int, list[Json]]:
    """Return the primitives of each material, by its index; variants count as well."""
    found: dict[int, list[Json]] = {}
    for mesh in file.root.get("meshes") or ():
        for primitive in mesh.need("primitives"):
            mappings = primitive.find("extensions", "KHR_materials_variants", "mappings")
            users = [primitive.get("material"), *(mapping.get("material") for mapping in mappings or ())]
            for index in {user.integer() for user in users if user is not None}:
                found.setdefault(index, []).append(primitive)
    return found


def read_uv_sets(file: GltfFile, primitives: list[Json], views: frozenset[UvView]) -> list[UvSet] | None:
    """Read the triangles of primitives as textures see them.

    Returns:
        One set for each view; None where it cannot be told which texels are used: lines and points, compressed meshes,
        meshes without the coordinates that a texture asks for, too many triangles.

    Raises:
        InputError: an accessor reaches beyond its data, or an index beyond its vertices
    """
    sets = []
    for view in sorted(views, key=repr):
        parts = []
        total = 0
        for triangles in _distinct_triangles(file, primitives, view.coordinates):
            if triangles is None:
                return None
            total += len(triangles)
            if total > MAX_TRIANGLES:
                return None
            parts.append(triangles)
        if not parts:
            return None
        sets.append(UvSet(_moved(np.concatenate(parts), view), view.wraps))
    return sets


def _moved(triangles: NDArray[np.float32], view: UvView) -> NDArray[np.float64]:
    """Coordinates as a texture transform makes them (KHR_texture_transform); those without a place are left out."""
    uv = triangles.astype(np.float64) * view.scale
    cosine, sine = np.cos(view.rotation), np.sin(view.rotation)
    turned = uv @ np.array([[cosine, -sine], [sine, cosine]]) + view.offset
    return np.asarray(turned[(np.abs(turned) < _MAX_COORDINATE).all(axis=(1, 2))])  # NaN fails the comparison too


def _distinct_triangles(
    file: GltfFile, primitives: list[Json], coordinates: int
) -> Iterator[NDArray[np.float32] | None]:  # fmt: skip
    """Triangles [T, 3, 2] of each primitive, those that share their accessors once; None: cannot be told."""
    seen: set[tuple[object, ...]] = set()
    for primitive in primitives:
        mode = primitive.get("mode")
        kind = _TRIANGLES if mode is None else mode.integer(0, 6)
        source = primitive.need("attributes").get(f"TEXCOORD_{coordinates}")
        indices = primitive.get("indices")
        if kind < _TRIANGLES or source is None or _is_compressed(primitive):
            yield None
            return
        key = (kind, source.integer(), None if indices is None else indices.integer())
        if key in seen:
            continue
        seen.add(key)
        uv = _texture_coordinates(file, source)
        order = None if indices is None else _accessor(file, indices, "SCALAR", _INDEX_TYPES)
        if uv is None or (indices is not None and order is None):
            yield None
            return
        corners = np.arange(len(uv)) if order is None else order[:, 0].astype(np.int64)
        if len(corners) and int(corners.max()) >= len(uv):
            raise primitive.error(f"has the index {int(corners.max())} of only {len(uv)} vertices; export it again")
        yield uv[_triangles(corners, kind)]


def _is_compressed(element: Json) -> bool:
    """Whether an extension of a primitive or a view holds its data, as Draco's and meshoptimizer's do."""
    extensions = element.get("extensions")
    return extensions is not None and any("compression" in name for name in extensions.members())


def _triangles(corners: NDArray[np.int64], kind: int) -> NDArray[np.int64]:
    """Corners of each triangle [T, 3]; which way round does not matter."""
    count = max(0, len(corners) - 2)
    if kind == _STRIP:
        return np.stack([corners[:count], corners[1 : count + 1], corners[2 : count + 2]], axis=-1)
    if kind == _FAN:
        return np.stack([np.repeat(corners[:1], count), corners[1 : count + 1], corners[2 : count + 2]], axis=-1)
    return corners[: len(corners) // 3 * 3].reshape(-1, 3)


def _texture_coordinates(file: GltfFile, index: Json) -> NDArray[np.float32] | None:
    values = _accessor(file, index, "VEC2", frozenset(_TYPES))
    if values is None:
        return None
    normalized = file.element("accessors", index).get("normalized")
    largest = 1.0
    if normalized is not None and normalized.flag():
        largest = {"i1": 127.0, "u1": 255.0, "i2": 32767.0, "u2": 65535.0, "u4": 2.0**32}.get(values.dtype.str[1:], 1.0)
    return values.astype(np.float32) / np.float32(largest)


def _accessor(file: GltfFile, index: Json, kind: str, types: frozenset[int]) -> NDArray[np.generic] | None:
    """Read an accessor of scalars or of pairs, [count, 1 or 2]; None: it is compressed or sparse."""
    accessor = file.element("accessors", index)
    view_index = accessor.get("bufferView")
    component = accessor.need("componentType").integer()
    count = accessor.need("count").integer(1)
    if accessor.need("type").text() != kind or component not in types:
        raise accessor.error("is of a type that its use does not allow; export the asset again")
    if view_index is None or accessor.get("sparse") is not None:
        return None
    view, length = file.view(view_index)
    if _is_compressed(view):
        return None
    dtype = np.dtype(_TYPES[component])
    width = 1 if kind == "SCALAR" else 2
    start, step = accessor.get("byteOffset"), view.get("byteStride")
    offset = 0 if start is None else start.integer()
    stride = dtype.itemsize * width if step is None else step.integer(dtype.itemsize * width, 252)
    needed = stride * (count - 1) + dtype.itemsize * width
    if offset + needed > length:
        raise accessor.error(f"needs {offset + needed} bytes of a view of {length}; export the asset again")
    data = file.view_bytes(view_index, offset, needed)
    return np.ndarray((count, width), dtype, data, strides=(stride, dtype.itemsize)).copy()
