"""The compiled floor; README.md beside this file lists its rooms and modules.

From the top: fits (trainings), curvature (second derivatives), sums (passes over the samples), storage, bridge (to
the C kernels), threads. The only threads and the only NumPy C API of the library.
"""

from fastmlp._core.threads import lineage as lineage  # first: it looks at the process before OpenMP is loaded
