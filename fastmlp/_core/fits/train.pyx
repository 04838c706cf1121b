"""The minibatch loop of sgd and adam, without the GIL and without allocation."""

from libc.math cimport pow
from libc.stdlib cimport free, malloc

from cython cimport floating
from fastmlp._core.bridge cimport kernels
from fastmlp._core.sums cimport slots
from fastmlp._core.threads cimport choice, team
from fastmlp._core.fits.ties cimport Ties, expand, pull
from fastmlp._core.storage.memory cimport reserve
from fastmlp._core.sums.batch cimport Batch, prepare_loss
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Partition, Plan
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.threads.choice cimport Choice
from fastmlp._core.threads.team cimport Watch


cdef class Minibatches:
    """Steps over minibatches of a data set; owns the workspace, made once.

    A step on the B samples of a minibatch goes along g = (1/B) sum_n s_n grad e_n + (1/N) decay * w, N samples in all.

    Parameters
    ----------
    batch : Batch
        All samples.
    batch_size, n_threads : int
    n_steps : int, default=0
        Steps taken before, in an earlier run that is continued; counts on.
    ties : Ties, optional
        The map from the free parameters, which then are w, to all of them.
    """

    cdef Batch batch
    cdef Plan plan
    cdef Source source          # the samples of a minibatch
    cdef Pass job
    cdef Partition parts
    cdef void *memory           # of the pass
    cdef size_t batch_size
    cdef int n_threads
    cdef Choice choice
    cdef double loss, penalty
    cdef Ties ties
    cdef void *params           # of the network, then the gradient by them, where w are the free ones only
    cdef public Py_ssize_t n_steps

    def __cinit__(self, Batch batch not None, size_t batch_size, int n_threads, Py_ssize_t n_steps=0, Ties ties=None):
        self.batch = batch
        self.plan = batch.plan
        self.batch_size = batch_size
        self.parts = self.plan.partition(batch_size)
        self.n_steps = n_steps
        self.n_threads = self.plan.threads(batch_size, GRADIENT_WORK, n_threads)
        self.choice = choice.fresh()
        self.source = batch.source
        prepare_loss(&self.job, &self.plan.net, &self.source, self.parts, True)
        self.memory = reserve(slots.scratch_bytes(&self.job, self.n_threads))
        if self.memory == NULL:
            raise MemoryError(f"no memory for the workspace of {self.n_threads} threads and {self.parts.n_slots} slots")
        slots.lay_out(&self.job, self.n_threads, self.memory)
        self.ties = ties
        if ties is not None:
            self.params = malloc(2 * self.plan.net.n_params * self.plan.net.itemsize)
            if self.params == NULL:
                raise MemoryError(f"no memory for {self.plan.net.n_params} parameters and their gradient")

    def __dealloc__(self):
        free(self.params)
        free(self.memory)

    cdef void loss_gradient(self, const floating *w, floating *g, Watch *watch) noexcept nogil:
        """Gradient of a minibatch's loss, which is added to the sum of the call."""
        cdef size_t n = self.plan.net.n_params
        self.job.block.params, self.job.sums = w, g
        if self.params != NULL:
            expand(&self.ties.map, w, <floating *> self.params)
            self.job.block.params, self.job.sums = self.params, <floating *> self.params + n
        self.loss += slots.choose(&self.job, self.n_threads, &self.choice, watch)
        if self.params != NULL:
            pull(&self.ties.map, <const floating *> self.job.sums, g)

    cdef double gradient_step(self, const floating *w, size_t n_params, const Py_ssize_t *order, size_t first,
                              size_t n_samples, const floating *decay, floating *g, Watch *watch) noexcept nogil:
        """Gradient of one minibatch, to be scaled by the number returned; its loss, and its share of the penalty, are
        added to the sums of the call.
        """
        cdef size_t n = min(self.batch_size, n_samples - first)
        self.job.parts.n_slots = min(self.parts.n_slots, (n + self.parts.rows - 1) // self.parts.rows)
        self.source.n = n
        self.source.index = order + first
        self.loss_gradient(w, g, watch)
        if decay == NULL:
            return 1.0 / n
        self.penalty += kernels.decay(self.plan.net.ops, n_params, <floating> (1.0 / n),
                                      <floating> (1.0 / n_samples), decay, w, g) * n / n_samples
        return 1.0

    def sgd(self, floating[::1] w, const Py_ssize_t[::1] order, const floating[::1] decay, floating[::1] g,
            floating[::1] v, Py_ssize_t first_step, Py_ssize_t n_steps, double rate, double momentum, bint nesterov,
            bint of_steps=False):
        """Take `n_steps` steps from step `first_step` of the epoch on; returns (sum of losses, mean penalty).

        The velocity v is one of gradients, or with `of_steps` of steps, in which each gradient keeps its own rate.
        """
        cdef Py_ssize_t step
        cdef size_t n_samples = order.shape[0], n_params = w.shape[0]
        cdef const floating *penalty = &decay[0] if decay is not None else NULL
        cdef double scale
        cdef double inner = rate if of_steps else 1.0, outer = 1.0 if of_steps else rate
        cdef Watch watch = team.watch()
        self.loss = self.penalty = 0.0
        with nogil:
            for step in range(first_step, first_step + n_steps):
                scale = self.gradient_step(&w[0], n_params, &order[0], step * self.batch_size, n_samples, penalty,
                                           &g[0], &watch)
                if watch.stopped:
                    break
                self.n_steps += 1
                kernels.sgd_step(self.plan.net.ops, n_params, <floating> (inner * scale), <floating> outer,
                                 <floating> momentum, nesterov, &g[0], &v[0], &w[0])
        team.check(&watch)
        return self.loss, self.penalty

    def adam(self, floating[::1] w, const Py_ssize_t[::1] order, const floating[::1] decay, floating[::1] g,
             floating[::1] m, floating[::1] v, Py_ssize_t first_step, Py_ssize_t n_steps, double rate, double b1,
             double b2, double epsilon):
        """As `sgd`; the number of all steps so far corrects the bias of the moments."""
        cdef Py_ssize_t step
        cdef size_t n_samples = order.shape[0], n_params = w.shape[0]
        cdef const floating *penalty = &decay[0] if decay is not None else NULL
        cdef double age, scale
        cdef Watch watch = team.watch()
        self.loss = self.penalty = 0.0
        with nogil:
            for step in range(first_step, first_step + n_steps):
                scale = self.gradient_step(&w[0], n_params, &order[0], step * self.batch_size, n_samples, penalty,
                                           &g[0], &watch)
                if watch.stopped:
                    break
                self.n_steps += 1
                age = <double> self.n_steps
                kernels.adam_step(self.plan.net.ops, n_params, <floating> scale,
                                  <floating> (rate / (1.0 - pow(b1, age))), <floating> (1.0 / (1.0 - pow(b2, age))),
                                  <floating> b1, <floating> (1.0 - b1), <floating> b2, <floating> (1.0 - b2),
                                  <floating> epsilon, &g[0], &m[0], &v[0], &w[0])
        team.check(&watch)
        return self.loss, self.penalty
