"""The loss of a batch and its gradient, by one pass over the samples.

Arguments are trusted: native arrays of the network's type, finite, of matching shapes (`_validation` sees to it);
`bind_plain` alone looks for itself.
"""

cimport numpy as cnp
from cython cimport floating

from fastmlp._core.bridge cimport kernels, layout_ops
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.threads cimport choice, team
from fastmlp._core.storage.arrays cimport RELEASE_NUMBERS, data, finite, native, own
from fastmlp._core.sums.block cimport Block, load
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Net, Partition, Plan
from fastmlp._core.sums.slots cimport Pass, Step

cnp.import_array()


cdef double block_loss(const Pass *job, const Block *b, floating *work, floating *gradient) noexcept nogil:
    """The loss of a block; its gradient and, at `more`, the losses of all samples, where they are not NULL."""
    cdef floating *losses = <floating *> job.more
    cdef double value
    load(b, work)
    sweeps.fprop(b, work, 1)
    value = sweeps.loss(b, work, gradient != NULL)
    if gradient != NULL and team.keep_on(b.watch, (GRADIENT_WORK - 1) * b.n * b.net.work):
        sweeps.bprop(b, work, gradient)
    if losses != NULL:
        layout_ops.store_rows(b.net.ops, b.n, 1, <const floating *> work + b.at.value * b.ld, losses + b.first, 1, b.ld)
    return value


cdef void prepare_loss(Pass *job, const Net *net, const Source *source, Partition parts, bint gradient) noexcept nogil:
    cdef Step step = <Step> &block_loss[float] if net.itemsize == sizeof(float) else <Step> &block_loss[double]
    slots.prepare(job, step, net, &net.gradient, source, parts)
    if gradient:
        job.n_sums = job.n_added = net.n_params
        job.work *= GRADIENT_WORK


cdef class Batch:
    """Samples bound to a network: the function that training minimises.

    Parameters
    ----------
    plan : Plan
    X : ndarray of shape (n, n_inputs)
    T : ndarray of shape (n, n_outputs), or None
    labels : ndarray of intp of shape (n,), or None
    precision : ndarray of shape (n, n_outputs), or None
        Of each target, with squared error.
    weight : ndarray of shape (n,), or None
        Of the samples.
    scale : ndarray of shape (n_outputs,), or None
        Of the outputs, with squared error.
    units : ndarray of float64 of shape (3, n_inputs), optional
        Shifts, units and slacks of the columns of X, in which the network sees them: see `Source`.

    X may be float32 where the network is float64.
    """

    def __cinit__(self, Plan plan not None, cnp.ndarray X not None, T, labels, precision, weight, scale, units=None):
        self.plan = plan
        self.choice = self.choice_of_matrices = choice.fresh()
        self.arrays = (X, T, labels, precision, weight, scale, units)
        cdef const double *columns = <const double *> data(units)
        self.source.n = cnp.PyArray_DIM(X, 0)
        self.source.index = NULL
        self.source.X = data(X)
        self.source.narrow = plan.net.itemsize == sizeof(double) and cnp.PyArray_TYPE(X) == cnp.NPY_FLOAT32
        if columns != NULL:
            self.source.shift, self.source.unit = columns, columns + plan.net.n_inputs
            self.source.slack = columns + 2 * plan.net.n_inputs
        self.source.T = data(T)
        self.source.labels = <const Py_ssize_t *> data(labels)
        self.source.precision = data(precision)
        self.source.weight = data(weight)
        self.source.scale = data(scale)
        self.small = plan.threads(self.source.n, GRADIENT_WORK, 2) == 1

    cdef double run(self, const void *params, void *gradient, void *sample_losses, int n_threads) except? -1:
        cdef Pass job
        prepare_loss(&job, &self.plan.net, &self.source, self.plan.partition(self.source.n), gradient != NULL)
        job.block.params, job.sums, job.more = params, gradient, sample_losses
        return slots.run(&job, n_threads, &self.choice)

    def loss(self, cnp.ndarray params not None, int n_threads, sample_losses=None):
        """Sum of losses as a float; fills `sample_losses` (n,) where it is given."""
        return self.run(data(params), NULL, data(sample_losses), n_threads)

    def loss_and_grad(self, cnp.ndarray params not None, int n_threads):
        """(Sum of losses, its gradient (P,))."""
        cdef cnp.npy_intp n_params = self.plan.net.n_params
        gradient = cnp.PyArray_EMPTY(1, &n_params, cnp.PyArray_TYPE(params), 0)
        return self.run(data(params), data(gradient), NULL, n_threads), gradient


cdef inline cnp.ndarray kept(cnp.ndarray array):
    """The array as it is for the time of binding: a view of a large one, since others run while that is looked at."""
    return own(array) if cnp.PyArray_SIZE(array) >= RELEASE_NUMBERS else array


def bind_plain(Plan plan not None, X, T):
    """The Batch of X and T where they need no second look, None for all else.

    That is squared error, and plain arrays (n, n_inputs) and (n, n_outputs) or, for one output, (n,) of the network's
    type, aligned, C-contiguous and finite.
    """
    cdef const Net *net = &plan.net
    cdef int typenum = cnp.NPY_FLOAT32 if net.itemsize == sizeof(float) else cnp.NPY_FLOAT64
    if net.loss != kernels.FMLP_LOSS_squared_error or not native(X, typenum) or not native(T, typenum):
        return None
    cdef cnp.ndarray x = kept(X), t = kept(T)
    if cnp.PyArray_NDIM(x) != 2 or <size_t> cnp.PyArray_DIM(x, 1) != net.n_inputs:
        return None
    if cnp.PyArray_NDIM(t) == 2:
        if <size_t> cnp.PyArray_DIM(t, 1) != net.n_outputs:
            return None
    elif cnp.PyArray_NDIM(t) != 1 or net.n_outputs != 1:
        return None
    if cnp.PyArray_DIM(t, 0) != cnp.PyArray_DIM(x, 0) or not finite(x) or not finite(t):
        return None
    return Batch(plan, x, t, None, None, None, None)
