"""What acceptance asks, against the fastest peer in the same run, on one thread."""

from typing import NamedTuple


class Goal(NamedTuple):
    """Fastest peer's time over ours, at least; share of the FMA peak, at least; seconds, and yardsticks, at most."""

    ratio: float
    share: float | None = None
    seconds: float | None = None
    units: float | None = None

    def met(self, ratio: float, share: float, seconds: float, units: float | None = None) -> bool:
        """Whether all that is asked is there."""
        quick = seconds <= (self.seconds or seconds) and (self.units is None or (units or 0.0) <= self.units)
        return ratio >= self.ratio and share >= (self.share or 0.0) and quick

    def __str__(self) -> str:
        """As the tables show it."""
        parts = [f"{self.ratio:g}"]
        if self.share is not None:
            parts.append(f"{100 * self.share:.0f} %")
        if self.seconds is not None:
            parts.append(f"{1e6 * self.seconds:g} µs")
        if self.units is not None:
            parts.append(f"{self.units:g} units")
        return ", ".join(parts)


GOALS = {  # operation: shape: goal
    "row": {"S1": Goal(5, seconds=0.5e-6), "D1": Goal(2), "T1": Goal(1), "M1": Goal(1), "L1": Goal(1)},
    "predict": {"T2": Goal(1.5), "S1": Goal(1.5), "S2": Goal(1.3), "D1": Goal(1.3), "M1": Goal(1), "L1": Goal(1)},
    "gradient": {
        "T1": Goal(3), "T2": Goal(2), "S1": Goal(1.5, 0.60), "S2": Goal(1.5, 0.70), "D1": Goal(1.5, 0.65),
        "M1": Goal(1.15, 0.80), "L1": Goal(1, 0.75),
    },
    "adam32": {"S1": Goal(2.5), "S2": Goal(2.2), "D1": Goal(1.4), "M1": Goal(1.1)},
    "adam128": {"S1": Goal(2), "S2": Goal(1.8), "D1": Goal(1.3), "M1": Goal(1.05)},
    "input_jacobian": {"S1": Goal(1.5), "S2": Goal(1.3), "D1": Goal(1.3)},
    "param_jacobian": {"S1": Goal(1, units=1.25)},  # at the speed of memory
    "ggn": {"T2": Goal(3), "G1": Goal(2), "S1": Goal(1.4), "G3": Goal(3.5), "S3": Goal(3.5), "H1": Goal(3.5)},
    "hessian": {"T2": Goal(1, units=2), "G1": Goal(20, units=2), "H1": Goal(20, units=2), "D64": Goal(1, units=2)},
    "hessp": {"S1": Goal(1.5, units=3), "D1": Goal(1.2, units=3), "M1": Goal(1.1, units=3)},
    "ggnp": {"S1": Goal(1.5, units=2.2), "D1": Goal(1.2, units=2.2), "M1": Goal(1.1, units=2.2)},
    "hessp8": {"S1": Goal(1, units=8), "D1": Goal(1, units=8)},
    "ggnp8": {"S1": Goal(1, units=8), "D1": Goal(1, units=8)},
    "lm20": {"A5": Goal(1, seconds=20 * 50e-6), "A20": Goal(1, seconds=20 * 600e-6)},
}  # fmt: skip
SINGLE = {("gradient", "D1"): Goal(1.25, 0.65)}  # where float32 has a goal of its own


def goal_of(operation: str, shape: str, dtype: str) -> Goal | None:
    """The goal for a cell of the table, if there is one."""
    own = SINGLE.get((operation, shape)) if dtype == "float32" else None
    return own or GOALS[operation].get(shape)
