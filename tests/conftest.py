"""Fixtures that many tests share: number types, instruction sets, numbers of threads."""

import gc
import os
import sys

import pytest
import scipy.linalg  # noqa: F401  # brings in SciPy's BLAS
from threadpoolctl import threadpool_limits

os.environ["FASTMLP_CROWD"] = "ignore"  # tests of threads want them, here and in the programs that they start

from cases import DTYPES
from fastmlp._core.bridge import kernels

# What tests compute by BLAS is small: its other threads took a third of the suite's time, and on
# a busy machine were waited for. Programs that tests start have them all.
ONE_THREAD = threadpool_limits(1, "blas")


gc.disable()  # until all tests are collected: none of them is garbage


def pytest_collection_finish():
    """What is there now stays, and is not looked at again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.fixture(params=kernels.isa_names)
def isa(request):
    return request.param


@pytest.fixture(params=[1, 2, 3, 7])
def n_threads(request):
    return request.param


@pytest.fixture(scope="module")
def all_threads_of_blas():
    """As users have it, where threads are the subject."""
    ONE_THREAD.restore_original_limits()
    yield
    threadpool_limits(1, "blas")


@pytest.fixture(autouse=True)
def close_pictures():
    """pyplot keeps those of all tests, and warns of more than twenty."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(autouse=True, scope="module")
def forget_what_jax_has_compiled():
    """It would grow to gigabytes, which Python's garbage collector walks through again and again."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


@pytest.fixture
def import_torch_finds_it(monkeypatch):
    """PyTorch or its stand-in, whichever the tests have."""
    from some_torch import nn, torch

    for name, module in (("torch", torch), ("torch.nn", nn)):
        monkeypatch.setitem(sys.modules, name, module)
