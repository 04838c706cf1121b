"""`Differentiable`: the facade's derivatives, sample by sample. Jacobians, products, all done on lower floors."""

from __future__ import annotations

from fastmlp._types import Array, ArrayLike
from fastmlp.derivatives import exact as derivatives
from fastmlp.derivatives.curved import Curved


class Differentiable(Curved):
    """What can be derived from a network; `fastmlp.Network` documents the whole."""

    def jacobian(
        self, X: ArrayLike, wrt: str = "inputs", of: str = "outputs", *, n_threads: int | None = None
    ) -> Array:
        """Jacobian of the outputs: J_nki = dy_k/dx_i, or dy_k/dw_i, at each sample.

        Parameters
        ----------
        X : array-like of shape (N, D) or (D,)
        wrt : {"inputs", "params"}
        of : {"outputs", "logits"}
            logits: the pre-activations of the output layer in place of its outputs.
        n_threads : int, optional

        Returns
        -------
        ndarray of shape (N, K, D) or (N, K, P)
            (K, D) or (K, P) for one sample (D,).

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D) or (D,), or a name is not one of those above.

        Notes
        -----
        Exact for every output activation: rows of linear outputs are multiplied by h'(z_k), for softmax by
        diag(y) - y y'. By inputs: one pass forward, and one backward for each output, or one of tangents for each input
        where there are fewer. By parameters: one forward, one backward for each output, and N K P numbers to hold.

        References
        ----------
        PRML (5.70)-(5.76).

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([2, 1])
        >>> net.params = [3.0, 4.0, 0.0]
        >>> net.jacobian([[1.0, 2.0]])
        array([[[3., 4.]]])
        >>> net.jacobian([[1.0, 2.0]], wrt="params")
        array([[[1., 2., 1.]]])
        """
        return derivatives.jacobian(self._architecture, self._params, X, wrt, of, n_threads)

    def value_and_jacobian(
        self, X: ArrayLike, wrt: str = "inputs", of: str = "outputs", *, n_threads: int | None = None
    ) -> tuple[Array, Array]:
        """Outputs and their Jacobian in one pass: what implicit solvers of ODEs and optimisers ask for at each point.

        Parameters
        ----------
        X : array-like of shape (N, D) or (D,)
        wrt : {"inputs", "params"}
        of : {"outputs", "logits"}
            logits: those and their Jacobian.
        n_threads : int, optional

        Returns
        -------
        Y : ndarray of shape (N, K)
            (K,) for one sample (D,); equal to ``net(X)`` to rounding.
        J : ndarray of shape (N, K, D) or (N, K, P)
            (K, D) or (K, P) for one sample; to the bit that of `jacobian`.

        Raises
        ------
        TypeError, ValueError
            As `jacobian`.

        Notes
        -----
        Takes as long as `jacobian`, whose pass forward has the outputs.

        Examples
        --------
        A network as the right-hand side of an ODE, dy/dt = f(y), with its exact Jacobian:

        >>> import numpy as np, fastmlp
        >>> from scipy.integrate import solve_ivp
        >>> net = fastmlp.Network([2, 2])
        >>> net.params = [0.0, 1.0, -1.0, 0.0, 0.0, 0.0]  # y' = (y2, -y1): a circle
        >>> y, J = net.value_and_jacobian([1.0, 0.0])
        >>> y.tolist(), J.tolist()
        ([0.0, -1.0], [[0.0, 1.0], [-1.0, 0.0]])
        >>> path = solve_ivp(lambda t, y: net(y), (0, np.pi), [1.0, 0.0], "Radau", jac=lambda t, y: net.jacobian(y))
        >>> bool(abs(path.y[:, -1] - [-1.0, 0.0]).max() < 0.01)
        True
        """
        return derivatives.value_and_jacobian(self._architecture, self._params, X, wrt, of, n_threads)

    def jvp(
        self, X: ArrayLike, v: ArrayLike, wrt: str = "params", of: str = "outputs", *, n_threads: int | None = None
    ) -> Array:
        """Product J v of the Jacobian with a direction: how the outputs change along it.

        Parameters
        ----------
        X : array-like of shape (N, D)
        v : array-like of shape (P,), or (D,) or (N, D)
            A direction of the parameters; of the inputs with ``wrt="inputs"``, one for all samples or for each.
        wrt : {"params", "inputs"}
        of : {"outputs", "logits"}
        n_threads : int, optional

        Returns
        -------
        ndarray of shape (N, K)

        Raises
        ------
        TypeError, ValueError
            As `jacobian`, or if v has another shape.

        Notes
        -----
        One pass forward and one of tangents (R-forward); J is never formed.

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([2, 1])
        >>> net.params = [3.0, 4.0, 0.0]
        >>> net.jvp([[1.0, 2.0]], [1.0, 0.0], wrt="inputs")
        array([[3.]])
        """
        return derivatives.jvp(self._architecture, self._params, X, v, wrt, of, n_threads)

    def vjp(
        self, X: ArrayLike, U: ArrayLike, wrt: str = "params", of: str = "outputs", *, n_threads: int | None = None
    ) -> Array:
        """Product u' J with the transposed Jacobian: summed over samples by parameters, of each sample by inputs.

        Parameters
        ----------
        X : array-like of shape (N, D)
        U : array-like of shape (N, K)
            A vector u for each sample; (N,) where K = 1.
        wrt : {"params", "inputs"}
        of : {"outputs", "logits"}
        n_threads : int, optional

        Returns
        -------
        ndarray of shape (P,) or (N, D)
            sum_n u_n' dy_n/dparams, or u_n' dy_n/dx_n in rows.

        Raises
        ------
        TypeError, ValueError
            As `jacobian`, or if U has another shape.

        Notes
        -----
        One pass forward, one backward. With u = dE/dy it is back-propagation.

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([2, 1])
        >>> net.params = [3.0, 4.0, 0.0]
        >>> net.vjp([[1.0, 2.0]], [[10.0]])
        array([10., 20., 10.])
        """
        return derivatives.vjp(self._architecture, self._params, X, U, wrt, of, n_threads)

    def input_hessian(self, X: ArrayLike, *, n_threads: int | None = None) -> Array:
        """Second derivatives of the outputs by the inputs, d2y_k / dx_i dx_j, at each sample.

        Parameters
        ----------
        X : array-like of shape (N, D)
        n_threads : int, optional

        Returns
        -------
        ndarray of shape (N, K, D, D)
            Symmetric in the last two axes, to the last bit.

        Raises
        ------
        TypeError, ValueError
            If X is not an array of finite real numbers of shape (N, D).

        Notes
        -----
        One pass forward, for each output one backward, and for each output and input one of both tangents.

        Examples
        --------
        >>> import fastmlp
        >>> net = fastmlp.Network([1, 1], output="exp")
        >>> net.params = [2.0, 0.0]
        >>> net.input_hessian([[0.0]])  # of exp(2 x)
        array([[[[4.]]]])
        """
        return derivatives.input_hessian(self._architecture, self._params, X, n_threads)
