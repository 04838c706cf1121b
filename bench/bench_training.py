"""Adam over minibatches: a training of one epoch, setting it up included."""

OPERATIONS = ("adam32", "adam128")


def bench_epoch(benchmark, job):
    benchmark(job, 1)
