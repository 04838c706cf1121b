"""A random generator in the state of an earlier one, of which a result tells: looked at, since NumPy trusts it."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp import _validation as check
from fastmlp._types import Array

#: where bit generators keep a place in a buffer, which they trust, and its size
BUFFERS = {np.random.MT19937: (("state", "pos"), 624), np.random.Philox: (("buffer_pos",), 4)}
#: NumPy's own; without a seed they ask the system for one
SEEDED: tuple[Any, ...] = (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)


class _AnySeed(np.random.bit_generator.ISeedSequence):
    """For a bit generator whose state is about to be set; a SeedSequence would take longer than all the rest."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
        """Zeros."""
        return np.zeros(n_words, dtype)


def restored(kind: Any, saved: Any) -> np.random.Generator:
    """Of a kind of bit generator, and its state."""
    if not isinstance(kind, type) or not issubclass(kind, np.random.BitGenerator):
        raise TypeError(f"warm_start: expected rng to be a bit generator and its state, got {check.shown(kind)}")
    try:
        bits = kind(_AnySeed()) if kind in SEEDED else kind()  # type: ignore[arg-type]
        path, size = next((where for base, where in BUFFERS.items() if issubclass(kind, base)), ((), 0))
        place = saved
        for key in path:
            place = place[key]
        if path and (type(place) is not int or not 0 <= place <= size):
            raise ValueError(f"place {place} in a buffer of {size}")
        bits.state = saved
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError) as error:
        raise ValueError(f"warm_start: expected rng to be the state of a {kind.__name__}, got another ({error})") from (
            error
        )
    return np.random.Generator(bits)
