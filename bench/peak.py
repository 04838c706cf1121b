"""Peak rate of multiply-adds of one core, by `peak.c`, compiled when it is asked for."""

import ctypes
import os
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("peak.c")
STEPS = 20_000  # in one piece of work: some tens of microseconds


class Peak:
    """A contestant that does nothing but multiply and add, at full speed, in one number type."""

    def __init__(self, number_bytes: int) -> None:
        self.number_bytes = number_bytes
        self._library = _compiled()
        self._library.multiply_add.restype = ctypes.c_double
        self._library.multiply_add.argtypes = [ctypes.c_int, ctypes.c_long]
        self._library.flops_of_a_step.restype = ctypes.c_long
        #: floating-point operations in one piece of work
        self.flops = STEPS * self._library.flops_of_a_step(number_bytes)

    def run(self, n: int) -> None:
        """Do n pieces of work."""
        self._library.multiply_add(self.number_bytes, n * STEPS)


def _compiled() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "peak.so")
        compiler = os.environ.get("CC", "cc").split()
        flags = ["-O3", "-std=gnu11", "-ffp-contract=fast", "-shared", "-fPIC"]
        subprocess.run([*compiler, *flags, str(SOURCE), "-o", str(library)], check=True)
        return ctypes.CDLL(str(library))
