"""A glTF made of a folder of maps, as exporters make it: with files beside it, with data URIs, or in one .glb."""

import base64
import json
import struct
from pathlib import Path

import numpy as np

SLOTS = {
    "basecolor": ["baseColorTexture"],
    "normal": ["normalTexture"],
    "ao": ["occlusionTexture"],
    "emissive": ["emissiveTexture"],
    "occlusion_roughness_metallic": ["metallicRoughnessTexture", "occlusionTexture"],
    "metallic_roughness": ["metallicRoughnessTexture"],
    "roughness": ["metallicRoughnessTexture"],
    "basecolor_height": ["baseColorTexture"],
    "normal_roughness": ["normalTexture"],
}
MIME_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
QUARTER = np.array([[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]], np.float32)
CLAMP = {"wrapS": 33071, "wrapT": 33071}
SQUARE_INDICES = np.array([0, 1, 2, 0, 2, 3], np.uint16)


class Asset:
    """Collects JSON and bytes of a glTF."""

    def __init__(self):
        self.root = {
            "asset": {"version": "2.0"}, "materials": [], "textures": [], "images": [], "bufferViews": [],
            "accessors": [], "meshes": [],
        }  # fmt: skip
        self.binary = b""
        self.files = {}

    def view(self, data, **more):
        self.binary += bytes(-len(self.binary) % 4)
        self.root["bufferViews"].append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **more})
        self.binary += data
        return len(self.root["bufferViews"]) - 1

    def image(self, path, how, uri=None):
        """Enter an image: "files" beside the asset, "data" URIs, or "views" of its buffer."""
        data, mime = path.read_bytes(), MIME_TYPES[path.suffix]
        if how == "files":
            self.files[uri or path.name] = data
            entry = {"uri": uri or path.name}
        elif how == "data":
            entry = {"uri": f"data:{mime};base64,{base64.b64encode(data).decode()}", "name": path.stem}
        else:
            entry = {"bufferView": self.view(data), "mimeType": mime, "name": path.stem}
        self.root["images"].append(entry)
        return len(self.root["images"]) - 1

    def texture(self, image, **more):
        self.root["textures"].append({"source": image, **more})
        return {"index": len(self.root["textures"]) - 1}

    def accessor(self, array, kind, **more):
        codes = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
        entry = {
            "bufferView": self.view(array.tobytes()), "componentType": codes[array.dtype.name], "count": len(array),
            "type": kind, **more,
        }  # fmt: skip
        self.root["accessors"].append(entry)
        return len(self.root["accessors"]) - 1

    def mesh(self, material, uv=SQUARE, indices=SQUARE_INDICES, mode=None, normalized=False):
        primitive = {"material": material, "attributes": {}}
        more = {"normalized": True} if normalized else {}
        primitive["attributes"]["TEXCOORD_0"] = self.accessor(uv, "VEC2", **more)
        if indices is not None:
            primitive["indices"] = self.accessor(indices, "SCALAR")
        if mode is not None:
            primitive["mode"] = mode
        self.root["meshes"].append({"primitives": [primitive]})
        return primitive

    def material(self, name, folder, how, sampler=None, **more):
        """Enter a material made of a folder's maps; return its index."""
        material = {"name": name, "pbrMetallicRoughness": {}, "emissiveFactor": [1, 1, 1], **more}
        more = {} if sampler is None else {"sampler": sampler}
        for path in sorted(folder.iterdir()):
            if path.suffix not in MIME_TYPES:
                continue
            image = self.image(path, how)
            for slot in SLOTS.get(path.stem, []):
                home = material if slot in {"normalTexture", "occlusionTexture", "emissiveTexture"} else None
                home = material["pbrMetallicRoughness"] if home is None else home
                home[slot] = self.texture(image, **more)
        self.root["materials"].append(material)
        return len(self.root["materials"]) - 1

    def json(self):
        return {key: value for key, value in self.root.items() if value}

    def glb(self):
        root = self.json()
        if self.binary:
            root["buffers"] = [{"byteLength": len(self.binary)}]
        text = json.dumps(root).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
        if self.binary:
            binary = self.binary + bytes(-len(self.binary) % 4)
            chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def write(self, path, how="files"):
        """Write a .glb, or a .gltf whose buffer is a file beside it ("files") or a data URI."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for name, data in self.files.items():
            target = path.parent / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        if path.suffix == ".glb":
            path.write_bytes(self.glb())
            return path
        root = self.json()
        if self.binary:
            uri = "data:application/octet-stream;base64," + base64.b64encode(self.binary).decode()
            if how == "files":
                uri = "buffer.bin"
                (path.parent / uri).write_bytes(self.binary)
            root["buffers"] = [{"byteLength": len(self.binary), "uri": uri}]
        path.write_text(json.dumps(root))
        return path


def gltf_of(folder: Path, path: Path, how: str, **material) -> Path:
    """Write a glTF with one material made of a folder, on a square that shows all of it."""
    asset = Asset()
    asset.mesh(asset.material(folder.name, folder, how, **material))
    return asset.write(path, how)
