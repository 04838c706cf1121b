"""`Curved`: the second derivatives of a network's loss. Matrices, diagonals, products; all done on lower floors."""

from __future__ import annotations

from fastmlp import _threads
from fastmlp import _validation as check
from fastmlp._types import Array, ArrayLike, LinearOperator
from fastmlp.derivatives import exact as derivatives
from fastmlp.derivatives import operators
from fastmlp.model import functional
from fastmlp.model.chunks import Chunks
from fastmlp.model.model import Model


class Curved(Model):
    """The curvature of the loss by the parameters; `fastmlp.Network` documents the whole."""

    def hessian(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        kind: str = "exact",
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Array:
        """Matrix of second derivatives of the loss by the parameters, or what stands for it.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`.
        kind : {"exact", "ggn", "empirical_fisher", "finite_difference"}
            exact: H = d2E/dw dw. ggn: the Gauss-Newton matrix G = sum_n s_n J_n' Lambda_n J_n, with the curvature
            Lambda of the loss taken at the outputs for squared error and at the logits else. empirical_fisher:
            sum_n s_n g_n g_n' with the gradient g_n of each sample. finite_difference: central differences of
            gradients, as a reference.

        Returns
        -------
        ndarray of shape (P, P)
            Symmetric to the last bit; of the scale of `loss`, a sum over samples.

        Raises
        ------
        TypeError, ValueError
            As `loss`, or if `kind` is not one of the names.

        Notes
        -----
        exact, ggn, empirical_fisher are formed by units: one product over the samples for each pair of layers, about
        N P^2 / 2 multiplications whatever K is, without any N x P Jacobian. Memory: the matrix, half of it again for
        each slot of samples (two to 64 of them), a block of samples. finite_difference: 2 P gradients.

        G is never indefinite, and equals H where the residuals vanish, and without hidden layers under a canonical
        loss.

        References
        ----------
        PRML (5.78), (5.83)-(5.84), (5.90)-(5.95).

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([1, 1])
        >>> net.hessian([[2.0], [1.0]], [0.0, 0.0])  # of 1/2 sum (w x + b)^2
        array([[5., 3.],
               [3., 2.]])
        """
        kind = check.choice(kind, "kind", derivatives.KINDS)
        batch = functional.check_and_bind(self._architecture, X, T, sample_weight)
        return derivatives.hessian(batch, self._params, kind, n_threads)

    def hessian_diagonal(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        kind: str = "exact",
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Array:
        """The diagonal of the Hessian, or of what stands for it, without the matrix.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`.
        kind : {"exact", "ggn", "backprop", "empirical_fisher"}
            As for `hessian`; backprop: PRML's recursion, which neglects off-diagonal terms within layers,
            d2e/dz_j^2 = h'^2 sum_k w_kj^2 d2e/dz_k^2 + h'' sum_k w_kj de/dz_k.

        Returns
        -------
        ndarray of shape (P,)

        Raises
        ------
        TypeError, ValueError
            As `hessian`.

        Notes
        -----
        backprop costs two passes backward and is exact for one hidden layer with an elementwise output. exact and ggn
        cost about N sum_l n_l^2 (n_(l-1) + n_(l+1)) multiplications.

        References
        ----------
        PRML (5.79)-(5.82).

        Examples
        --------
        >>> import fastmlp
        >>> fastmlp.Network([1, 1]).hessian_diagonal([[2.0], [1.0]], [0.0, 0.0])
        array([5., 2.])
        """
        kind = check.choice(kind, "kind", derivatives.DIAGONAL_KINDS)
        if kind == "backprop":
            self._architecture.check_dense("kind='backprop'")
        batch = functional.check_and_bind(self._architecture, X, T, sample_weight)
        return derivatives.hessian_diagonal(batch, self._params, kind, n_threads)

    def hessp(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None,
        v: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Array:
        """Product H v of the exact Hessian with one or more vectors, without the matrix.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`.
        v : array-like of shape (P,) or (P, m)

        Returns
        -------
        ndarray of the shape of v

        Raises
        ------
        TypeError, ValueError
            As `loss`, or if v has another shape.

        Notes
        -----
        The tangents of forward and backward pass (Pearlmutter's R): about three gradients for one vector, two for each
        further one.

        References
        ----------
        PRML (5.96)-(5.111).

        Examples
        --------
        >>> import fastmlp
        >>> fastmlp.Network([1, 1]).hessp([[2.0], [1.0]], [0.0, 0.0], [1.0, 0.0])
        array([5., 3.])
        """
        batch = functional.check_and_bind(self._architecture, X, T, sample_weight)
        return derivatives.product(batch, self._params, v, "exact", n_threads)

    def ggnp(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None,
        v: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Array:
        """Product G v of the Gauss-Newton matrix with one or more vectors, without the matrix.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`.
        v : array-like of shape (P,) or (P, m)

        Returns
        -------
        ndarray of the shape of v

        Raises
        ------
        TypeError, ValueError
            As `hessp`.

        Notes
        -----
        J v by tangents, Lambda, and back-propagation: about two gradients for one vector.

        References
        ----------
        Schraudolph (2002), Fast curvature matrix-vector products.

        Examples
        --------
        >>> import fastmlp
        >>> fastmlp.Network([1, 1]).ggnp([[2.0], [1.0]], [0.0, 0.0], [1.0, 0.0])
        array([5., 3.])
        """
        batch = functional.check_and_bind(self._architecture, X, T, sample_weight)
        return derivatives.product(batch, self._params, v, "ggn", n_threads)

    def hessian_operator(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None = None,
        kind: str = "exact",
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> LinearOperator:
        """The Hessian as a linear operator, for SciPy's `eigsh`, `cg`, `minres` and the like.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`; checked once.
        kind : {"exact", "ggn"}

        Returns
        -------
        scipy.sparse.linalg.LinearOperator of shape (P, P)
            Symmetric, in the network's type, at the parameters of now; also `diagonal()` and `trace()`. It can be
            pickled and copied, with its samples.

        Raises
        ------
        TypeError, ValueError
            As `hessian`.

        Examples
        --------
        >>> import fastmlp
        >>> H = fastmlp.Network([1, 1]).hessian_operator([[2.0], [1.0]], [0.0, 0.0])
        >>> H @ [1.0, 0.0]
        array([5., 3.])
        >>> H.trace()
        7.0
        """
        kind = check.choice(kind, "kind", derivatives.PRODUCT_KINDS)
        _threads.resolve(n_threads)
        samples = functional.check_samples(self._architecture, X, T, sample_weight)
        return operators.hessian_operator(self._architecture, samples, self._params.copy(), kind, n_threads)

    def inverse_hessian(
        self,
        X: ArrayLike | Chunks,
        T: ArrayLike | None,
        damping: float,
        kind: str = "ggn",
        method: str = "cholesky",
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Array:
        """(H + damping I)^-1, or that of the Gauss-Newton matrix.

        Parameters
        ----------
        X, T, sample_weight, n_threads
            As for `loss`.
        damping : float
            Added to the diagonal; >= 0, and > 0 with ``method="sequential"``.
        kind : {"ggn", "exact", "empirical_fisher", "finite_difference"}
        method : {"cholesky", "sequential"}
            sequential: one vector b of G = sum b b' after the other, A^-1 - A^-1 b b' A^-1 / (1 + b' A^-1 b); with
            ``kind="ggn"`` only, and about 2 N K P^2 multiplications.

        Returns
        -------
        ndarray of shape (P, P)

        Raises
        ------
        TypeError, ValueError
            As `hessian`; if the matrix is not positive definite; if method and kind do not go together.

        References
        ----------
        PRML (5.86)-(5.89).

        Examples
        --------
        >>> import fastmlp
        >>> fastmlp.Network([1, 1]).inverse_hessian([[2.0], [1.0]], [0.0, 0.0], damping=0.0).round(12)
        array([[ 2., -3.],
               [-3.,  5.]])
        """
        kind = check.choice(kind, "kind", derivatives.KINDS)
        method = check.choice(method, "method", ("cholesky", "sequential"))
        damping = check.number(damping, "damping", 0.0, above=method == "sequential")
        samples = functional.check_samples(self._architecture, X, T, sample_weight)
        if method == "sequential":
            if kind != "ggn":
                raise ValueError(f"method: expected 'cholesky' with kind {kind!r}, got 'sequential', for 'ggn' only")
            return derivatives.sequential_inverse(self._architecture, self._params, samples, damping, n_threads)
        batch = functional.bind(self._architecture, samples)
        return derivatives.inverse_hessian(batch, self._params, damping, kind, n_threads)
