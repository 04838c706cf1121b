"""One row from Python, every check made."""

OPERATIONS = ("row",)


def bench_one_row(benchmark, job):
    benchmark(job, 1)
