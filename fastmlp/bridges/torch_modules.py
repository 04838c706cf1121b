"""Activations for which PyTorch has functions but no modules; at the top of a file, so that they can be pickled."""

from __future__ import annotations

from typing import Any

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
