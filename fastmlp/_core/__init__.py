"""The compiled floor: plan, kernels, sweeps, batch, train. The only threads and the only NumPy C API of the library."""

from fastmlp._core.threads import lineage as lineage  # first: it looks at the process before OpenMP is loaded
