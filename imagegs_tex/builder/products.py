"""What else is made of a finished .igs file: decoders for shaders, textures, a check of the decoders."""

from dataclasses import dataclass
from typing import Final

from imagegs_tex.builder.state import STATE_FOLDER
from imagegs_tex.settings import TextureContainer

THUMBNAIL: Final = "thumbnail"
"""A small picture of what a material decodes to, for the page of a tree."""


@dataclass(frozen=True, slots=True)
class Product:
    """One kind of thing."""

    option: str  # the key of a project file that asks for it
    value: str  # and its value
    ending: str  # of the material's name: a folder with files, or, with a suffix, one file
    folder: str = ""  # below the output, before the name


PRODUCTS: Final = {
    **{f"emit-{language}": Product("emit", language, f".{language}/") for language in ("glsl", "hlsl")},
    **{f"export-{kind.value}": Product("export", kind.value, f".{kind.value}/") for kind in TextureContainer},
    "view": Product("view", "true", ".view/"),
    "verify": Product("verify", "true", ".verify.json"),
    THUMBNAIL: Product("", "", ".png", f"{STATE_FOLDER}/thumbnails/"),
}
"""By name. What a single file is called does not matter to whoever makes it: it is renamed."""


def output_path(material: str, product: str, file: str) -> str:
    """Return where a file of a product lies in the output.

    Args:
        material: the material's name
        product: of PRODUCTS
        file: as the product calls it
    """
    found = PRODUCTS[product]
    path = f"{found.folder}{material}{found.ending}"
    return f"{path}{file}" if path.endswith("/") else path
