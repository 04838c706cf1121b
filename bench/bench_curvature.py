"""Derivatives beyond the gradient: Jacobians, curvature and products with it, steps of Levenberg-Marquardt."""

from problems import CURVED

OPERATIONS = tuple(CURVED)


def bench_curvature(benchmark, job):
    benchmark(job, 1)
