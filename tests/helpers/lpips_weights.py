"""Files of weights of LPIPS's shapes."""

import numpy as np
import torch

from imagegs_tex.metrics.lpips import BACKBONE, LINEAR, backbone_shapes, linear_shapes


def write_lpips_weights(folder, **dropped):
    """Random weights of the right shapes, scaled so that features neither vanish nor explode."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(5)
    for name, shapes in ((BACKBONE, backbone_shapes()), (LINEAR, linear_shapes())):
        weights = {}
        for key, shape in shapes.items():
            values = torch.randn(shape, generator=generator) * (2 / max(1, int(np.prod(shape[1:])))) ** 0.5
            weights[key] = values.abs() if name == LINEAR else values * (0.1 if len(shape) == 1 else 1.0)
        weights["classifier.1.weight"] = torch.zeros(1)  # more than the convolutions is in torchvision's file
        torch.save({key: value for key, value in weights.items() if key not in dropped.values()}, folder / name)
    return folder
