"""The loss of a batch and its gradient: samples are cut into slots, slots spread over threads, sums added in order.

Arguments are trusted: native arrays of the network's type, finite, of matching shapes (`_validation` sees to it);
`bind_exact` alone looks for itself. The GIL is released wherever there is work worth it.
"""

cimport numpy as cnp
from cython cimport floating
from cython.parallel cimport parallel, threadid
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastmlp._core cimport kernels, sweeps, team
from fastmlp._core.arrays cimport data, finite, native, own
from fastmlp._core.memory cimport plus, times
from fastmlp._core.plan cimport GRADIENT_PASSES, RELEASE_WORK, Layout, Net, Partition, Plan
from fastmlp._core.team cimport Watch
from fastmlp._core.vectors cimport ALIGNMENT, lines

cnp.import_array()

cdef size_t scratch_bytes(const Net *net, size_t rows, Partition parts, int n_threads, size_t sums) noexcept nogil:
    """What workspaces of so many rows, and partial sums of so many numbers, take."""
    cdef size_t work = times(n_threads, lines(times(rows, parts.ld * net.itemsize)))
    cdef size_t partial = lines(times(sums, net.itemsize * (parts.n_slots - 1)))
    return plus(plus(work, partial), parts.n_slots * sizeof(double) + ALIGNMENT)


cdef void share_out(Scratch *scratch, const Net *net, size_t rows, Partition parts, int n_threads, size_t sums,
                    void *memory) noexcept nogil:
    """Put them into memory of `scratch_bytes`."""
    cdef size_t work = lines(rows * parts.ld * net.itemsize)
    scratch.memory = memory
    scratch.work_numbers = work // net.itemsize
    scratch.work = <void *> lines(<size_t> memory)
    scratch.partial = <char *> scratch.work + n_threads * work
    scratch.values = <double *> (<char *> scratch.partial + lines(sums * net.itemsize * (parts.n_slots - 1)))


cdef int reserve(Scratch *scratch, const Net *net, size_t rows, Partition parts, int n_threads,
                 size_t sums) except -1:
    """Allocate them; to be freed at `scratch.memory`."""
    cdef void *memory = malloc(scratch_bytes(net, rows, parts, n_threads, sums))
    if memory == NULL:
        raise MemoryError(f"no memory for the workspace of {n_threads} threads and {parts.n_slots} slots")
    share_out(scratch, net, rows, parts, n_threads, sums, memory)
    return 0


cdef inline const floating *rows_from(const floating *array, size_t first, size_t width,
                                      const Py_ssize_t *index) noexcept nogil:
    """The row-major array from row `first` on; with an index it is the index that moves on."""
    return array + (0 if index != NULL else first * width)


cdef void load(const Net *net, const Layout *at, const Source *source, size_t first, size_t n, floating *work,
               size_t ld) noexcept nogil:
    """Bring n samples into a block: inputs, targets, weights."""
    cdef const Py_ssize_t *index = source.index + first if source.index != NULL else NULL
    kernels.load_rows(net.ops, n, net.n_inputs, rows_from(<const floating *> source.X, first, net.n_inputs, index),
                      index, work + at.a[0] * ld, ld)
    if source.labels != NULL:
        kernels.load_labels(net.ops, n, net.n_outputs, source.labels + (0 if index != NULL else first), index,
                            work + at.T * ld, ld)
    elif source.T != NULL:
        kernels.load_rows(net.ops, n, net.n_outputs,
                          rows_from(<const floating *> source.T, first, net.n_outputs, index), index,
                          work + at.T * ld, ld)
    if source.weight != NULL:
        kernels.load_rows(net.ops, n, 1, rows_from(<const floating *> source.weight, first, 1, index), index,
                          work + at.weight * ld, ld)


cdef double slot_loss(const Net *net, Partition parts, size_t slot, const floating *params, const Source *source,
                      floating *work, floating *gradient, floating *sample_losses, Watch *watch) noexcept nogil:
    """The loss of one slot; its gradient and the losses of its samples where they are not NULL."""
    cdef const Layout *at = &net.gradient
    cdef size_t first = slot * parts.rows, stop = min(source.n, first + parts.rows), n, ld = parts.ld
    cdef const floating *weight = work + at.weight * ld if source.weight != NULL else NULL
    cdef double total = 0.0
    if gradient != NULL and first >= stop:
        memset(gradient, 0, net.n_params * sizeof(floating))
    while first < stop and team.keep_on(watch, parts.block * net.n_params):
        n = min(parts.block, stop - first)
        load(net, at, source, first, n, work, ld)
        sweeps.fprop(net, at, params, work, n, ld, 1)
        total += sweeps.loss(net, at, work, weight, <const floating *> source.scale, gradient != NULL, n, ld)
        if gradient != NULL and team.keep_on(watch, 2 * n * net.n_params):
            sweeps.bprop(net, at, params, work, n, ld, first > slot * parts.rows, gradient)
        if sample_losses != NULL:
            kernels.store_rows(net.ops, n, 1, <const floating *> work + at.value * ld, sample_losses + first, 1,
                               ld)
        first += n
    return total


cdef double loss_and_gradient(const Net *net, Partition parts, const floating *params, const Source *source,
                              const Scratch *scratch, floating *gradient, floating *sample_losses,
                              int n_threads, Watch *watch) noexcept nogil:
    """Sum of losses; gradient (P,) and losses of the samples (n,) where they are not NULL. Added in slot order."""
    cdef floating *work = <floating *> scratch.work
    cdef floating *partial = <floating *> scratch.partial
    cdef double *values = scratch.values
    cdef double total = 0.0
    cdef size_t stride = scratch.work_numbers, n_params = net.n_params
    cdef Py_ssize_t slot, n_slots = parts.n_slots
    team.deal(watch)
    n_threads = team.crew_of(n_threads, watch)
    if n_threads == 1:
        share_of_losses(net, parts, params, source, work, partial, values, gradient, sample_losses, watch)
    else:
        with parallel(num_threads=n_threads):
            share_of_losses(net, parts, params, source, work + threadid() * stride, partial, values, gradient,
                            sample_losses, watch)
    for slot in range(n_slots):
        total += values[slot]
        if slot > 0 and gradient != NULL:
            kernels.add(net.ops, n_params, <const floating *> partial + (slot - 1) * n_params, gradient)
    return total


cdef void share_of_losses(const Net *net, Partition parts, const floating *params, const Source *source,
                          floating *work, floating *partial, double *values, floating *gradient,
                          floating *sample_losses, Watch *watch) noexcept nogil:
    """One thread's share: slots, as long as there are any."""
    cdef size_t slot = team.next_slot(watch, parts.n_slots)
    while slot < parts.n_slots:
        values[slot] = slot_loss(net, parts, slot, params, source, work,
                                 slot_gradient(gradient, partial, slot, net.n_params), sample_losses, watch)
        slot = team.next_slot(watch, parts.n_slots)


cdef inline floating *slot_gradient(floating *gradient, floating *partial, size_t slot, size_t n_params) noexcept nogil:
    """The first slot sums into the gradient itself, the others into partial sums."""
    return gradient if gradient == NULL or slot == 0 else partial + (slot - 1) * n_params


cdef class Batch:
    """Samples bound to a network: the function that training minimises.

    Parameters
    ----------
    plan : Plan
    X : ndarray of shape (n, n_inputs)
    T : ndarray of shape (n, n_outputs), or None
    labels : ndarray of intp of shape (n,), or None
    weight : ndarray of shape (n,), or None
        Of the samples.
    scale : ndarray of shape (n_outputs,), or None
        Of the outputs, with squared error.
    """

    def __cinit__(self, Plan plan not None, cnp.ndarray X not None, T, labels, weight, scale):
        self.plan = plan
        self.choice = team.choice()
        self.arrays = (X, T, labels, weight, scale)
        self.source.n = cnp.PyArray_DIM(X, 0)
        self.source.index = NULL
        self.source.X = data(X)
        self.source.T = data(T)
        self.source.labels = <const Py_ssize_t *> data(labels)
        self.source.weight = data(weight)
        self.source.scale = data(scale)
        self.small = plan.threads(self.source.n, GRADIENT_PASSES, 2) == 1

    cdef double run(self, const floating *params, floating *gradient, floating *sample_losses,
                    int n_threads) except? -1:
        cdef const Net *net = &self.plan.net
        cdef Partition parts = self.plan.partition(self.source.n)
        cdef int passes = GRADIENT_PASSES if gradient != NULL else 1
        cdef int threads = self.plan.threads(self.source.n, passes, n_threads)
        cdef Scratch scratch
        cdef Watch watch = team.watch()
        cdef bint several = threads > 1
        cdef double total, started = team.seconds() if several else 0.0
        threads = team.chosen(&self.choice, threads)
        reserve(&scratch, net, net.gradient.rows, parts, threads, net.n_params if gradient != NULL else 0)
        if self.source.n * net.n_params < RELEASE_WORK:
            total = loss_and_gradient(net, parts, params, &self.source, &scratch, gradient, sample_losses, threads,
                                      &watch)
        else:
            with nogil:
                total = loss_and_gradient(net, parts, params, &self.source, &scratch, gradient, sample_losses, threads,
                                          &watch)
        free(scratch.memory)
        if several:
            team.note(&self.choice, (team.seconds() - started) / passes)
        team.check(&watch)
        return total

    def loss(self, cnp.ndarray params not None, int n_threads, sample_losses=None):
        """Sum of losses as a float; fills `sample_losses` (n,) where it is given."""
        if self.plan.net.itemsize == sizeof(float):
            return self.run(<const float *> data(params), <float *> NULL, <float *> data(sample_losses), n_threads)
        return self.run(<const double *> data(params), <double *> NULL, <double *> data(sample_losses), n_threads)

    def loss_and_grad(self, cnp.ndarray params not None, int n_threads):
        """(Sum of losses, its gradient (P,))."""
        cdef cnp.npy_intp n_params = self.plan.net.n_params
        gradient = cnp.PyArray_EMPTY(1, &n_params, cnp.PyArray_TYPE(params), 0)
        cdef double total
        if self.plan.net.itemsize == sizeof(float):
            total = self.run(<const float *> data(params), <float *> data(gradient), <float *> NULL, n_threads)
        else:
            total = self.run(<const double *> data(params), <double *> data(gradient), <double *> NULL, n_threads)
        return total, gradient


def bind_exact(Plan plan not None, X, T):
    """The Batch of X and T where they need no second look, None for all else.

    That is squared error, and plain arrays (n, n_inputs) and (n, n_outputs) or, for one output, (n,) of the network's
    type, aligned, C-contiguous and finite.
    """
    cdef const Net *net = &plan.net
    cdef int typenum = cnp.NPY_FLOAT32 if net.itemsize == sizeof(float) else cnp.NPY_FLOAT64
    if net.loss != kernels.FMLP_LOSS_squared_error or not native(X, typenum) or not native(T, typenum):
        return None
    cdef cnp.ndarray x = own(X), t = own(T)
    if cnp.PyArray_NDIM(x) != 2 or <size_t> cnp.PyArray_DIM(x, 1) != net.n_inputs:
        return None
    if cnp.PyArray_NDIM(t) == 2:
        if <size_t> cnp.PyArray_DIM(t, 1) != net.n_outputs:
            return None
    elif cnp.PyArray_NDIM(t) != 1 or net.n_outputs != 1:
        return None
    if cnp.PyArray_DIM(t, 0) != cnp.PyArray_DIM(x, 0) or not finite(x) or not finite(t):
        return None
    return Batch(plan, x, t, None, None, None)
