# Second derivatives of the loss by units, on one block of samples: what the matrices of curvature.pyx are made of.

from cython cimport floating
from fastmlp._core.plan cimport Layout, Net
from fastmlp._core.team cimport Watch


cdef enum:
    GGN                 # Gauss-Newton
    EXACT               # the Hessian
    EMPIRICAL_FISHER    # sum of s_n g_n g_n'
    BACKPROP            # diagonal only: PRML 5.79-5.81, which drops what is off the diagonal on the way back


# Where the second derivatives of one block lie, in rows of `ld` samples behind those of `at`.
cdef struct Units:
    const Net *net
    Layout at
    int kind
    bint alone          # d2E / dz_k dz_k' at the output is zero for k != k',
    bint few            # and there are so few outputs that their products need not be shared
    size_t q            # Q_m, [p][i], of the layer at hand; of the output: one row for each k where it is alone
    size_t t            # q[m-1,m], [p][i]
    size_t other[2]     # q[l,m] of l < m-1 in turns; later sensitivities of activations
    size_t curve        # h'' * (W' delta) of the layer at hand
    size_t slope        # dz_(m+1) / dz_m, where the layer above has one unit
    size_t seed         # a direction at the outputs
    size_t D, S         # a chunk of products of units, and of products of activations
    size_t rows         # the size of it all
    size_t n_tiles      # numbers in the tiles of all pairs of layers


cdef Units lay_out_units(const Net *net, int kind) noexcept nogil
cdef void begin(const Units *u, const floating *params, floating *work, size_t ld) noexcept nogil
cdef void add_tiles(const Units *u, const floating *params, floating *work, const floating *weight,
                    const floating *scale, size_t n, size_t ld, bint add, floating *tiles,
                    Watch *watch) noexcept nogil
cdef void add_diagonal(const Units *u, const floating *params, floating *work, const floating *weight,
                       const floating *scale, size_t n, size_t ld, bint add, floating *diagonal,
                       Watch *watch) noexcept nogil
cdef void store_tiles(const Units *u, floating *tiles, size_t stride, size_t n_slots, floating *matrix,
                      Watch *watch) noexcept nogil
