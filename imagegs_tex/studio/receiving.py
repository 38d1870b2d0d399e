"""What becomes of what a visitor has sent: the material, a part of it, or nothing where it cannot be used."""

from dataclasses import dataclass

from imagegs_tex.formats.errors import ImageGSTexError
from imagegs_tex.formats.files.safe_names import printable
from imagegs_tex.studio.reading import read
from imagegs_tex.studio.uploads import Upload
from imagegs_tex.studio.visitors import Visitor


@dataclass(frozen=True, slots=True)
class Received:
    """What is said of files that have come."""

    words: str
    kind: str = "info"  # of markup's notices


def receive(visitor: Visitor) -> Received:
    """Take what a visitor has sent: with the maps there, in their place, or, where it cannot be used, not at all."""
    before, corrections = (visitor.upload, visitor.reading, visitor.learnt, visitor.problem), dict(visitor.corrections)
    chosen = "" if visitor.reading is None else visitor.reading.chosen
    has_one = visitor.upload is not None
    try:
        replaced = visitor.inbox.add_to(visitor.upload)
        take_material(visitor, visitor.inbox.upload())
        if replaced is not None:
            visitor.corrections.update(corrections)
        understand(visitor, "" if replaced is None else chosen)
    except (ImageGSTexError, MemoryError) as error:
        words = visitor.told(error) if isinstance(error, ImageGSTexError) else "out of memory; use smaller maps"
        visitor.upload, visitor.reading, visitor.learnt, visitor.problem = before
        visitor.corrections = corrections
        if visitor.reading is not None and visitor.reading.is_corrected:
            understand(visitor, chosen)  # its manifest may have been written over
        return Received(f"{words}. The material that was here stays as it was." if has_one else words, "bad")
    visitor.inbox.keep()
    if replaced:
        return Received(f"{', '.join(map(printable, replaced))}: the new file replaces the one of that name.")
    if replaced is not None:
        return Received("Added to the maps that were there.")
    return Received("This replaces the material that was here." if has_one else "")


def take_material(visitor: Visitor, upload: Upload | None) -> None:
    """Begin with another material; None: with none."""
    visitor.upload, visitor.reading = upload, None
    visitor.corrections.clear()


def understand(visitor: Visitor, chosen: str = "") -> None:
    """Read a visitor's material anew; what was read before stays where that fails."""
    upload = visitor.upload
    visitor.problem, visitor.learnt = "", None
    if upload is None or upload.is_igs:
        visitor.reading = None
        return
    try:
        visitor.reading = read(upload.path, upload.title, visitor.folder, visitor.options, visitor.corrections, chosen)
    except ImageGSTexError as error:
        visitor.problem = visitor.told(error)
        raise
