"""All rows: prediction, and loss with gradient."""

OPERATIONS = ("predict", "gradient")


def bench_all_rows(benchmark, job):
    benchmark(job, 1)
