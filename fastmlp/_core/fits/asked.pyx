"""Terms of an objective that are written in Python.

`Asked` asks for their values and gradients, and takes plain answers as they are: where a term takes a microsecond, so
would a look at its answer in Python. A solver that runs without the GIL asks an object for all terms, an `Asked` of a
subclass, which has, of free parameters p (n,) that are its own,

    value(p)            a float
    value_and_grad(p)   and an array (n,) of double
    matrix(p, kind)     an array (n, n) of double, symmetric to rounding; kind is "exact" or "ggn"

Samples that come in chunks are another such object, which has the loss of all of them: value, value_and_grad, and

    with_matrix(p, kind)    value, gradient and matrix in one pass over the samples

What these raise ends the fit at its latest step, as signals do: the exception waits in the thread's state, no block of
samples and no term is computed any more, and `team.check` raises it.
"""

from libc.math cimport INFINITY, NAN, isfinite
from libc.string cimport memcpy

from numpy import zeros

cimport numpy as cnp
from fastmlp._core.bridge cimport kernels, vector_ops
from fastmlp._core.storage.arrays cimport data, finite, native, own, vector
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.bridge.kernels import isa_index
from fastmlp._core.storage.arrays import same

cnp.import_array()

cdef extern from "Python.h":
    void PyErr_SetObject(object, object) noexcept    # left where it is, for `check`


cdef const void *_ops = kernels.table(isa_index(None), sizeof(double))

cdef enum:
    REMEMBERED = 4      # latest values, among which is that of the step which a solver reports


cdef class Asked:
    """Terms in Python, added up and seen through the map from the free parameters, p (n,).

    Points are taken as they are, for good: nobody else is to change them. Answers other than a float, and finite
    arrays (P,) and (P, P) of double, are left to a subclass, which has

        number(term, answer)                a value
        pair(term, answer, P)               a value and a gradient
        array(term, name, answer, shape)    a matrix
        matrices                            by kind the names of what is taken for it, the first that a term has
        matrix_by_products(term, w, kind)   it for a term that has none
        product(term, w, v, kind)           its product with v (P,), for a term that has no `hessp` or `ggnp`

    Parameters
    ----------
    terms : tuple of Term
    free : FreeParameters or None
    """

    cdef readonly tuple terms
    cdef readonly object free
    cdef list latest            # pairs of points and values
    cdef size_t n_noted

    def __cinit__(self, tuple terms not None, free):
        self.terms, self.free = terms, free
        self.latest, self.n_noted = [None] * REMEMBERED, 0

    def __reduce__(self):
        return type(self), (self.terms, self.free)

    def value(self, cnp.ndarray p not None):
        """The terms at p; inf where the parameters are not finite."""
        cdef cnp.ndarray w = p if self.free is None else self.free.expand(p)
        cdef double total = 0.0
        for term in self.terms:
            total += self.value_of(term, cnp.PyArray_SIZE(w), <const double *> data(w))
        self.note(p, total)
        return total

    def value_and_grad(self, cnp.ndarray p not None):
        """The terms and their gradient (n,), zeros where a value is infinite."""
        cdef cnp.ndarray w = p if self.free is None else self.free.expand(p)
        cdef double total = 0.0
        gradient = None
        for term in self.terms:
            value, slope = self.pair_of(term, cnp.PyArray_SIZE(w), <const double *> data(w))
            total += <double> value
            gradient = slope if gradient is None else gradient + slope
        self.note(p, total)
        return total, gradient if self.free is None else self.free.pull(gradient)

    def matrix(self, cnp.ndarray p not None, str kind):
        """The sum of their Hessians, or Gauss-Newton matrices (n, n), symmetric to rounding."""
        cdef cnp.ndarray w = p if self.free is None else self.free.expand(p)
        total = None
        for term in self.terms:
            one = self.matrix_of(term, cnp.PyArray_SIZE(w), <const double *> data(w), kind)
            total = one if total is None else total + one
        return total if self.free is None else self.free.project(total)

    def product_of(self, term, cnp.ndarray w not None, cnp.ndarray v not None, str kind):
        """The product of one term's matrix at w (P,) with v (P,)."""
        cdef cnp.npy_intp n = cnp.PyArray_SIZE(w)
        cdef str name = self.matrices[kind][0] + "p"
        method = getattr(term, name, None)
        if not callable(method):
            return self.product(term, w, v, kind)
        answer = method(w.copy(), v.copy())
        if native(answer, cnp.NPY_FLOAT64):
            answer = own(answer)
            if cnp.PyArray_NDIM(answer) == 1 and cnp.PyArray_DIM(answer, 0) == n and finite(answer):
                return answer
        return self.array(term, name, answer, (n,))

    def known(self, cnp.ndarray p not None):
        """The terms at p, without asking again where that was one of the latest points."""
        for noted in self.latest:
            if noted is not None and same(noted[0], p):
                return noted[1]
        return self.value(p.copy())

    cdef int note(self, cnp.ndarray p, double value) except -1:
        self.latest[self.n_noted % REMEMBERED] = (p, value)
        self.n_noted += 1
        return 0

    cdef double value_of(self, term, cnp.npy_intp n, const double *w) except? -1:
        """Of one term, as what follows."""
        if not vector_ops.finite(_ops, n, w):
            return INFINITY
        answer = term.value(vector(n, w))
        cdef double value = <double> answer if isinstance(answer, float) else NAN
        return value if value == value else self.number(term, answer)

    cdef tuple pair_of(self, term, cnp.npy_intp n, const double *w):
        if not vector_ops.finite(_ops, n, w):
            return INFINITY, zeros(n)
        answer = term.value_and_grad(vector(n, w))
        if type(answer) is tuple and len(<tuple> answer) == 2:
            value, slope = <tuple> answer
            if isinstance(value, float) and isfinite(<double> value) and native(slope, cnp.NPY_FLOAT64):
                slope = own(slope)
                if cnp.PyArray_NDIM(slope) == 1 and cnp.PyArray_DIM(slope, 0) == n and finite(slope):
                    return value, slope
        return self.pair(term, answer, n)

    cdef object matrix_of(self, term, cnp.npy_intp n, const double *w, str kind):
        for name in self.matrices[kind]:
            method = getattr(term, name, None)
            if not callable(method):
                continue
            answer = method(vector(n, w))
            if native(answer, cnp.NPY_FLOAT64) and cnp.PyArray_NDIM(answer) == 2:
                answer = own(answer)
                if cnp.PyArray_DIM(answer, 0) == n and cnp.PyArray_DIM(answer, 1) == n and finite(answer):
                    return answer
            return self.array(term, name, answer, (n, n))
        return self.matrix_by_products(term, vector(n, w), kind)


# ---- for the compiled loops ----

cdef const double *numbers(object array, size_t rows, size_t columns) except NULL:
    """Those of a plain array (rows, columns) of double, or (rows,) where columns are 1."""
    if not native(array, cnp.NPY_FLOAT64) or <size_t> cnp.PyArray_SIZE(<cnp.ndarray> array) != rows * columns:
        raise ValueError(f"terms: expected an array of {rows * columns} numbers in float64, got another")
    return <const double *> data(array)


cdef double ask(object terms, size_t n, const double *x, double *g, double *B, bint exact) except? -1:
    cdef Asked asked = terms if isinstance(terms, Asked) else None
    cdef cnp.ndarray p = None
    cdef const double *gradient
    cdef const double *matrix
    cdef double value
    cdef size_t i, j
    cdef str kind = "exact" if exact else "ggn"
    term = None if asked is None or asked.free is not None or len(asked.terms) > 1 else asked.terms[0]
    if term is None:        # else, as is the rule, one term of these very parameters, which can do without p
        p = vector(n, x)
    if g == NULL:
        return terms.value(p) if term is None else asked.value_of(term, n, x)
    value, slope = terms.value_and_grad(p) if term is None else asked.pair_of(term, n, x)
    gradient = numbers(slope, n, 1)
    for i in range(n):
        g[i] += gradient[i]
    if B == NULL:
        return value
    curvature = terms.matrix(p, kind) if term is None else asked.matrix_of(term, n, x, kind)
    matrix = numbers(curvature, n, n)
    for i in range(n):
        for j in range(i + 1):
            B[i * n + j] += 0.5 * (matrix[i * n + j] + matrix[j * n + i])
    return value


cdef double ask_chunks(object chunks, size_t n, const double *x, double *g, double *B, bint exact) except? -1:
    cdef cnp.ndarray p = vector(n, x)
    cdef size_t bytes = n * sizeof(double)
    if g == NULL:
        return chunks.value(p)
    if B == NULL:
        value, slope = chunks.value_and_grad(p)
    else:
        value, slope, matrix = chunks.with_matrix(p, "exact" if exact else "ggn")
        memcpy(B, numbers(matrix, n, n), n * bytes)
    memcpy(g, numbers(slope, n, 1), bytes)
    return value


ctypedef double (*Question)(object, size_t, const double *, double *, double *, bint) except? -1


cdef double guarded(Question question, void *asked, size_t n, const double *x, double *g, double *B, bint exact,
                    Watch *watch) noexcept with gil:
    try:
        return question(<object> asked, n, x, g, B, exact)
    except BaseException as error:
        watch.stopped = True
        PyErr_SetObject(type(error), error)
    return NAN


cdef double add(void *terms, size_t n, const double *x, double *g, double *B, bint exact, Watch *watch) noexcept nogil:
    return NAN if watch.stopped else guarded(ask, terms, n, x, g, B, exact, watch)


cdef double loss(void *chunks, size_t n, const double *x, double *g, double *B, bint exact,
                 Watch *watch) noexcept nogil:
    return NAN if watch.stopped else guarded(ask_chunks, chunks, n, x, g, B, exact, watch)
