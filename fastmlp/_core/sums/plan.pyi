from collections.abc import Sequence

softmax_index: int

class Plan:
    def __new__(
        cls, sizes: Sequence[int], activations: Sequence[int], loss: int, itemsize: int, isa: str | None = None
    ) -> Plan: ...
    def describe(self, n: int) -> dict[str, int]: ...
