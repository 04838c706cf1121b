"""The compiled floor: plan, kernels, sweeps, batch, train. The only threads and the only NumPy C API of the library."""
