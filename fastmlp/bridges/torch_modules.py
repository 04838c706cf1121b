"""Modules that PyTorch does not have: activations and layers; at the top of a file, so that they can be pickled."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Sin(nn.Module):  # type: ignore[misc]
    """sin(z)."""

    def forward(self, z: Any) -> Any:
        """Of a tensor, element by element."""
        return z.sin()


class Exp(nn.Module):  # type: ignore[misc]
    """exp(z)."""

    def forward(self, z: Any) -> Any:
        """Of a tensor, element by element."""
        return z.exp()


class PositionBias(nn.Module):  # type: ignore[misc]
    """z + b, with a b (maps, height, width) or (maps, length) for each position."""

    def __init__(self, bias: Any) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, z: Any) -> Any:
        """Of maps (N, maps, ...)."""
        return z + self.bias


class Local(nn.Module):  # type: ignore[misc]
    """A convolution with weights of its own for each position, as Conv1d or Conv2d otherwise, without zeros.

    `weight` is (maps, height, width, channels, rows, columns) or (maps, length, channels, window), `bias` (maps,) or
    None.
    """

    def __init__(self, weight: Any, bias: Any, stride: tuple[int, ...]) -> None:
        super().__init__()
        self.weight, self.bias, self.stride = weight, bias, stride

    def forward(self, a: Any) -> Any:
        """Of maps (N, channels, ...)."""
        n_axes = len(self.stride)
        for axis, step in enumerate(self.stride):
            a = a.unfold(2 + axis, self.weight.shape[axis - n_axes], step)
        z = torch.einsum("nchwpq,ohwcpq->nohw" if n_axes == 2 else "nchp,ohcp->noh", a, self.weight)
        return z if self.bias is None else z + self.bias.reshape(-1, *(1,) * n_axes)
