"""The C kernels, seen from Cython as functions of both types."""
