"""The container of a glTF 2.0 asset: JSON, buffers and images, of .gltf and .glb files alike.

An own reader over ``json`` and ``struct``: the libraries at hand load whole buffers before they check anything, follow
any URI, and have no opinion on lengths that lie.
"""

import base64
import binascii
import codecs
import hashlib
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.json_reader import Json, parse_json, read_json
from imagegs_tex.formats.files.safe_names import printable, safe_stem
from imagegs_tex.formats.files.safe_paths import path_below, spelled_otherwise
from imagegs_tex.formats.images import FORMATS, SIGNATURE_BYTES, detect, other_kind
from imagegs_tex.formats.material.material_source import ImageFile

_SUFFIXES: Final = frozenset({".gltf", ".glb"})
_MAGIC: Final = b"glTF"
_JSON_CHUNK: Final = 0x4E4F534A
_BINARY_CHUNK: Final = 0x004E4942
_PADDING: Final = b"\0 \t\r\n"
"""Behind JSON: chunks are padded with spaces, but some writers take zeros, also in files of text."""
_MAX_NAME: Final = 200  # characters of an image's name that are kept
_MAX_SHOWN: Final = 80  # characters of a URI in messages
_DATA_URI: Final = re.compile(r"\s*data:", re.IGNORECASE)
_SPACE: Final = re.compile(r"\s+")
_QUERY: Final = re.compile(r"[?#].*", re.DOTALL)
_OF_URLS: Final = str.maketrans("-_", "+/")  # the alphabet of RFC 4648 for URLs


def is_gltf(path: Path) -> bool:
    """Whether a path is a file that calls itself a glTF."""
    return path.suffix.lower() in _SUFFIXES and path.is_file()


@dataclass(frozen=True, slots=True)
class GltfImage:
    """One picture of an asset, however often the asset lists it."""

    number: int  # in ``images``, of the entry that was asked for first
    file: ImageFile
    name: str  # of the map that it is: its file's stem, or the name that the asset gives it
    byte_count: int
    note: str = ""  # where its file is not called what the asset says


class GltfFile:
    """An asset whose JSON is read; buffers and images are read when they are asked for."""

    def __init__(self, path: Path, roots: Sequence[Path] = ()) -> None:
        """Read the JSON of a file; InputError when it is not a whole glTF 2.0.

        Args:
            path: the .gltf or .glb file
            roots: folders besides its own in which files that it names may lie
        """
        self.path = path
        self._roots = tuple(roots)
        self.where = printable(path)
        self._binary: tuple[int, int] | None = None  # offset in the file and length of the binary chunk
        self._embedded: dict[int, bytes] = {}  # buffers that are written in the JSON, decoded
        self._images: dict[int, GltfImage] = {}  # by the number that was asked for
        self._places: dict[object, GltfImage] = {}  # by the file or the view that an image lies in
        self._sizes: dict[int, GltfImage] = {}  # the first image of each number of bytes
        self._contents: dict[bytes, GltfImage] = {}  # by the digest, where there are several of one size
        self.root = self._read()
        version = self.root.find("asset", "version")
        if version is None or version.text().split(".")[0] != "2":
            found = "no version" if version is None else f"version {printable(version.text())}"
            raise InputError(f"{self.where} is a glTF of {found}; export it as glTF 2.0")

    def _read(self) -> Json:
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as file:
                header = file.read(12)
                is_text = header.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{")
                if is_text or (not header.startswith(_MAGIC) and self.path.suffix.lower() != ".glb"):
                    return read_json(self.path, "glTF", strict=False, padding=_PADDING)
                return self._read_chunks(header, size, file.read)
        except OSError as error:
            raise InputError(f"{self.where} cannot be read ({printable(error.strerror)}); check it") from None

    def _read_chunks(self, header: bytes, size: int, read: Callable[[int], bytes]) -> Json:
        if len(header) < 12 or not header.startswith(_MAGIC):
            raise self.damaged("has no glTF header")
        version, length = struct.unpack("<II", header[4:])
        if version != 2:
            raise InputError(f"{self.where} is a binary glTF of version {version}; export it as glTF 2.0")
        if length != size:
            raise self.damaged(f"says that it has {length} bytes but has {size}")
        chunk_length, kind = self._chunk(read(8), 12, size)
        if kind != _JSON_CHUNK:
            raise self.damaged("does not begin with JSON")
        document = parse_json(read(chunk_length).rstrip(_PADDING), self.where, "glTF", strict=False)
        at = 20 + chunk_length
        if at < size:
            chunk_length, kind = self._chunk(read(8), at, size)
            if kind == _BINARY_CHUNK:
                self._binary = at + 8, chunk_length
        return document

    def _chunk(self, header: bytes, at: int, size: int) -> tuple[int, int]:
        if len(header) < 8:
            raise self.damaged("ends within a chunk")
        length, kind = struct.unpack("<II", header)
        if at + 8 + length > size:
            raise self.damaged(f"has a chunk of {length} bytes where {size - at - 8} are left")
        return length, kind

    def damaged(self, what: str) -> InputError:
        """Return an error for a container that breaks its format."""
        return InputError(f"{self.where} {what}; it is damaged: export it again")

    def element(self, array: str, index: Json) -> Json:
        """Return the element of a top-level array that an index names; InputError when there is none."""
        entries = self.root.get(array)
        number = index.integer()
        if entries is None or number >= len(entries):
            raise index.error(f"there is no {array}[{number}]")
        return entries.at(number)

    def view(self, index: Json) -> tuple[Json, int]:
        """Return a buffer view and its length in bytes, checked against its buffer's stated length."""
        view = self.element("bufferViews", index)
        length = view.need("byteLength").integer(1)
        start = view.get("byteOffset")
        offset = 0 if start is None else start.integer()
        if offset + length > self.element("buffers", view.need("buffer")).need("byteLength").integer(1):
            raise view.error("reaches beyond its buffer")
        return view, length

    def view_bytes(self, index: Json, offset: int, length: int) -> bytes:
        """Read part of a buffer view; the caller keeps it within the view's length."""
        view, _ = self.view(index)
        start = view.get("byteOffset")
        return self._buffer_bytes(view.need("buffer"), (0 if start is None else start.integer()) + offset, length)

    def _buffer_bytes(self, index: Json, offset: int, length: int) -> bytes:
        buffer = self.element("buffers", index)
        uri = buffer.get("uri")
        number = index.integer()
        if uri is None:
            if number != 0 or self._binary is None:
                raise buffer.error("has no uri, and the file has no binary part for it")
            path, first, size = self.path, self._binary[0], self._binary[1]
        elif _DATA_URI.match(uri.text()):
            data = self._embedded.get(number)
            if data is None:
                data = self._embedded[number] = _decode_data_uri(uri)
            if offset + length > len(data):
                raise buffer.error(f"has {len(data)} bytes, fewer than its views use")
            return data[offset : offset + length]
        else:
            path = self._path(uri)
            first, size = 0, path.stat().st_size
        if offset + length > size:
            raise buffer.error(f"has {size} bytes, fewer than its views use")
        with path.open("rb") as file:
            file.seek(first + offset)
            data = file.read(length)
        if len(data) < length:
            raise buffer.error("ends early")
        return data

    def buffer_files(self) -> list[Path]:
        """Return the files besides its own in which buffers lie; InputError where one cannot be used."""
        stated = [buffer.get("uri") for buffer in self.root.get("buffers") or ()]
        return [self._path(uri) for uri in stated if uri is not None and not _DATA_URI.match(uri.text())]

    def _path(self, uri: Json) -> Path:
        """Return the file that a URI names: escaped or not, with slashes or the backslashes of Windows.

        Some escape the bytes of Windows' Western code page, and some have spaces around. A file that is called
        otherwise in capitals or Unicode form alone is the one, if there is one such.
        """
        text = uri.text()
        written = text.replace("\\", "/")
        readings = [unquote(written).replace("\\", "/"), written, unquote(_QUERY.sub("", written))]
        readings += [unquote(written, "cp1252").replace("\\", "/"), unquote(written).strip()]
        problem = ""
        for reading in dict.fromkeys(readings):
            found = self._path_of(reading)
            if isinstance(found, Path):
                return found
            problem = problem or found
        for reading in dict.fromkeys(readings):
            other = spelled_otherwise(self.path.parent, reading)
            found = problem if other is None else self._path_of(other)
            if isinstance(found, Path):
                return found
            problem = found
        remedy = "files must lie beside the glTF, in folders there, or below a folder given with --allow-root"
        raise uri.error(f"{_shown(text)} {problem}; {remedy}")

    def _path_of(self, text: str) -> Path | str:
        return path_below(self.path.parent, text, follow_links=False, roots=self._roots)

    def image(self, index: Json) -> GltfImage:
        """Return an image; entries with the same bytes are one image, whatever they are called and wherever they lie.

        The same image is the same object, whoever asks for it.
        """
        number = index.integer()
        if number not in self._images:
            image, place = self._find_image(self.element("images", index), number)
            if place not in self._places:
                self._places[place] = self._first_with_its_bytes(image)
            self._images[number] = self._places[place]
        return self._images[number]

    def _first_with_its_bytes(self, image: GltfImage) -> GltfImage:
        first = self._sizes.setdefault(image.byte_count, image)
        if first is image:
            return image
        self._contents.setdefault(_digest(first), first)
        return self._contents.setdefault(_digest(image), image)

    def _find_image(self, entry: Json, number: int) -> tuple[GltfImage, object]:
        """Return an image, and what tells it from others before its bytes are looked at."""
        uri, view_index = entry.get("uri"), entry.get("bufferView")
        if (uri is None) == (view_index is None):
            raise entry.error("must have either a uri or a bufferView")
        if uri is not None and not _DATA_URI.match(uri.text()):
            path = self._path(uri)
            names = {name.replace("\\", "/").rpartition("/")[2] for name in (uri.text(), unquote(uri.text()))}
            note = (
                "" if path.name in names else f"its file, {_shown(uri.text())} in the asset, is {printable(path.name)}"
            )
            return GltfImage(number, ImageFile(path), path.stem[:_MAX_NAME], path.stat().st_size, note), path
        if uri is not None:
            data = _decode_data_uri(uri)
            return self._inner_image(entry, number, data[:SIGNATURE_BYTES], len(data), lambda: data), number
        assert view_index is not None
        source = view_index
        _, length = self.view(source)
        beginning = self.view_bytes(source, 0, min(SIGNATURE_BYTES, length))
        image = self._inner_image(entry, number, beginning, length, lambda: self.view_bytes(source, 0, length))
        return image, ("view", source.integer())

    def _inner_image(
        self, entry: Json, number: int, beginning: bytes, byte_count: int, data: Callable[[], bytes]
    ) -> GltfImage:  # fmt: skip
        """An image inside the asset: what its bytes are counts, not what ``mimeType`` says of them."""
        found = detect(beginning)
        if found is None:
            kind = other_kind(beginning) or "no image that is known"
            raise entry.error(f"is {kind}, which cannot be read; export the asset with PNG or JPEG images")
        stated = entry.get("name")
        name = "" if stated is None else stated.text()[: 2 * _MAX_NAME]
        if Path(name).suffix.lower() in FORMATS:
            name = name[: -len(Path(name).suffix)]
        name = name[:_MAX_NAME] or f"image_{number}"
        return GltfImage(number, ImageFile(self.path / f"{safe_stem(name)}{found.suffixes[0]}", data), name, byte_count)


def _digest(image: GltfImage) -> bytes:
    try:
        if image.file.data is not None:
            return hashlib.sha256(image.file.data()).digest()
        with image.file.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        where = printable(image.file.path)
        raise InputError(f"{where} cannot be read ({printable(error.strerror)}); check it") from None


def _shown(uri: str) -> str:
    """Return a URI for a message: without what it carries, should it be data after all."""
    head, comma, _ = uri.partition(",")
    text = f"{head}{comma}…" if comma and "base64" in head.lower() else uri
    return printable(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


def _decode_data_uri(uri: Json) -> bytes:
    """Return the bytes of a data URI (RFC 2397), with what writers of base64 do: broken lines, no padding, - and _."""
    head, comma, payload = uri.text().partition(",")
    if not comma:
        raise uri.error("is a data URI without data")
    if not head.rstrip().lower().endswith(";base64"):
        return unquote_to_bytes(payload)
    text = _SPACE.sub("", unquote(payload) if "%" in payload else payload).rstrip("=").translate(_OF_URLS)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise uri.error("is a data URI that is not base64; export the asset again") from None
