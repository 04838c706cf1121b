"""Fixtures that many tests share: number types, instruction sets, numbers of threads."""

import pytest

from cases import DTYPES
from fastmlp._core import kernels


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.fixture(params=kernels.isa_names)
def isa(request):
    return request.param


@pytest.fixture(params=[1, 2, 3, 7])
def n_threads(request):
    return request.param
