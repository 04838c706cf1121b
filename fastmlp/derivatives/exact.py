"""Jacobians, Hessians and products with them, as pure functions: arguments checked here, arithmetic in `_core`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._core.curvature import matrices
from fastmlp._core.sums import jacobian as jacobians
from fastmlp._core.sums import products
from fastmlp._core.sums.batch import Batch
from fastmlp._quiet import quiet
from fastmlp._types import Array, ArrayLike, Index
from fastmlp.derivatives import definite
from fastmlp.errors import NotPositiveDefiniteError
from fastmlp.model import functional as fn
from fastmlp.model.architecture import Architecture
from fastmlp.model.chunked import Batches

Places = Index | None
F = TypeVar("F", bound=Callable[..., Any])

WRT = ("inputs", "params")
OF = ("outputs", "logits")
#: curvature matrices
KINDS = ("exact", "ggn", "empirical_fisher", "finite_difference")
#: those with a diagonal of their own
DIAGONAL_KINDS = ("exact", "ggn", "backprop", "empirical_fisher")
#: those with products
PRODUCT_KINDS = ("exact", "ggn")
SEQUENTIAL_BLOCK = 64  # samples whose vectors are held at once


# ---- sample by sample ----


def jacobian(
    architecture: Architecture, params: Array, X: ArrayLike, wrt: str, of: str, n_threads: int | None
) -> Array:
    """dy/dx (N, K, D) or dy/dparams (N, K, P); without N of one sample (D,)."""
    run, of_logits = _jacobian(wrt, of)
    X, alone = architecture.sample_or_rows(X)
    J = run(architecture.plan, params, X, of_logits, _threads.resolve(n_threads))
    return J[0] if alone else J


def value_and_jacobian(
    architecture: Architecture, params: Array, X: ArrayLike, wrt: str, of: str, n_threads: int | None
) -> tuple[Array, Array]:
    """Y or the logits (N, K), and their derivatives as of `jacobian`, in one pass."""
    run, of_logits = _jacobian(wrt, of)
    X, alone = architecture.sample_or_rows(X)
    Y = np.empty((len(X), architecture.n_outputs), architecture.dtype)
    J = run(architecture.plan, params, X, of_logits, _threads.resolve(n_threads), Y)
    return (Y[0], J[0]) if alone else (Y, J)


def linearise(architecture: Architecture, params: Array, X: Array, n_threads: int | None) -> tuple[Array, Array]:
    """Outputs for squared error, else logits, (N, K), and their derivatives by the parameters (N, K, P); X is exact."""
    Y = np.empty((len(X), architecture.n_outputs), architecture.dtype)
    threads = _threads.resolve(n_threads)
    return Y, jacobians.by_params(architecture.plan, params, X, architecture.loss.of_logits, threads, Y)


def in_blocks(
    architecture: Architecture, params: Array, X: Array, numbers: int, n_threads: int | None
) -> Iterator[tuple[slice, Array, Array]]:
    """The same of some samples after the other: which, and at most so many `numbers` of J at once."""
    size = max(1, numbers // (architecture.n_outputs * architecture.n_params))
    for first in range(0, len(X), size):
        rows = slice(first, min(first + size, len(X)))
        yield rows, *linearise(architecture, params, X[rows], n_threads)


def jvp(
    architecture: Architecture, params: Array, X: ArrayLike, v: ArrayLike, wrt: str, of: str, n_threads: int | None
) -> Array:
    """J v (N, K) for one v (P,) of the parameters, or one (D,) or (N, D) of the inputs."""
    wrt, of_logits = _directions(wrt, of)
    X = architecture.rows(X)
    threads = _threads.resolve(n_threads)
    if wrt == "params":
        v = check.vector(v, "v", architecture.n_params, architecture.dtype)
        return jacobians.jvp_params(architecture.plan, params, X, v, of_logits, threads)
    v = check.real_array(v, "v", architecture.dtype)
    if v.shape not in (X.shape, X.shape[1:]):
        raise ValueError(f"v: expected shape {X.shape} or {X.shape[1:]}, got {v.shape}")
    v = np.ascontiguousarray(np.broadcast_to(v, X.shape))
    return jacobians.jvp_inputs(architecture.plan, params, X, v, of_logits, threads)


def vjp(
    architecture: Architecture, params: Array, X: ArrayLike, U: ArrayLike, wrt: str, of: str, n_threads: int | None
) -> Array:
    """Products u' J for the vectors u, rows of U (N, K): summed over samples (P,), or of each sample (N, D)."""
    wrt, of_logits = _directions(wrt, of)
    X = architecture.rows(X)
    U = check.real_array(U, "U", architecture.dtype)
    shape = (len(X), architecture.n_outputs)
    if U.shape == shape[:1] and shape[1] == 1:
        U = U[:, np.newaxis]
    if U.shape != shape:
        raise ValueError(f"U: expected shape {shape}, got {U.shape}")
    threads = _threads.resolve(n_threads)
    if wrt == "params":
        return products.vjp(Batch(architecture.plan, X, U, None, None, None, None), params, of_logits, threads)
    return jacobians.vjp_inputs(architecture.plan, params, X, U, of_logits, threads)


def input_hessian(architecture: Architecture, params: Array, X: ArrayLike, n_threads: int | None) -> Array:
    """d2y/dx dx (N, K, D, D)."""
    X = architecture.rows(X)
    return jacobians.input_hessian(architecture.plan, params, X, _threads.resolve(n_threads))


def _jacobian(wrt: str, of: str) -> tuple[Callable[..., Array], bool]:
    """What computes it, and whether of the logits."""
    wrt, of_logits = _directions(wrt, of)
    return jacobians.by_inputs if wrt == "inputs" else jacobians.by_params, of_logits


def _directions(wrt: str, of: str) -> tuple[str, bool]:
    return check.choice(wrt, "wrt", WRT), check.choice(of, "of", OF) == "logits"


# ---- sums over samples, of a bound batch ----


def by_chunks(function: F) -> F:
    """A sum over the samples of a batch, where they come in chunks the sum over these.

    Arguments go by position: by name they would take half a microsecond, an eighth of a small network's Hessian.
    """

    @wraps(function)
    def summed(batch: Batch | Batches, *arguments: Any) -> Any:
        if isinstance(batch, Batches):
            return batch.summed(summed, *arguments)  # which is found by its name elsewhere
        return function(batch, *arguments)

    return cast("F", summed)


@by_chunks
def product(batch: Batch, params: Array, v: ArrayLike, kind: str, n_threads: int | None) -> Array:
    """H v or G v for v (P,), or for the columns of v (P, m)."""
    v = check.real_array(v, "v", params.dtype)
    if v.ndim not in (1, 2) or v.shape[0] != params.size:
        raise ValueError(f"v: expected shape ({params.size},) or ({params.size}, m), got {v.shape}")
    rows = v[np.newaxis] if v.ndim == 1 else np.ascontiguousarray(v.T)
    result = products.curvature_products(batch, params, rows, kind == "exact", _threads.resolve(n_threads))
    return result[0] if v.ndim == 1 else np.ascontiguousarray(result.T)


@by_chunks
def normal_equations(
    batch: Batch,
    params: Array,
    kind: str = "ggn",
    n_threads: int | None = None,
    wide: bool = False,
    chosen: Places = None,
) -> tuple[float, Array, Array]:
    """Sum of losses, its gradient (P,) and the curvature matrix as of `hessian`, in one pass."""
    threads = _threads.resolve(n_threads)
    value, gradient, matrix = matrices.normal_equations(batch, params, kind, threads, wide=wide, chosen=chosen)
    assert gradient is not None
    assert matrix is not None
    return value, gradient, matrix


@by_chunks
def hessian(
    batch: Batch, params: Array, kind: str, n_threads: int | None = None, wide: bool = False, chosen: Places = None
) -> Array:
    """The curvature matrix (P, P) of one of the KINDS, symmetric to the last bit; if wide in float64.

    Or its rows and columns of chosen parameters alone (n, n), by their places, ascending: at their cost, where they are
    few.
    """
    if kind == "finite_difference":
        differences = _finite_differences(batch, params, n_threads)
        return differences if chosen is None else differences[np.ix_(chosen, chosen)]
    threads = _threads.resolve(n_threads)
    matrix = matrices.normal_equations(batch, params, kind, threads, gradient=False, wide=wide, chosen=chosen)[2]
    assert matrix is not None
    return matrix


@quiet
def _finite_differences(batch: Batch, params: Array, n_threads: int | None) -> Array:
    """Central differences of the gradient (PRML 5.91), with steps eps^(1/3) max(1, |p|)."""
    matrix = np.empty((params.size, params.size), params.dtype)
    point = params.copy()
    for j, p in enumerate(params):
        step = np.finfo(params.dtype).eps ** (1 / 3) * max(1.0, abs(float(p)))
        point[j] = p + step
        high, above = point[j], fn.loss_and_grad(batch, point, n_threads)[1]
        point[j] = p - step
        matrix[j] = (above - fn.loss_and_grad(batch, point, n_threads)[1]) / (high - point[j])
        point[j] = p
    return (matrix + matrix.T) / 2


@by_chunks
def hessian_diagonal(batch: Batch, params: Array, kind: str, n_threads: int | None = None) -> Array:
    """The diagonal (P,) of one of the DIAGONAL_KINDS."""
    return matrices.diagonal(batch, params, kind, _threads.resolve(n_threads))


@quiet
def inverse_hessian(batch: Batch, params: Array, damping: float, kind: str, n_threads: int | None = None) -> Array:
    """(matrix + damping I)^-1 (P, P), by Cholesky factorisation in float64."""
    matrix = hessian(batch, params, kind, n_threads, True).astype(np.float64, copy=False)
    matrix[np.diag_indices_from(matrix)] += damping
    try:
        L = definite.factored(matrix)
    except NotPositiveDefiniteError as error:
        raise NotPositiveDefiniteError(
            f"damping: expected enough for a positive definite matrix, got {damping:g} with a {kind} matrix that has "
            f"eigenvalues <= {-damping:g} ({error})"
        ) from None
    return definite.inverse(L).astype(params.dtype, copy=False)


@quiet
def sequential_inverse(
    architecture: Architecture, params: Array, samples: fn.Samples, damping: float, n_threads: int | None = None
) -> Array:
    """(G + damping I)^-1 (P, P), one vector b of G = sum b b' after the other (PRML 5.86-5.89)."""
    inverse = np.eye(params.size) / damping
    for at_once in samples.each():
        for first in range(0, len(at_once.X), SEQUENTIAL_BLOCK):
            some = at_once.rows(np.arange(first, min(first + SEQUENTIAL_BLOCK, len(at_once.X))))
            for b in ggn_vectors(architecture, params, some, n_threads):
                u = inverse @ b
                inverse -= np.outer(u, u / (1.0 + b @ u))
    return inverse.astype(params.dtype, copy=False)


def ggn_vectors(architecture: Architecture, params: Array, samples: fn.Samples, n_threads: int | None = None) -> Array:
    """K vectors b (P,) for each sample, in rows (N K, P) of float64, with G = sum b b'.

    With the curvature of the loss Lambda = B B' they are B' J: sqrt(s) / sigma J of the outputs for squared error (0
    where a target is missing), and J of the logits times sqrt(s y (1 - y)), sqrt(s y), or the rows of sqrt(s)
    (diag(sqrt y) - sqrt(y) y').
    """
    loss = architecture.loss
    center, J = linearise(architecture, params, samples.X, n_threads)
    J = loss.root_product(center.astype(np.float64), J.astype(np.float64, copy=False))
    weight = np.ones(len(samples.X)) if samples.weight is None else samples.weight.astype(np.float64)
    if loss.couples_outputs:
        weight = weight * np.ravel(samples.targets.totals)
    weight = weight[:, np.newaxis]
    if (factors := samples.targets.factors) is not None:
        weight = weight * factors.astype(np.float64)
    J = J * np.sqrt(weight)[:, :, np.newaxis]
    return J.reshape(-1, params.size)
