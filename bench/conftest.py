"""One thread on both sides: BLAS and the library."""

import pytest
from threadpoolctl import threadpool_limits

from problems import SHAPES, make


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    return request.param


@pytest.fixture(params=SHAPES)
def problem(request, dtype):
    return make(request.param, dtype)


@pytest.fixture(params=["fastmlp", "numpy"])
def contestant(request):
    return request.param
