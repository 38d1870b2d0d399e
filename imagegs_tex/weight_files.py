"""Files of a network's weights, of which only tensors are read."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from imagegs_tex.formats.errors import InputError, MissingToolError
from imagegs_tex.formats.files.safe_names import printable

Weights = dict[str, Tensor]
"""By name, float32."""
Shapes = dict[str, tuple[int, ...]]
_HUB: Final = "hub:"


def folder_of_weights(given: Path, names: Sequence[str]) -> Path:
    """Return the folder of some files: the one that is given, or where Hugging Face's hub was downloaded to.

    Args:
        given: a folder, or ``hub:OWNER/NAME`` for a repository of the hub; nothing is downloaded twice
        names: of the files that are wanted of a repository

    Raises:
        MissingToolError: a repository is named, and huggingface_hub is not installed
        InputError: the repository cannot be had
    """
    repository = given.as_posix()
    if not repository.startswith(_HUB):
        return given
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingToolError(f"{printable(repository)} needs huggingface_hub; pip install huggingface_hub")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository.removeprefix(_HUB), allow_patterns=list(names)))
    except Exception as error:  # the network's, the hub's and the disk's, of many kinds
        reason = " ".join(str(error).split())
        raise InputError(f"{printable(repository)} cannot be had from the hub: {printable(reason)}") from error


def load_weights(path: Path, shapes: Shapes, network: str, needed: str, device: torch.device) -> Weights:
    """Read a file of tensors and nothing else, and check that it has those that its part of a network needs.

    Args:
        path: as ``torch.save`` writes it: names and tensors, by themselves or under ``state_dict``
        shapes: of the tensors that must be there
        network: whose weights these are, for the message
        needed: what a user must give, for the message
        device: where they go

    Raises:
        InputError: the file is missing, cannot be read safely, or a tensor is missing or of another shape
    """
    where = printable(path)
    if not path.is_file():
        raise InputError(f"{where}: there is no such file; {needed}")
    try:
        loaded = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises what its unpickler and zip reader raise, of many kinds
        raise InputError(f"{where}: no file of weights that can be read safely; download it again") from error
    inner = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(inner, dict):
        raise InputError(f"{where}: holds no weights; give the authors' own file")
    found = {str(name).removeprefix("module."): value for name, value in inner.items()}
    for name, shape in shapes.items():
        value = found.get(name)
        if not isinstance(value, Tensor) or tuple(value.shape) != shape:
            fault = "is missing" if value is None else f"is not {' x '.join(map(str, shape))}"
            raise InputError(f"{where}: {name} {fault}; these are not {network}'s weights")
    return {name: value.float() for name, value in found.items() if isinstance(value, Tensor)}
