"""The minibatch loop of sgd and adam, without the GIL and without allocation."""

from libc.math cimport pow
from libc.stdlib cimport free, malloc

from cython cimport floating
from fastmlp._core.bridge cimport vector_ops
from fastmlp._core.sums cimport slots
from fastmlp._core.threads cimport choice, team
from fastmlp._core.fits.ties cimport Ties, expand, pull
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.storage.memory cimport reserve
from fastmlp._core.sums.batch cimport Batch, prepare_loss
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Partition, Plan
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.sums.tangents cimport Tangents, Term, join
from fastmlp._core.threads.choice cimport Choice
from fastmlp._core.threads.team cimport Watch


# The vectors of a training, in the network's type, and what a step depends on besides.
cdef struct Training:
    size_t n, n_samples
    const Py_ssize_t *order
    void *w
    const void *decay           # may be NULL
    void *g
    void *m                     # NULL: sgd
    void *v
    double rate
    double settings[3]          # momentum, whether it is Nesterov's, and a velocity of steps; beta1, beta2, epsilon


cdef Training training(tuple vectors, double rate, tuple settings):
    cdef Training of
    w, order, decay, g, v = vectors[:5]
    m, v = (None, v) if len(vectors) == 5 else vectors[4:]
    of.n, of.n_samples, of.order = w.shape[0], order.shape[0], <const Py_ssize_t *> data(order)
    of.w, of.decay, of.g, of.m, of.v = data(w), data(decay), data(g), data(m), data(v)
    of.rate = rate
    of.settings[0], of.settings[1], of.settings[2] = settings
    return of


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
    tangents : Tangents, optional
        A term on the samples, whose sum over a minibatch has the factor of its loss.
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
    cdef Tangents tangents
    cdef Term term              # as the pass reads it
    cdef void *params           # of the network, then the gradient by them, where w are the free ones only
    cdef public Py_ssize_t n_steps

    def __cinit__(self, Batch batch not None, size_t batch_size, int n_threads, Py_ssize_t n_steps=0, Ties ties=None,
                  Tangents tangents=None):
        self.batch = batch
        self.plan = batch.plan
        self.batch_size = batch_size
        self.parts = self.plan.partition(batch_size)
        self.n_steps = n_steps
        self.n_threads = self.plan.threads(batch_size, GRADIENT_WORK, n_threads)
        self.choice = choice.fresh()
        self.source = batch.source
        prepare_loss(&self.job, &self.plan.net, &self.source, self.parts, True)
        self.tangents = tangents
        if tangents is not None:
            self.term = tangents.term
            self.term.with_loss = True
            join(&self.job, &self.term, True)
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

    cdef double gradient_step(self, const Training *of, const floating *w, size_t first, Watch *watch) noexcept nogil:
        """Gradient of one minibatch, to be scaled by the number returned; its loss, and its share of the penalty, are
        added to the sums of the call.
        """
        cdef size_t n = min(self.batch_size, of.n_samples - first)
        cdef floating *g = <floating *> of.g
        self.job.parts.n_slots = min(self.parts.n_slots, (n + self.parts.rows - 1) // self.parts.rows)
        self.source.n, self.source.index = n, of.order + first
        self.job.block.params, self.job.sums = w, g
        if self.params != NULL:
            expand(&self.ties.map, w, <floating *> self.params)
            self.job.block.params, self.job.sums = self.params, <floating *> self.params + self.plan.net.n_params
        self.loss += slots.choose(&self.job, self.n_threads, &self.choice, watch)
        self.penalty += self.job.beside
        if self.params != NULL:
            pull(&self.ties.map, <const floating *> self.job.sums, g)
        if of.decay == NULL:
            return 1.0 / n
        self.penalty += vector_ops.decay(self.plan.net.ops, of.n, <floating> (1.0 / n), <floating> (1.0 / of.n_samples),
                                         <const floating *> of.decay, w, g) * n / of.n_samples
        return 1.0

    cdef void move(self, const Training *of, floating *w, double scale) noexcept nogil:
        """A step from w along the gradient times `scale`."""
        cdef const void *ops = self.plan.net.ops
        cdef floating *g = <floating *> of.g
        cdef floating *v = <floating *> of.v
        cdef double a = of.settings[0], b = of.settings[1], c = of.settings[2], age
        self.n_steps += 1
        if of.m == NULL:
            vector_ops.sgd_step(ops, of.n, <floating> ((of.rate if c else 1.0) * scale),
                                <floating> (1.0 if c else of.rate), <floating> a, b != 0.0, g, v, w)
            return
        age = <double> self.n_steps
        vector_ops.adam_step(ops, of.n, <floating> scale, <floating> (of.rate / (1.0 - pow(a, age))),
                             <floating> (1.0 / (1.0 - pow(b, age))), <floating> a, <floating> (1.0 - a), <floating> b,
                             <floating> (1.0 - b), <floating> c, g, <floating *> of.m, v, w)

    cdef void take_steps(self, const Training *of, floating *w, size_t first, size_t n, Watch *watch) noexcept nogil:
        cdef size_t step
        cdef double scale
        for step in range(first, first + n):
            scale = self.gradient_step(of, w, step * self.batch_size, watch)
            if watch.stopped:
                return
            self.move(of, w, scale)

    def run(self, tuple vectors not None, size_t first_step, size_t n_steps, double rate, tuple settings not None):
        """Take `n_steps` steps from step `first_step` of the epoch on; returns (sum of losses, mean penalty).

        Parameters
        ----------
        vectors : tuple of ndarray
            w, the order of the samples, lambda or None, room for the gradient, and the velocity of sgd or both moments
            of Adam; trusted to be of the network's type, plain and of its length.
        first_step, n_steps : int
        rate : float
        settings : tuple of float
            sgd: the momentum, whether it is Nesterov's, and whether the velocity is one of steps, in which each
            gradient keeps its own rate, or of gradients. Adam: beta1, beta2, epsilon; the number of all steps so far
            corrects the bias of the moments.
        """
        cdef Training of = training(vectors, rate, settings)
        cdef Watch watch = team.watch()
        self.loss = self.penalty = 0.0
        with nogil:
            if self.plan.net.itemsize == sizeof(float):
                self.take_steps(&of, <float *> of.w, first_step, n_steps, &watch)
            else:
                self.take_steps(&of, <double *> of.w, first_step, n_steps, &watch)
        team.check(&watch)
        return self.loss, self.penalty
