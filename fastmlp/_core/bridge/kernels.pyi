activation_names: tuple[str, ...]
loss_names: tuple[str, ...]
loss_outputs: tuple[str, ...]
PAD: int
PANEL: int
isa_names: tuple[str, ...]
isa_name: str

def isa_index(name: str | None) -> int: ...
def table_address(isa: int, itemsize: int) -> int: ...
