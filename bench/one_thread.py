"""One thread for everybody. `restrict` comes before NumPy, JAX and torch are imported: they count CPUs at import."""

import os

XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def restrict(bind: bool = True) -> None:
    """Tell the libraries, and bind the process to one CPU, where the system can.

    JAX keeps helper threads whatever it is told; on one CPU they gain it nothing.
    """
    if bind and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {XLA_FLAGS}".strip()
    for name in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{name}_NUM_THREADS"] = "1"
