"""Files of a network's weights, of which only tensors are read."""

from pathlib import Path

import torch
from torch import Tensor

from imagegs_tex.formats.errors import InputError
from imagegs_tex.formats.files.safe_names import printable

Weights = dict[str, Tensor]
"""By name, float32."""
Shapes = dict[str, tuple[int, ...]]


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
