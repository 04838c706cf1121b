"""The C kernels one by one, for tests: each alone, on each instruction set and type.

`Kernels` calls them through ctypes: the compiled bridge tells where their table is, the list in `src_c` what is in it.
The functions are their faces. Matrices are feature-major as in `src_c`: unit by sample. Inputs are copied into padded
blocks, results are new arrays unless said.
"""

import ctypes
import runpy
from functools import cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided

from fastmlp._core.bridge import kernels

PARTS = runpy.run_path(str(Path(__file__).parents[1] / "src_c" / "bridge.py"))["parts"]()
LIST = [kernel for _, listed in PARTS for kernel in listed]


class Kernels:
    """The table of an instruction set, or of the one in use, for a type: a method for each kernel."""

    def __init__(self, isa, dtype):
        self.dtype = np.dtype(dtype)
        self.table = table(kernels.isa_index(isa), self.dtype)

    def __getattr__(self, name):
        # arrays live as long as the arguments
        return lambda *arguments: getattr(self.table, name)(*map(self.passed, arguments))

    def passed(self, argument):
        """An array of this type, or of indices, by its address; its rows are contiguous."""
        if not isinstance(argument, np.ndarray):
            return argument
        assert argument.dtype in (self.dtype, np.intp)
        assert argument.strides[-1] == argument.itemsize or argument.shape[-1] < 2 or not argument.size
        return argument.ctypes.data

    def whole(self, n):
        """n rounded up to whole vectors: the columns of a block that kernels work on."""
        return -(-n // self.table.lanes) * self.table.lanes

    def block(self, matrix, zeros=False):
        """A padded feature-major copy, columns up to whole vectors repeating the last one, or zeros; None of None."""
        if matrix is None:
            return None
        matrix = np.atleast_2d(matrix)
        n = matrix.shape[1]
        block = self.fresh(*matrix.shape)
        if n:
            block[:, :n] = matrix
            block[:, n : self.whole(n)] = 0 if zeros else matrix[:, -1:]
        return block

    def fresh(self, width, n):
        """A block of nan, as is all beyond whole vectors, where no kernel is to read or write.

        The memory ends with the whole vectors of the last row.
        """
        whole, ld = self.whole(n), max(1, -(-n // kernels.PAD)) * kernels.PAD
        memory = np.full((width - 1) * ld + whole if width else 0, np.nan, self.dtype)
        return as_strided(memory, (width, ld), (ld * memory.itemsize, memory.itemsize))

    def target(self, add, width, n):
        """A block for a result: that of the matrix that it is added to, or a fresh one."""
        return self.fresh(width, n) if add is None else self.block(add)

    def samples(self, block, n):
        """The samples of a block, beyond whole vectors of which nothing was written."""
        assert np.isnan(block[:-1, self.whole(n) :]).all()
        return block[:, :n]


@cache
def table(isa, dtype):
    """The structure of C that holds the kernels."""
    real = np.ctypeslib.as_ctypes_type(dtype)
    types = {"void": None, "int": ctypes.c_int, "size_t": ctypes.c_size_t, "double": ctypes.c_double, "real": real}

    def of(kind):
        return ctypes.c_void_p if "*" in kind else types[kind.strip()]

    members = [(name, ctypes.CFUNCTYPE(of(result), *(of(kind) for kind, _ in given))) for result, name, given in LIST]
    fields = {"_fields_": [("lanes", ctypes.c_size_t), *members]}
    return type("Table", (ctypes.Structure,), fields).from_address(kernels.table_address(isa, dtype.itemsize))


def apart(matrix):
    """How many numbers lie between the starts of its rows."""
    return matrix.strides[0] // matrix.itemsize


# ---- activations ----


def activation(name, z, order=2, isa=None):
    """(h, h', h'')[: order + 1] of the named activation at each z."""
    outputs = [np.empty_like(z) for _ in range(order + 1)]
    kind = kernels.activation_names.index(name)
    Kernels(isa, z.dtype).activation(kind, z.size, z, *outputs, *[None] * (2 - order))
    return tuple(outputs)


def activation_third(name, z, isa=None):
    """h''' of the named activation at each z."""
    third = np.empty_like(z)
    Kernels(isa, z.dtype).activation_third(kernels.activation_names.index(name), z.size, z, third)
    return third


# ---- products ----


def dense_forward(W, b, A, add=None, isa=None):
    """W A + b, added to the matrix `add`; b may be None."""
    k, n = Kernels(isa, A.dtype), A.shape[1]
    a, z = k.block(A), k.target(add, len(W), n)
    k.dense_forward(*W.shape, n, W, b, a, add is not None, z, apart(a))
    return k.samples(z, n)


def dense_backward(W, D, factor=None, add=None, isa=None):
    """W' D plus the matrix `add`, times `factor` element by element."""
    k, n = Kernels(isa, D.dtype), D.shape[1]
    d, e = k.block(D), k.target(add, W.shape[1], n)
    k.dense_backward(*W.shape, n, W, d, add is not None, k.block(factor), e, apart(d))
    return k.samples(e, n)


def dense_backward_part(W, D, factor=None, isa=None):
    """W' D, times `factor` element by element, for rows of W that lie anyhow apart, and rows of D two blocks apart."""
    k, n = Kernels(isa, D.dtype), D.shape[1]
    spread = np.full((2 * len(D) - 1, n), np.nan, D.dtype)
    spread[::2] = D
    d, e = k.block(spread), k.fresh(W.shape[1], n)
    k.dense_backward_part(*W.shape, n, W, apart(W), d, 2 * apart(d), k.block(factor), e, apart(e))
    return k.samples(e, n)


def dense_gradient(D, A, gW, gb, add=True, isa=None):
    """Set gW to D A' and gb, unless it is None, to the row sums of D, or add to them."""
    k = Kernels(isa, D.dtype)
    d = k.block(D, zeros=True)
    k.dense_gradient(*gW.shape, D.shape[1], d, k.block(A), add, gW, gb, apart(d))


def gram(L, R, add=None, isa=None):
    """The lower triangle of L R', added to that of the square matrix `add`."""
    k = Kernels(isa, L.dtype)
    x = k.block(L, zeros=True)
    C = np.full((len(L), len(L)), np.nan, L.dtype) if add is None else np.array(add)
    k.gram(*L.shape, x, k.block(R), apart(x), add is not None, C)
    return np.tril(C)


def product_gradient(D, X, Y, add=None, isa=None):
    """D (X * Y)', added to the matrix `add`."""
    k, (m, n), width = Kernels(isa, D.dtype), D.shape, len(X)
    d, x, y = k.block(D, zeros=True), k.block(X), k.block(Y)
    G = np.full((m, width), np.nan, D.dtype) if add is None else np.array(add)
    rows = (np.array([row.ctypes.data for row in block], np.intp) for block in (x, y))
    k.product_gradient(m, width, n, d, *rows, k.fresh(width, n), add is not None, G, apart(d))
    return G


def multiply(A, B, add=None, isa=None):
    """A B element by element, added to the matrix `add`."""
    k = Kernels(isa, A.dtype)
    c = k.target(add, *A.shape)
    k.multiply(*A.shape, k.block(A), k.block(B), add is not None, c, apart(c))
    return k.samples(c, A.shape[1])


def multiply_rows(x, Y, add=None, isa=None):
    """x[s] Y[i, s], added to the matrix `add`."""
    k = Kernels(isa, Y.dtype)
    p = k.target(add, *Y.shape)
    k.multiply_rows(*Y.shape, k.block(x), k.block(Y), add is not None, p, apart(p))
    return k.samples(p, Y.shape[1])


def rows_forward(W, b, A, isa=None):
    """A W' + b for row-major samples."""
    Z = np.empty((len(A), len(W)), A.dtype)
    if len(A):  # one to eight
        Kernels(isa, A.dtype).rows_forward(len(A), *W.shape, W, b, A, Z)
    return Z


# ---- rows and blocks ----


def load_rows(X, index=None, isa=None):
    """The transposed rows of X, or those of the index, in whole vectors."""
    k, n = Kernels(isa, X.dtype), len(X if index is None else index)
    block = k.fresh(X.shape[1], n)
    k.load_rows(n, X.shape[1], X, index, block, apart(block))
    return k.samples(block, k.whole(n))


def load_labels(labels, index, ones, isa=None):
    """Ones where a class, of as many as `ones`, is the label of a sample, or of the index's; whole vectors."""
    k, n = Kernels(isa, ones.dtype), len(labels if index is None else index)
    block = k.fresh(len(ones), n)
    k.load_labels(n, len(ones), labels, index, block, apart(block))
    return k.samples(block, k.whole(n))


def store_rows(block, X, isa=None):
    """Write the transposed block into the columns of X that come first; rows are contiguous."""
    k, (width, n) = Kernels(isa, X.dtype), block.shape
    b = k.block(block)
    if n:
        k.store_rows(n, width, b, X, apart(X), apart(b))


def store_outer(D, A, J, isa=None):
    """Write d_i a_j and, after them, d_i of each row into the columns of J that come first; rows are contiguous."""
    Kernels(isa, J.dtype).store_outer(D.shape[1], A.shape[1], len(D), D, A, J, apart(J))


# ---- outputs and losses ----


def softmax(Z, isa=None):
    """exp Z over its column sums."""
    k = Kernels(isa, Z.dtype)
    z = k.block(Z)
    k.softmax(*Z.shape, z, z, apart(z))
    return k.samples(z, Z.shape[1])


def softmax_row(z, isa=None):
    """exp z over its sum."""
    y = np.array(z)
    Kernels(isa, z.dtype).softmax_row(y.size, y)
    return y


def softmax_product(Y, U, RY=None, isa=None):
    """The product of softmax's Jacobian at the outputs Y with U, or with RY the tangent of that product."""
    k = Kernels(isa, Y.dtype)
    y, u, p = k.block(Y), k.block(U), k.fresh(*Y.shape)
    if RY is None:
        k.softmax_product(*Y.shape, y, u, p, apart(y))
    else:
        k.softmax_product_tangent(*Y.shape, y, k.block(RY), u, p, apart(y))
    return k.samples(p, Y.shape[1])


def loss_gradient(name, Z, T, Y=None, d1=None, weight=None, scale=None, precision=None, isa=None):
    """(value per sample, gradient at the logits)."""
    k, kind = Kernels(isa, Z.dtype), kernels.loss_names.index(name)
    z, values, deltas = k.block(Z), k.fresh(1, Z.shape[1]), k.fresh(*Z.shape)
    y, h1, t, w, p = map(k.block, (Y, d1, T, weight, precision))
    k.loss_gradient(kind, *Z.shape, z, y, h1, t, w, scale, p, values, deltas, apart(z))
    return k.samples(values, Z.shape[1])[0], k.samples(deltas, Z.shape[1])


def loss_hessp(name, Z, T, RZ, ggn=False, Y=None, d1=None, d2=None, weight=None, scale=None, precision=None, isa=None):
    """Product of the loss's Hessian (or Gauss-Newton matrix) at the logits with RZ, sample by sample."""
    k, kind = Kernels(isa, Z.dtype), kernels.loss_names.index(name)
    z, product = k.block(Z), k.fresh(*Z.shape)
    y, h1, h2, t, w, p, rz = map(k.block, (Y, d1, d2, T, weight, precision, RZ))
    k.loss_hessp(kind, ggn, *Z.shape, z, y, h1, h2, t, w, scale, p, rz, product, apart(z))
    return k.samples(product, Z.shape[1])


# ---- vectors of parameters ----


def vector(name, x, y=None, isa=None):
    """The named operation on vectors, on a copy: add (y + x), add_multiple (y - 2 x), log1p (of x)."""
    k, result = Kernels(isa, x.dtype), np.array(x if y is None else y)
    getattr(k, name)(x.size, *([-2.0] if name == "add_multiple" else []), x, result)
    return result


def dot(x, y, isa=None):
    """x'y."""
    return Kernels(isa, x.dtype).dot(x.size, x, y)


def decay(coefficients, w, g, scale, factor, isa=None):
    """(sum coefficients/2 w^2, scale g + factor coefficients w)."""
    result = np.array(g)
    return Kernels(isa, g.dtype).decay(g.size, scale, factor, coefficients, w, result), result


def sgd_step(g, v, w, scale, rate, momentum, nesterov, isa=None):
    """(v, w) after a step along the gradient g."""
    velocity, params = np.array(v), np.array(w)
    Kernels(isa, g.dtype).sgd_step(g.size, scale, rate, momentum, nesterov, g, velocity, params)
    return velocity, params


def adam_step(g, m, v, w, scale, rate, correction, b1, b2, epsilon, isa=None):
    """(m, v, w) after a step along the gradient g."""
    state = np.array(m), np.array(v), np.array(w)
    means = b1, 1 - b1, b2, 1 - b2
    Kernels(isa, g.dtype).adam_step(g.size, scale, rate, correction, *means, epsilon, g, *state)
    return state


def finite(x, isa=None):
    """Whether no number is infinite or nan."""
    return bool(Kernels(isa, x.dtype).finite(x.size, x))


# ---- Cholesky factors and roots ----


def cholesky_factor(A, isa=None, first=0, last=-1):
    """Put L in the lower triangle of A, whose rows are contiguous; 0, or the number of the pivot that failed."""
    return Kernels(isa, A.dtype).cholesky_factor(len(A), A, apart(A), first, last)


def cholesky_solve(L, B, parts="forward backward", isa=None):
    """Put L^-1 b and, or, L'^-1 of that in place of each row b of B; rows are contiguous."""
    k = Kernels(isa, L.dtype)
    for part in parts.split() if B.size else ():
        getattr(k, f"cholesky_{part}")(len(L), L, apart(L), len(B), B, apart(B))


def packed(S, lower, n_rows, isa):
    """(kernels, panels of S, work space for rows): what products with roots are formed from."""
    k, n = Kernels(isa, S.dtype), len(S)
    panels = np.empty((n + kernels.PANEL) * (n + 2 * kernels.PANEL) // 2, S.dtype)
    if n and n_rows:
        k.pack_root(lower, n, S, apart(S), panels)
    return k, panels, np.empty(n_rows * kernels.PANEL, S.dtype)


def root_squares(S, J, isa=None):
    """|S'j|^2 for the rows j of J; rows are contiguous."""
    sums = np.empty(len(J), S.dtype)
    k, panels, V = packed(S, False, len(J), isa)
    if J.size:
        k.root_squares(len(S), panels, len(J), J, apart(J), V, sums)
    return sums


def root_products(S, J, lower, isa=None):
    """J S, or J S'; rows are contiguous."""
    k, panels, V = packed(S, lower, len(J), isa)
    P = np.full((len(J), len(S) + 1), np.nan, S.dtype)
    if J.size:
        k.root_products(lower, len(S), panels, len(J), J, apart(J), V, P, apart(P))
    assert np.isnan(P[:, -1]).all()  # what lies between rows is left alone
    return P[:, :-1]
