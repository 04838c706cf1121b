from collections.abc import Sequence

from fastmlp._core.sums.kinds import Kind

Description = tuple[Kind, int, int, int, int, int, int, tuple[int, ...]]

softmax_index: int

class Plan:
    def __new__(
        cls, layers: Sequence[Description], loss: int, itemsize: int, isa: str | None = None
    ) -> Plan: ...
    def describe(self, n: int) -> dict[str, int]: ...
