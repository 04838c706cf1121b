"""Outputs: all rows in strips, and a path for one to eight rows where all kinds of layers have one.

`Function.plain` looks at its argument itself: no conversion, no views, every check made. `plain_first` puts it before
the method that Python calls, so that one row meets no interpreted line.
"""

from functools import wraps

cimport numpy as cnp
from cython cimport final, floating
from libc.stdlib cimport free, malloc

from fastmlp._core.bridge cimport kernels, layout_ops, unit_ops, vector_ops
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.storage.arrays cimport RELEASE_NUMBERS, data, native
from fastmlp._core.storage.memory cimport ceil_to_power
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines
from fastmlp._core.sums.block cimport Block, Source, inputs, load
from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.sums.plan cimport RELEASE_WORK, SOFTMAX, Net, Plan, ceil_div
from fastmlp._core.sums.slots cimport Pass, Step

cnp.import_array()


# ---- all rows ----

cdef double block_values(const Pass *job, const Block *b, floating *work, floating *Y) noexcept nogil:
    """Outputs of a block."""
    cdef size_t K = b.net.n_outputs
    load(b, work)
    sweeps.fprop(b, work, 0)
    sweeps.output(b, work, 0)
    layout_ops.store_rows(b.net.ops, b.n, K, <const floating *> work + b.at.y * b.ld, Y + b.first * K, K, b.ld)
    return 0.0


cdef int all_rows(Plan plan, const floating *params, const floating *X, size_t n, floating *Y,
                  int n_threads) except -1:
    cdef Source source = inputs(n, X)
    cdef Pass job
    slots.prepare(&job, <Step> &block_values[floating], &plan.net, &plan.net.values, &source, plan.strips(n))
    job.block.params, job.sums = params, Y
    slots.run(&job, n_threads, &plan.choice)
    return 0


# ---- one to eight rows ----

cdef enum:
    FEW_ROWS = 8                # they go the same way whatever they lie in: one path for each number of rows
    STACK_NUMBERS = 2048        # two buffers of this many numbers lie on the stack


cdef void rows_values(const Net *net, const floating *params, const floating *X, size_t n, size_t numbers,
                      floating *even, floating *Y) noexcept nogil:
    """Outputs of a few row-major samples; activations alternate between two buffers of so many numbers, whole vectors
    of them, behind which there is room for what layers need.
    """
    cdef int l
    cdef size_t s, whole
    cdef const Layer *layer
    cdef const floating *a = X
    cdef floating *odd = even + numbers
    cdef floating *room = odd + numbers
    cdef floating *z
    for l in range(net.n_layers):
        layer = &net.layers[l]
        z = odd if l % 2 else even
        layer.products.rows(net.ops, layer, n, params + layer.W, params + layer.b, a, z, room)
        if layer.activation == SOFTMAX:
            for s in range(n):
                unit_ops.softmax_row(net.ops, layer.n_out, z + s * layer.n_out)
        elif layer.activation != kernels.FMLP_ACTIVATION_identity:
            whole = ceil_to_power(n * layer.n_out, net.lanes)
            for s in range(n * layer.n_out, whole):
                z[s] = 0
            unit_ops.activation(net.ops, layer.activation, whole, <const floating *> z, z, <floating *> NULL,
                                <floating *> NULL)
        a = z
    for s in range(n * net.n_outputs):
        Y[s] = a[s]


cdef int few_rows(const Net *net, const floating *params, const floating *X, size_t n, floating *Y) except -1:
    cdef floating stack[2 * STACK_NUMBERS]
    cdef floating *even = stack
    cdef void *memory = NULL
    cdef size_t numbers = n * net.max_width + net.lanes
    if numbers > STACK_NUMBERS or net.room > 0:
        numbers = ceil_div(numbers, FMLP_PAD) * FMLP_PAD
        memory = malloc((2 * numbers + net.room) * sizeof(floating) + ALIGNMENT)
        if memory == NULL:
            raise MemoryError("no memory for the activations of a few rows")
        even = <floating *> lines(<size_t> memory)
    if n * net.work < RELEASE_WORK:
        rows_values(net, params, X, n, numbers, even, Y)
    else:
        with nogil:
            rows_values(net, params, X, n, numbers, even, Y)
    if memory != NULL:
        free(memory)
    return 0


# ---- what Python calls ----

cdef inline int rows(Plan plan, const floating *params, const floating *X, size_t n, floating *Y,
                     int n_threads) except -1:
    if n <= FEW_ROWS and plan.net.has_rows:
        return few_rows(&plan.net, params, X, n, Y)
    return all_rows(plan, params, X, n, Y, n_threads)


def predict(Plan plan, cnp.ndarray params, cnp.ndarray X, cnp.ndarray Y, int n_threads):
    """Fill Y (n, n_outputs) with the outputs for X; arguments are trusted."""
    cdef size_t n = cnp.PyArray_DIM(X, 0)
    if plan.net.itemsize == sizeof(float):
        rows(plan, <const float *> data(params), <const float *> data(X), n, <float *> data(Y), n_threads)
    else:
        rows(plan, <const double *> data(params), <const double *> data(X), n, <double *> data(Y), n_threads)


cdef inline bint overlap(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether any byte belongs to both of two contiguous arrays."""
    cdef size_t i = <size_t> data(a), j = <size_t> data(b)
    return i < j + cnp.PyArray_NBYTES(b) and j < i + cnp.PyArray_NBYTES(a)


cdef inline bint takes(object out, int typenum, int n_axes, cnp.npy_intp *shape) noexcept:
    """Whether `out` is a plain array of this shape, of one or two axes, that outputs may be written to."""
    return (native(out, typenum) and cnp.PyArray_NDIM(out) == n_axes and cnp.PyArray_DIM(out, 0) == shape[0]
            and cnp.PyArray_DIM(out, n_axes - 1) == shape[n_axes - 1] and cnp.PyArray_ISWRITEABLE(out))


cdef inline bint are_samples(const Net *net, cnp.ndarray X) noexcept:
    """Whether this is one sample (n_inputs,), rows, or samples in their shape, without an axis for a single channel of
    images if you like.
    """
    cdef int n_axes = cnp.PyArray_NDIM(X) - 1, i
    cdef int left_out = net.n_axes - n_axes
    if n_axes == 0:
        return <size_t> cnp.PyArray_DIM(X, 0) == net.n_inputs
    if n_axes == 1 and <size_t> cnp.PyArray_DIM(X, 1) == net.n_inputs:
        return True
    if n_axes < 2 or not (left_out == 0 or (left_out == 1 and net.n_axes == 3 and net.inputs[0] == 1)):
        return False
    for i in range(n_axes):
        if <size_t> cnp.PyArray_DIM(X, i + 1) != net.inputs[i + left_out]:
            return False
    return True


cdef inline int finite_rows(Plan plan, const floating *params, const floating *X, size_t n, floating *Y) except -1:
    """As `rows`, by one thread, where all numbers of X are finite: whether they are."""
    cdef size_t numbers = n * plan.net.n_inputs
    cdef bint are_finite
    if numbers < RELEASE_NUMBERS:
        are_finite = vector_ops.finite(plan.net.ops, numbers, X)
    else:
        with nogil:
            are_finite = vector_ops.finite(plan.net.ops, numbers, X)
    if are_finite:
        rows(plan, params, X, n, Y, 1)
    return are_finite


@final
cdef class Function:
    """What a network computes: a plan and parameters, in one object, since each one costs a call time to look up.

    Parameters
    ----------
    plan : Plan
    params : ndarray of shape (n_params,)
        Of the network's type; read at each call.
    """

    cdef Plan plan
    cdef cnp.ndarray params

    def __cinit__(self, Plan plan not None, cnp.ndarray params not None):
        self.plan, self.params = plan, params

    cpdef plain(self, X, out=None, bint alone=False):
        """Outputs (n, n_outputs) for plain X of little work, in `out` if it is plain too; None for all else.

        Plain is an ndarray of rows, or of samples in their shape, of the network's type, aligned, C-contiguous and
        finite, as `out` one of (n, n_outputs) that may be written to and overlaps nothing; work is little where one
        thread does it, as it does any `alone`. One sample (n_inputs,) has outputs (n_outputs,).
        """
        cdef int typenum = cnp.PyArray_TYPE(self.params)
        cdef const Net *net = &self.plan.net
        cdef cnp.npy_intp shape[2]
        cdef cnp.npy_intp *own
        cdef int n_axes
        cdef bint done
        if not native(X, typenum) or not are_samples(net, X):
            return None
        n_axes = 1 if cnp.PyArray_NDIM(X) == 1 else 2
        shape[0] = 1 if n_axes == 1 else cnp.PyArray_DIM(X, 0)
        shape[1] = net.n_outputs
        own = shape + 2 - n_axes
        if not alone and self.plan.threads(shape[0], 1, 2) > 1:
            return None
        if out is None:
            Y = cnp.PyArray_SimpleNew(n_axes, own, typenum)
        elif takes(out, typenum, n_axes, own) and not overlap(out, X) and not overlap(out, self.params):
            Y = out
        else:
            return None
        if net.itemsize == sizeof(float):
            done = finite_rows(self.plan, <const float *> data(self.params), <const float *> data(X), shape[0],
                               <float *> data(Y))
        else:
            done = finite_rows(self.plan, <const double *> data(self.params), <const double *> data(X), shape[0],
                               <double *> data(Y))
        return Y if done else None


def plain_first(careful):
    """Decorate a network's `predict`: plain X for one thread is taken at once, all else by the method itself."""
    def predict(self, X, *, out=None, n_threads=None):
        cdef Function function
        if n_threads is None or (type(n_threads) is int and n_threads == 1):
            function = self._function
            Y = function.plain(X, out, n_threads is not None)
            if Y is not None:
                return Y
        return careful(self, X, out=out, n_threads=n_threads)
    return wraps(careful)(predict)
