"""Test faces of the C kernels, one to one, so that each can be tested alone, on each instruction set and type.

Matrices are feature-major as in `src_c`: unit by sample. Inputs are copied into padded blocks, results are returned as
new arrays. Nothing in the library uses this module.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.threads cimport choice
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.curvature.tiles cimport COLS
from fastmlp._core.threads.choice cimport Choice

from fastmlp._core.bridge.kernels import activation_names, isa_index, loss_names


def _whole(n, dtype, isa):
    """n rounded up to whole vectors: the columns of a block that kernels work on."""
    cdef size_t lanes = kernels.lanes(_ops(isa, dtype), dtype.itemsize)
    return -(-n // lanes) * lanes


def _block(matrix, isa, width=None, n=None, dtype=None, zeros=False):
    """A padded feature-major copy, columns up to whole vectors repeating the last one, or zeros; nan without a matrix.

    Beyond whole vectors, where no kernel is to read or write, all is nan; the memory ends with those of the last row.
    """
    if matrix is not None:
        (width, n), dtype = matrix.shape, matrix.dtype
    whole, ld = _whole(n, dtype, isa), max(1, -(-n // FMLP_PAD)) * FMLP_PAD
    memory = np.full((width - 1) * ld + whole if width else 0, np.nan, dtype)
    block = as_strided(memory, (width, ld), (ld * dtype.itemsize, dtype.itemsize))
    if matrix is not None and n:
        block[:, :n] = matrix
        block[:, n:whole] = 0 if zeros else matrix[:, -1:]
    return block


def _samples(block, n, isa):
    """The samples of a block, beyond whole vectors of which nothing was written."""
    assert np.isnan(block[:-1, _whole(n, block.dtype, isa):]).all()
    return block[:, :n]


cdef const floating *_first(const floating[:, ::1] block) noexcept:
    return &block[0, 0] if block is not None and block.shape[0] else NULL


cdef const void *_ops(isa, dtype) except NULL:
    return kernels.table(isa_index(isa), dtype.itemsize)


def activation(name, const floating[::1] z, order=2, isa=None):
    """(h, h', h'')[: order + 1] of the named activation at each z."""
    dtype = np.asarray(z).dtype
    outputs = [np.empty(z.shape[0], dtype) for _ in range(order + 1)]
    cdef floating[::1] h = outputs[0], d1 = outputs[min(1, order)], d2 = outputs[min(2, order)]
    cdef const void *ops = _ops(isa, dtype)
    cdef int kind = activation_names.index(name), highest = order
    if z.shape[0]:
        kernels.activation(ops, kind, z.shape[0], &z[0], &h[0], &d1[0] if highest > 0 else NULL,
                           &d2[0] if highest > 1 else NULL)
    return tuple(outputs)


def activation_third(name, const floating[::1] z, isa=None):
    """h''' of the named activation at each z."""
    dtype = np.asarray(z).dtype
    third = np.empty(z.shape[0], dtype)
    cdef floating[::1] d3 = third
    cdef const void *ops = _ops(isa, dtype)
    cdef int kind = activation_names.index(name)
    if z.shape[0]:
        kernels.activation_third(ops, kind, z.shape[0], &z[0], &d3[0])
    return third


def dense_forward(const floating[:, ::1] W, b, A, add=None, isa=None):
    """W A + b, added to the matrix `add`; b may be None."""
    cdef size_t n = A.shape[1]
    source, result = _block(A, isa), _block(add, isa, W.shape[0], n, A.dtype)
    cdef floating[:, ::1] a = source, z = result
    cdef const floating[::1] bias = b
    kernels.dense_forward(_ops(isa, A.dtype), W.shape[0], W.shape[1], n, &W[0, 0], &bias[0] if b is not None else NULL,
                          &a[0, 0], add is not None, &z[0, 0], a.shape[1])
    return _samples(result, n, isa)


def dense_backward(const floating[:, ::1] W, D, factor=None, add=None, isa=None):
    """W' D plus the matrix `add`, times `factor` element by element."""
    cdef size_t n = D.shape[1]
    source, result = _block(D, isa), _block(add, isa, W.shape[1], n, D.dtype)
    cdef floating[:, ::1] d = source, e = result
    cdef const floating[:, ::1] f = _optional(factor, isa)
    kernels.dense_backward(_ops(isa, D.dtype), W.shape[0], W.shape[1], n, &W[0, 0], &d[0, 0], add is not None,
                           _first(f), &e[0, 0], d.shape[1])
    return _samples(result, n, isa)


def dense_backward_part(const floating[:, :] W, D, factor=None, isa=None):
    """W' D, times `factor` element by element, for rows of W that lie anyhow apart, and rows of D two blocks apart."""
    cdef size_t n = D.shape[1]
    apart, result = np.full((2 * D.shape[0] - 1, n), np.nan, D.dtype), _block(None, isa, W.shape[1], n, D.dtype)
    apart[::2] = D
    cdef floating[:, ::1] d = _block(apart, isa), e = result
    cdef const floating[:, ::1] f = _optional(factor, isa)
    kernels.dense_backward_part(_ops(isa, D.dtype), W.shape[0], W.shape[1], n, &W[0, 0],
                                W.strides[0] // sizeof(floating), &d[0, 0], 2 * d.shape[1], _first(f), &e[0, 0],
                                e.shape[1])
    return _samples(result, n, isa)


def dense_gradient(D, A, floating[:, ::1] gW, gb, bint add=True, isa=None):
    """Set gW to D A' and gb, unless it is None, to the row sums of D, or add to them."""
    cdef size_t n = D.shape[1]
    cdef floating[:, ::1] d = _block(D, isa, zeros=True), a = _block(A, isa)
    cdef floating[::1] sums = gb
    kernels.dense_gradient(_ops(isa, D.dtype), gW.shape[0], gW.shape[1], n, &d[0, 0], &a[0, 0], add, &gW[0, 0],
                           &sums[0] if gb is not None else NULL, d.shape[1])


def gram(const floating[:, :] L, R, add=None, isa=None):
    """The lower triangle of L R', added to that of the square matrix `add`."""
    left = np.asarray(L)
    cdef size_t m = L.shape[0], n = L.shape[1]
    cdef floating[:, ::1] x = _block(left, isa, zeros=True), y = _block(R, isa)
    cdef floating[:, ::1] c = np.full((m, m), np.nan, left.dtype) if add is None else np.array(add)
    kernels.gram(_ops(isa, left.dtype), m, n, &x[0, 0], &y[0, 0], x.shape[1], add is not None, &c[0, 0])
    return np.tril(c)


def product_gradient(const floating[:, :] D, X, Y, add=None, isa=None):
    """D (X * Y)', added to the matrix `add`; X and Y have at most COLS rows."""
    left = np.asarray(D)
    cdef size_t m = D.shape[0], samples = D.shape[1], n = X.shape[0], j
    cdef floating[:, ::1] d = _block(left, isa, zeros=True), x = _block(X, isa), y = _block(Y, isa)
    cdef floating[:, ::1] S = _block(None, isa, n, samples, left.dtype)
    cdef floating[:, ::1] G = np.full((m, n), np.nan, left.dtype) if add is None else np.array(add)
    cdef const floating *upper[COLS]
    cdef const floating *lower[COLS]
    for j in range(n):
        upper[j], lower[j] = &x[j, 0], &y[j, 0]
    kernels.product_gradient(_ops(isa, left.dtype), m, n, samples, &d[0, 0], <const floating *const *> upper,
                             <const floating *const *> lower, &S[0, 0], add is not None, &G[0, 0], d.shape[1])
    return np.asarray(G)


def multiply(const floating[:, :] A, B, add=None, isa=None):
    """A B element by element, added to the matrix `add`."""
    left = np.asarray(A)
    cdef size_t n = A.shape[1]
    result = _block(add, isa, A.shape[0], n, left.dtype)
    cdef const floating[:, ::1] a = _block(left, isa), b = _block(B, isa)
    cdef floating[:, ::1] c = result
    kernels.multiply(_ops(isa, left.dtype), a.shape[0], n, &a[0, 0], &b[0, 0], add is not None, &c[0, 0], a.shape[1])
    return _samples(result, n, isa)


def multiply_rows(x, const floating[:, :] Y, add=None, isa=None):
    """x[s] Y[i, s], added to the matrix `add`."""
    rows = np.asarray(Y)
    cdef size_t n = Y.shape[1]
    result = _block(add, isa, Y.shape[0], n, rows.dtype)
    cdef const floating[:, ::1] v = _block(x[None], isa), y = _block(rows, isa)
    cdef floating[:, ::1] p = result
    kernels.multiply_rows(_ops(isa, rows.dtype), y.shape[0], n, &v[0, 0], &y[0, 0], add is not None, &p[0, 0],
                          y.shape[1])
    return _samples(result, n, isa)


def load_rows(const floating[:, ::1] X, const Py_ssize_t[::1] index=None, isa=None):
    """The transposed rows of X, or those of the index, in whole vectors."""
    rows = np.asarray(X)
    cdef size_t n = X.shape[0] if index is None else index.shape[0]
    result = _block(None, isa, X.shape[1], n, rows.dtype)
    cdef floating[:, ::1] b = result
    kernels.load_rows(_ops(isa, rows.dtype), n, X.shape[1], &X[0, 0], &index[0] if index is not None else NULL,
                      &b[0, 0], b.shape[1])
    return _samples(result, _whole(n, rows.dtype, isa), isa)


def load_labels(const Py_ssize_t[::1] labels, const Py_ssize_t[::1] index, const floating[:] ones, isa=None):
    """Ones where a class, of as many as `ones`, is the label of a sample, or of the index's; whole vectors."""
    cdef size_t n = labels.shape[0] if index is None else index.shape[0]
    dtype = np.asarray(ones).dtype
    result = _block(None, isa, ones.shape[0], n, dtype)
    cdef floating[:, ::1] b = result
    kernels.load_labels(_ops(isa, dtype), n, b.shape[0], &labels[0], &index[0] if index is not None else NULL,
                        &b[0, 0], b.shape[1])
    return _samples(result, _whole(n, dtype, isa), isa)


def store_rows(const floating[:, :] block, X, isa=None):
    """Write the transposed block into the columns of X that come first; rows are contiguous."""
    cdef size_t n = block.shape[1]
    cdef const floating[:, ::1] b = _block(np.asarray(block), isa)
    cdef floating[:, :] x = X
    if n:
        kernels.store_rows(_ops(isa, X.dtype), n, b.shape[0], &b[0, 0], &x[0, 0], x.strides[0] // sizeof(floating),
                           b.shape[1])


def store_outer(const floating[:, ::1] D, const floating[:, ::1] A, J, isa=None):
    """Write d_i a_j and, after them, d_i of each row into the columns of J that come first; rows are contiguous."""
    cdef floating[:, :] j = J
    if D.shape[0]:
        kernels.store_outer(_ops(isa, J.dtype), D.shape[1], A.shape[1], D.shape[0], &D[0, 0], &A[0, 0], &j[0, 0],
                            j.strides[0] // sizeof(floating))


def rows_forward(const floating[:, ::1] W, const floating[::1] b, const floating[:, ::1] A, isa=None):
    """A W' + b for row-major samples."""
    result = np.empty((A.shape[0], W.shape[0]), np.asarray(A).dtype)
    cdef floating[:, ::1] z = result
    if A.shape[0]:
        kernels.rows_forward(_ops(isa, result.dtype), A.shape[0], W.shape[0], W.shape[1], &W[0, 0], &b[0], &A[0, 0],
                             &z[0, 0])
    return result


def softmax(const floating[:, :] Z, isa=None):
    """exp Z over its column sums."""
    logits = np.asarray(Z)
    cdef size_t n = Z.shape[1]
    source = _block(logits, isa)
    cdef floating[:, ::1] z = source
    kernels.softmax(_ops(isa, logits.dtype), Z.shape[0], n, &z[0, 0], &z[0, 0], z.shape[1])
    return _samples(source, n, isa)


def softmax_row(const floating[::1] z, isa=None):
    """exp z over its sum."""
    result = np.array(z)
    cdef floating[::1] y = result
    kernels.softmax_row(_ops(isa, result.dtype), z.shape[0], &y[0])
    return result


def softmax_product(const floating[:, :] Y, U, RY=None, isa=None):
    """The product of softmax's Jacobian at the outputs Y with U, or with RY the tangent of that product."""
    outputs = np.asarray(Y)
    cdef size_t n = Y.shape[1]
    result = _block(None, isa, Y.shape[0], n, outputs.dtype)
    cdef const floating[:, ::1] y = _block(outputs, isa), u = _block(U, isa), ry = _optional(RY, isa)
    cdef floating[:, ::1] p = result
    if RY is None:
        kernels.softmax_product(_ops(isa, outputs.dtype), y.shape[0], n, &y[0, 0], &u[0, 0], &p[0, 0], y.shape[1])
    else:
        kernels.softmax_product_tangent(_ops(isa, outputs.dtype), y.shape[0], n, &y[0, 0], &ry[0, 0], &u[0, 0],
                                        &p[0, 0], y.shape[1])
    return _samples(result, n, isa)


def _optional(matrix, isa):
    return None if matrix is None else _block(np.atleast_2d(matrix), isa)


def loss_gradient(name, const floating[:, :] Z, T, Y=None, d1=None, weight=None, scale=None, precision=None,
                  isa=None):
    """(value per sample, gradient at the logits)."""
    logits = np.asarray(Z)
    cdef size_t n = Z.shape[1]
    values, deltas = _block(None, isa, 1, n, logits.dtype), _block(None, isa, Z.shape[0], n, logits.dtype)
    cdef floating[:, ::1] z = _block(logits, isa), v = values, d = deltas
    cdef const floating[:, ::1] t = _block(T, isa), y = _optional(Y, isa), h1 = _optional(d1, isa)
    cdef const floating[:, ::1] w = _optional(weight, isa), c = None if scale is None else np.atleast_2d(scale)
    cdef const floating[:, ::1] p = _optional(precision, isa)
    cdef int kind = loss_names.index(name)
    kernels.loss_gradient(_ops(isa, logits.dtype), kind, Z.shape[0], n, &z[0, 0], _first(y), _first(h1),
                          _first(t), _first(w), _first(c), _first(p), &v[0, 0], &d[0, 0], z.shape[1])
    return _samples(values, n, isa)[0], _samples(deltas, n, isa)


def loss_hessp(name, const floating[:, :] Z, T, RZ, ggn=False, Y=None, d1=None, d2=None, weight=None, scale=None,
               precision=None, isa=None):
    """Product of the loss's Hessian (or Gauss-Newton matrix) at the logits with RZ, sample by sample."""
    logits = np.asarray(Z)
    cdef size_t n = Z.shape[1]
    result = _block(None, isa, Z.shape[0], n, logits.dtype)
    cdef floating[:, ::1] z = _block(logits, isa), rd = result
    cdef const floating[:, ::1] t = _block(T, isa), rz = _block(RZ, isa), y = _optional(Y, isa), h1 = _optional(d1, isa)
    cdef const floating[:, ::1] h2 = _optional(d2, isa), w = _optional(weight, isa)
    cdef const floating[:, ::1] c = None if scale is None else np.atleast_2d(scale), p = _optional(precision, isa)
    cdef int kind = loss_names.index(name), gauss_newton = ggn
    kernels.loss_hessp(_ops(isa, logits.dtype), kind, gauss_newton, Z.shape[0], n, &z[0, 0], _first(y), _first(h1),
                       _first(h2), _first(t), _first(w), _first(c), _first(p), _first(rz), &rd[0, 0], z.shape[1])
    return _samples(result, n, isa)


def vector(name, const floating[::1] x, y=None, isa=None):
    """The named operation on vectors, on a copy: add (y + x), add_multiple (y - 2 x), log1p (of x)."""
    result = np.array(x if y is None else y)
    cdef floating[::1] out = result
    cdef const void *ops = _ops(isa, result.dtype)
    if not out.shape[0]:
        return result
    if name == "add":
        kernels.add(ops, out.shape[0], &x[0], &out[0])
    elif name == "add_multiple":
        kernels.add_multiple(ops, out.shape[0], <floating> -2.0, &x[0], &out[0])
    elif name == "log1p":
        kernels.log1p(ops, out.shape[0], &x[0], &out[0])
    return result


def dot(const floating[::1] x, const floating[::1] y, isa=None):
    """x'y."""
    if not x.shape[0]:
        return 0.0
    return kernels.dot(_ops(isa, np.asarray(x).dtype), x.shape[0], &x[0], &y[0])


def decay(const floating[::1] coefficients, const floating[::1] w, g, scale, factor, isa=None):
    """(sum coefficients/2 w^2, scale g + factor coefficients w)."""
    result = np.array(g)
    cdef floating[::1] out = result
    if not out.shape[0]:
        return 0.0, result
    return kernels.decay(_ops(isa, result.dtype), out.shape[0], <floating> scale, <floating> factor,
                         &coefficients[0], &w[0], &out[0]), result


def sgd_step(const floating[::1] g, v, w, scale, rate, momentum, bint nesterov, isa=None):
    """(v, w) after a step along the gradient g."""
    velocity, params = np.array(v), np.array(w)
    cdef floating[::1] to_v = velocity, to_w = params
    if g.shape[0]:
        kernels.sgd_step(_ops(isa, params.dtype), g.shape[0], <floating> scale, <floating> rate, <floating> momentum,
                         nesterov, &g[0], &to_v[0], &to_w[0])
    return velocity, params


def adam_step(const floating[::1] g, m, v, w, scale, rate, correction, b1, b2, epsilon, isa=None):
    """(m, v, w) after a step along the gradient g."""
    first, second, params = np.array(m), np.array(v), np.array(w)
    cdef floating[::1] to_m = first, to_v = second, to_w = params
    if g.shape[0]:
        kernels.adam_step(_ops(isa, params.dtype), g.shape[0], <floating> scale, <floating> rate,
                          <floating> correction, <floating> b1, <floating> (1 - b1), <floating> b2,
                          <floating> (1 - b2), <floating> epsilon, &g[0], &to_m[0], &to_v[0], &to_w[0])
    return first, second, params


def finite(const floating[::1] x, isa=None):
    """Whether no number is infinite or nan."""
    cdef const floating *first = &x[0] if x.shape[0] else NULL
    return kernels.finite(_ops(isa, np.asarray(x).dtype), x.shape[0], first) != 0


def cholesky_factor(floating[:, :] A, isa=None, size_t first=0, size_t last=-1):
    """Put L in the lower triangle of A, whose rows are contiguous; 0, or the number of the pivot that failed."""
    dtype = np.asarray(A).dtype
    return kernels.cholesky_factor(_ops(isa, dtype), A.shape[0], &A[0, 0] if A.shape[0] else NULL,
                                   A.strides[0] // sizeof(floating), first, last)


def cholesky_solve(floating[:, :] L, floating[:, :] B, parts="forward backward", isa=None):
    """Put L^-1 b and, or, L'^-1 of that in place of each row b of B; rows are contiguous."""
    cdef const void *ops = _ops(isa, np.asarray(L).dtype)
    cdef size_t n = L.shape[0], ld = L.strides[0] // sizeof(floating), ldb = B.strides[0] // sizeof(floating)
    if not n or not B.shape[0]:
        return
    if "forward" in parts:
        kernels.cholesky_forward(ops, n, &L[0, 0], ld, B.shape[0], &B[0, 0], ldb)
    if "backward" in parts:
        kernels.cholesky_backward(ops, n, &L[0, 0], ld, B.shape[0], &B[0, 0], ldb)


def root_squares(floating[:, :] S, floating[:, :] J, isa=None):
    """|S'j|^2 for the rows j of J; rows are contiguous."""
    cdef size_t n = S.shape[0], m = J.shape[0], size = (n + kernels.FMLP_PANEL) * (n + 2 * kernels.FMLP_PANEL) // 2
    cdef const void *ops = _ops(isa, np.asarray(S).dtype)
    sums = np.empty(m, np.asarray(S).dtype)
    cdef floating[::1] out = sums, panels = np.empty(size, sums.dtype), V = np.empty(m * kernels.FMLP_PANEL, sums.dtype)
    if n and m:
        kernels.pack_root(ops, 0, n, &S[0, 0], S.strides[0] // sizeof(floating), &panels[0])
        kernels.root_squares(ops, n, &panels[0], m, &J[0, 0], J.strides[0] // sizeof(floating), &V[0], &out[0])
    return sums


def root_products(floating[:, :] S, floating[:, :] J, bint lower, isa=None):
    """J S, or J S'; rows are contiguous."""
    cdef size_t n = S.shape[0], m = J.shape[0], size = (n + kernels.FMLP_PANEL) * (n + 2 * kernels.FMLP_PANEL) // 2
    cdef const void *ops = _ops(isa, np.asarray(S).dtype)
    P = np.full((m, n + 1), np.nan, np.asarray(S).dtype)
    cdef floating[:, ::1] out = P
    cdef floating[::1] panels = np.empty(size, P.dtype), V = np.empty(m * kernels.FMLP_PANEL, P.dtype)
    if n and m:
        kernels.pack_root(ops, lower, n, &S[0, 0], S.strides[0] // sizeof(floating), &panels[0])
        kernels.root_products(ops, lower, n, &panels[0], m, &J[0, 0], J.strides[0] // sizeof(floating), &V[0],
                              &out[0, 0], n + 1)
    assert np.isnan(P[:, n]).all()  # what lies between rows is left alone
    return P[:, :n]


def choices(double together, double alone, size_t n_calls, double later=0.0):
    """Numbers of threads, of two, that a `Choice` makes for calls of so many seconds; `later` for together, halfway."""
    cdef Choice own = choice.fresh()
    cdef size_t call
    own.asks = False
    threads = []
    for call in range(n_calls):
        if later and call == n_calls // 2:
            together = later
        threads.append(choice.chosen(&own, 2))
        choice.note(&own, together if threads[call] == 2 else alone, 5e9 * alone)
    return threads
