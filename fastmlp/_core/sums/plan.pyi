from collections.abc import Sequence
from typing import Any

softmax_index: int

class Plan:
    def __new__(cls, layers: Sequence[Any], loss: int, itemsize: int, isa: str | None = None) -> Plan: ...
    def describe(self, n: int) -> dict[str, int]: ...
