# An architecture frozen to C: sizes, offsets into the parameter vector, and where each block lies in a workspace.

from fastmlp._core.sums.kinds cimport Layer
from fastmlp._core.threads.choice cimport Choice


cdef enum:
    SOFTMAX = -1
    GRADIENT_WORK = 3           # a gradient takes as much work as so many predictions
    PARALLEL_WORK = 200_000     # multiply-adds below which a second thread costs more than it brings (about 20 us)
    RELEASE_WORK = 60_000       # multiply-adds from which on other Python threads are let run (about 5 us)


# Where the blocks of one slot lie, in rows of `ld` samples. Entry l of an array belongs to layer l, a[0] is the input.
cdef struct Layout:
    int order           # highest derivative of the activations that is kept
    bint bends          # whether h'' * dE/da is kept on the way back, as tangents need it
    size_t *a           # activations; before the output activation a[n_layers] holds the logits
    size_t *z           # pre-activations
    size_t *d1          # h'
    size_t *delta       # dE / dz; delta[0] is dE / dx
    size_t *d2          # h''
    size_t *bend        # h'' * dE / da
    size_t *Ra          # tangents of a,
    size_t *Rz          # of z,
    size_t *Rdelta      # and of delta
    size_t y            # outputs
    size_t T, weight, value
    size_t rows         # the size of it all


cdef struct Net:
    int n_layers        # of weights
    int loss
    int elementwise     # whether y_k depends on z_k alone, so that the loss reads y and h'
    int itemsize
    bint is_dense       # all layers are
    bint has_rows       # all layers have a way for a few row-major samples
    size_t lanes, n_params, max_width, n_inputs, n_outputs
    size_t work         # multiply-adds of a sample forward: as many as parameters where all layers are dense
    const void *ops
    Layer *layers
    size_t *geometry    # of all layers
    size_t room         # numbers that layers need besides for a few row-major samples
    size_t inputs[3]    # the shape of a sample,
    int n_axes          # and its length
    Layout values, gradient, trace, tangents, units, gram


cdef struct Partition:
    size_t n_slots      # shares of the samples; partial sums are added in slot order
    size_t rows         # samples in each slot but the last
    size_t block        # samples taken through the network together
    size_t ld


cdef size_t ceil_div(size_t a, size_t b) noexcept nogil


cdef class Plan:
    cdef Net net
    cdef tuple kinds        # whose products the layers have
    cdef Choice choice      # of threads for what goes sample by sample
    cdef Partition partition(self, size_t n) noexcept nogil
    cdef Partition strips(self, size_t n) noexcept nogil
    cdef int threads(self, size_t n, int work, int n_threads) noexcept nogil
