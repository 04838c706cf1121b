"""Large results lie in memory that is used again, never while anybody holds it."""

import threading

import numpy as np
import pytest

from cases import DTYPES, data, network, relative_error

LARGE = [8, 30, 30, 1]  # a matrix of 12 MB, of 6 MB in float32


def place(array):
    return array.__array_interface__["data"][0]


def expected(net, X, T):
    """The Gauss-Newton matrix from the Jacobian, a product of NumPy's."""
    J = net.jacobian(X, wrt="params")[:, 0]
    return J.T @ J


def case(dtype="float64", n_samples=7):
    net = network(LARGE, dtype=dtype)
    return net, *data(net, n_samples)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_next_result_lies_where_the_one_before_lay_and_is_right(dtype):
    net, X, T = case(dtype)
    first = place(net.hessian(X, T, kind="ggn"))
    net.params = 0.9 * net.params
    H = net.hessian(X, T, kind="ggn")
    assert place(H) == first
    assert relative_error(H, expected(net, X, T)) < (1e-12 if dtype == "float64" else 1e-4)


def test_what_is_held_stays_as_it_is():
    net, X, T = case()
    objective = net.objective(X, T)
    held = [net.hessian(X, T)]
    copies = [held[0].copy()]
    for shrink in (0.9, 0.8, 0.7):
        held.append(objective.normal_equations(shrink * objective.x0)[2])
        copies.append(held[-1].copy())
    assert len({place(H) for H in held}) == len(held)
    assert all(np.array_equal(a, b) for a, b in zip(held, copies, strict=True))


@pytest.mark.parametrize("view", [lambda H: H[3], lambda H: H.T, lambda H: memoryview(H), lambda H: np.asarray(H)[::2]])
def test_a_view_holds_its_memory(view):
    net, X, T = case()
    part = view(net.hessian(X, T))
    before = np.array(part)
    after = net.hessian(X, 1 - T)
    assert not np.shares_memory(np.asarray(part), after)
    assert np.array_equal(np.asarray(part), before)


def test_results_are_arrays_like_others():
    net, X, T = case()
    H = net.hessian(X, T)
    before = H.copy()
    assert H.flags.owndata
    assert H.flags.c_contiguous
    assert H.flags.writeable
    assert np.zeros_like(H).sum() == 0
    H.resize((2 * len(H), H.shape[1]), refcheck=False)  # by the allocator that has made it
    assert np.array_equal(H[: len(before)], before)
    H.resize((3, before.shape[1]), refcheck=False)
    assert np.array_equal(H, before[:3])
    del H
    assert np.array_equal(net.hessian(X, T), before)


def test_jacobians_use_it_too():
    net, X, _ = case(n_samples=600)  # 7 MB
    J = net.jacobian(X, wrt="params")
    first, copy = place(J), J.copy()
    del J
    again = net.jacobian(X, wrt="params")
    assert place(again) == first
    assert np.array_equal(again, copy)


def test_other_arrays_are_numpys():
    """The allocator is in force for the results alone."""
    net, X, T = case()
    first = place(net.hessian(X, T))
    size = net.n_params
    others = [np.empty((size, size)) for _ in range(3)]
    assert first not in {place(array) for array in others}
    assert place(net.hessian(X, T)) == first


def test_threads_get_memory_of_their_own():
    net, X, T = case()
    objective, errors = net.objective(X, T), []

    def work(shrink):
        p = shrink * objective.x0
        right = objective.ggn(p).copy()
        errors.extend(shrink for _ in range(10) if not np.array_equal(objective.ggn(p), right))

    threads = [threading.Thread(target=work, args=(1 - 0.1 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
