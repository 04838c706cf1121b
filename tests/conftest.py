"""Fixtures that many tests share: number types, instruction sets, numbers of threads."""

import os
import sys

import pytest

os.environ["FASTMLP_CROWD"] = "ignore"  # tests of threads want them, here and in the programs that they start

from cases import DTYPES
from fastmlp._core.bridge import kernels


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.fixture(params=kernels.isa_names)
def isa(request):
    return request.param


@pytest.fixture(params=[1, 2, 3, 7])
def n_threads(request):
    return request.param


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
