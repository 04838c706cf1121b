"""Every C kernel at 0 to 70 of each of its dimensions, on every instruction set and both types.

71 is prime: the triples (i, j, i + j mod 71) hold each pair of sizes of any two dimensions once. The suite takes lines
through them, on which each size of each dimension comes once; `-m slow` takes all. The memory of blocks and matrices
ends with their last number, so that sanitizers, which run all of it too, see who goes beyond.
"""

import numpy as np
import pytest

import kernel_checks

SIZES = 71
LINES = ((2, 0), (36, 5), (69, 11))  # j = slope i + start: neither i, nor j, nor i + j comes twice on one of them
KERNELS = {
    3: ("three_products", "product_gradient", "rows_forward", "store_outer"),
    2: ("gram", "multiply", "rows_and_blocks", "softmax", "softmax_product", "losses", "triangles"),
    1: ("vectors", "steps", "activations"),
}
CASES = [(name, n_sizes) for n_sizes, names in KERNELS.items() for name in names]


def check(name, n_sizes, pairs, dtype, isa):
    """At all pairs; only the last size, a number of samples or of elements, may be 0, which 71 stands for elsewhere."""
    rng = np.random.default_rng(0)
    for i, j in pairs:
        *widths, n = (i, j, i + j)[3 - n_sizes :]
        sizes = [width % SIZES or SIZES for width in widths] + [n % SIZES]
        getattr(kernel_checks, name)(*sizes, lambda *shape: rng.normal(size=shape).astype(dtype), dtype, isa)


@pytest.mark.parametrize(("name", "n_sizes"), CASES)
def test_each_size_of_each_dimension(name, n_sizes, dtype, isa):
    for slope, start in LINES if n_sizes > 1 else LINES[:1]:
        check(name, n_sizes, [(i, (slope * i + start) % SIZES) for i in range(SIZES)], dtype, isa)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n_sizes"), [case for case in CASES if case[1] > 1])
def test_each_pair_of_sizes_of_two_dimensions(name, n_sizes, dtype, isa):
    check(name, n_sizes, np.ndindex(SIZES, SIZES), dtype, isa)
