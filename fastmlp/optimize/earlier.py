"""The fit that `warm_start` continues: what a result holds is looked at as if a stranger had written it.

Results are edited, pickled, damaged. Each solver says in its `check_state` what it left there; an `Earlier` reads one
item after the other, and whatever is not what it should be is an error that names it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import _memory
from fastmlp import _validation as check
from fastmlp._core.storage import arrays
from fastmlp.model.architecture import Architecture
from fastmlp.model.units import Units, restored
from fastmlp.terms.reparam import FreeParameters

NETWORKS = (np.float32, np.float64)
MOST = float(np.finfo(np.float64).max)
AS_THEY_ARE = frozenset((int, float, str, bool, type(None)))
#: how the exact value comes out of what may be a subclass; no class has bool for a base
EXACT: tuple[tuple[type, Any], ...] = (
    (bool, bool), (int, int.__index__), (float, float.__float__), (str, str.__str__),
)  # fmt: skip


class Earlier:
    """A state, or a part of it, of numbers for `n` free parameters of `n_params`."""

    def __init__(self, items: Any, n: int, n_params: int, part: str = "state") -> None:
        if not isinstance(items, dict):
            raise TypeError(f"warm_start: expected {part} to be a dict, got {type(items).__name__}")
        self.items, self.n, self.n_params, self.part = items, n, n_params, part

    def get(self, name: str) -> Any:
        """An item, whatever it is."""
        if name not in self.items:
            raise ValueError(f"warm_start: expected {self.part} with {name}, got one without")
        return self.items[name]

    def members(self, name: str, *names: str) -> Earlier:
        """Those of a tuple."""
        value = self.get(name)
        if type(value) is not tuple or len(value) != len(names):
            raise TypeError(f"warm_start: expected {name} to be a tuple of {len(names)}, got {type(value).__name__}")
        return Earlier(dict(zip(names, value, strict=True)), self.n, self.n_params, name)

    def vector(self, name: str, dtypes: tuple[Any, ...] = (np.float64,), low: float = -math.inf) -> NDArray[Any]:
        """Numbers (n,) in [low, inf)."""
        return self._numbers(name, (self.n,), dtypes, low)

    def rows(self, name: str) -> NDArray[Any]:
        """Vectors (any, n) of float64."""
        value = self.get(name)
        length = len(value) if isinstance(value, np.ndarray) and value.ndim else 0
        return self._numbers(name, (length, self.n), (np.float64,), -math.inf)

    def numbers(self, name: str, n_axes: int) -> NDArray[Any]:
        """Numbers of float64, of so many axes of any length."""
        value = self.get(name)
        shape = value.shape if isinstance(value, np.ndarray) and value.ndim == n_axes else (0,) * n_axes
        return self._numbers(name, shape, (np.float64,), -math.inf)

    def _numbers(self, name: str, shape: tuple[int, ...], dtypes: tuple[Any, ...], low: float) -> NDArray[Any]:
        value = self.get(name)
        plain = type(value) in check.PLAIN
        if not plain or value.dtype not in dtypes:
            kind = value.dtype if plain else type(value).__name__
            wanted = " or ".join(np.dtype(each).name for each in dtypes)
            raise TypeError(f"warm_start: expected {name} to be an array of {wanted}, got {kind}")
        if value.shape != shape:
            raise ValueError(f"warm_start: expected {name} of shape {shape}, got {value.shape}")
        if not (value.flags.c_contiguous and value.flags.aligned):
            raise ValueError(f"warm_start: expected {name} to lie row by row, got strides {value.strides}")
        finite = arrays.plain(value, value.dtype) is not None or np.isfinite(value).all()
        if not (finite and (low == -math.inf or (value >= low).all())):
            expected = "finite numbers" + (f" >= {low:g}" if low > -math.inf else "")
            raise ValueError(f"warm_start: expected {expected} in {name}, got others")
        return value  # type: ignore[no-any-return]

    def number(
        self, name: str, low: float = -MOST, high: float = MOST, *, above: bool = False, nan: bool = False
    ) -> float:
        """A number in [low, high], in (low, high] with `above`; finite if nothing else is said, nan too if allowed."""
        value = self.get(name)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise TypeError(f"warm_start: expected {name} to be a number, got {type(value).__name__}")
        inside = low <= value <= high and not (above and value == low)
        if not (inside or (nan and value != value)) or (isinstance(value, int) and abs(value) > MOST):
            kind = "finite number" if high == MOST else "number"
            bounds = f" {'>' if above else '>='} {low:g}" if low > -MOST else ""
            raise ValueError(f"warm_start: expected {name} to be a {kind}{bounds}, got {check.shown(value)}")
        return float(value)

    def count(self, name: str, low: int = 0, bits: int = 31) -> int:
        """An integer in [low, 2^bits)."""
        value = self.get(name)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"warm_start: expected {name} to be an integer, got {type(value).__name__}")
        if value < low or int(value).bit_length() > bits:
            raise ValueError(f"warm_start: expected {name} to be an integer in [{low}, 2^{bits}), got another")
        return int(value)

    def word(self, name: str) -> str:
        """A str."""
        value = self.get(name)
        if not isinstance(value, str):
            raise TypeError(f"warm_start: expected {name} to be a str, got {type(value).__name__}")
        return value

    def flag(self, name: str) -> bool:
        """True or False."""
        value = self.get(name)
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"warm_start: expected {name} to be True or False, got {type(value).__name__}")
        return bool(value)


def state_of(
    warm_start: Any,
    method: str,
    resumable: Sequence[str],
    architecture: Architecture,
    n_samples: int,
    standardize: bool,
) -> dict[str, Any] | None:
    """What all solvers leave, looked at: of the same method, for the same network, as many samples; None for None.

    The solver's own items are for its `check_state`.
    """
    if warm_start is None:
        return None
    items = _own(getattr(warm_start, "state", None))
    if not isinstance(items, dict) or "method" not in items:
        raise TypeError(f"warm_start: expected the result of an earlier fit, got {type(warm_start).__name__}")
    state = Earlier(items, architecture.n_params, architecture.n_params)
    if state.word("method") != method or method not in resumable:
        raise ValueError(
            f"warm_start: expected the result of a fit by the same method, one of {', '.join(resumable)}, "
            f"got one by {items['method']} for {method}"
        )
    x = getattr(warm_start, "x", None)
    if not isinstance(x, np.ndarray) or type(x) not in check.PLAIN or x.dtype.kind not in "fiu":
        raise TypeError(f"warm_start: expected x to be an array of numbers, got {type(x).__name__}")
    present = (architecture.n_params, architecture.dtype.type.__name__, n_samples)
    earlier = (x.size, state.word("dtype"), state.count("n_samples", bits=62))
    if earlier != present:
        raise ValueError(
            "warm_start: expected the result for as many parameters, of the same type, and as many samples: "
            f"{present}, got {earlier}"
        )
    known = _units(state.get("units"), architecture)
    if standardize != (known is not None):
        raise ValueError(
            f"warm_start: expected standardize={known is not None}, as in the fit that it continues, got "
            f"{standardize}: the solver's state is in its units"
        )
    if not isinstance(state.get("free"), (FreeParameters, type(None))):
        raise TypeError(f"warm_start: expected free to be None or a map, got {type(items['free']).__name__}")
    _check_held_back(state.get("held_back"), n_samples)
    return items | {"units": known, "rng": _generator(state)}


def _own(value: Any) -> Any:
    """A copy, of dicts, tuples and arrays: what is checked is nobody else's to change.

    Numbers and words are of Python's own types, whatever their classes make of comparisons and conversions.
    """
    kind = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind in check.PLAIN:  # what is repeated without end is refused as it is: it does not lie row by row
        return value if 0 in value.strides and not value.flags.c_contiguous else np.array(value, order="C")
    if kind is tuple:
        return tuple(map(_own, value))
    if isinstance(value, dict):  # most of it is words and numbers, which are looked at without a call for each
        return {
            key if type(key) is str else _own(key): item if type(item) in AS_THEY_ARE else _own(item)
            for key, item in dict.items(value)
        }
    if isinstance(value, np.generic):
        value = np.generic.item(value)
    for base, own in EXACT:
        if isinstance(value, base):
            return own(value)
    return value


def _units(value: Any, architecture: Architecture) -> Units | None:
    if value is None:
        return None
    if not isinstance(value, Units):
        raise TypeError(f"warm_start: expected units to be None or Units, got {type(value).__name__}")
    try:
        return restored(architecture, value.as_array())
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"warm_start: expected units of such a network, got others ({error})") from error


def _check_held_back(index: Any, n_samples: int) -> None:
    if index is None:
        return
    if type(index) is not np.ndarray or index.dtype != np.intp:
        raise TypeError(f"warm_start: expected held_back to be None or an array of intp, got {type(index).__name__}")
    inside = index.ndim == 1 and 0 < len(index) < n_samples and (index >= 0).all() and (index < n_samples).all()
    if not (inside and (np.diff(index) > 0).all()):
        raise ValueError(f"warm_start: expected held_back to be rising indices of {n_samples} samples, got others")


def _generator(state: Earlier) -> np.random.Generator | None:
    """In the state of the earlier one: the user's own may have been used on."""
    if state.get("rng") is None:
        return None
    _memory.late("numpy.random")
    generators = _memory.late("fastmlp.optimize.generators")
    return generators.restored(*state.members("rng", "kind", "saved").items.values())  # type: ignore[no-any-return]


def rng_state(generator: np.random.Generator | None) -> tuple[type[np.random.BitGenerator], Any] | None:
    """What a later fit makes its generator of."""
    return None if generator is None else (type(generator.bit_generator), generator.bit_generator.state)
