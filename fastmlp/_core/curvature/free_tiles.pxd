# What is summed of curvature by free parameters, what it costs, and where all lies.

from cython cimport floating
from fastmlp._core.curvature.chosen cimport Chosen, Unit
from fastmlp._core.curvature.tiles cimport EMPIRICAL_FISHER, EXACT, GGN, Curvature, number, width
from fastmlp._core.sums.plan cimport Net
from fastmlp._core.threads.team cimport Watch

cdef enum:
    BAND = 128          # rows of a Gram matrix that are formed together, with the columns up to there


# Lay out second derivatives by the chosen parameters, unless those by all cost less: then nothing is changed.
cdef void lay_out(Curvature *c, const Chosen *chosen) noexcept nogil
cdef void store_tiles(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil
# Rows of the tile of unit number x; parameters that the Gram matrix number k is of.
cdef size_t tile_rows(const Curvature *c, size_t x) noexcept nogil
cdef size_t gram_rows(const Curvature *c, size_t k) noexcept nogil


cdef inline size_t n_grams(const Curvature *c) noexcept nogil:
    """One of the samples' gradients, or one for each of few outputs."""
    return 1 if c.kind == EMPIRICAL_FISHER else c.net.n_outputs if c.per_output else 0


cdef inline bint is_in_gram(const Curvature *c, size_t k, const Unit *unit) noexcept nogil:
    """Whether the parameters of a unit are: the logit k depends on them."""
    return c.kind == EMPIRICAL_FISHER or unit.l < c.net.n_layers or unit.i == k


cdef inline size_t below(const Net *net, int m) noexcept nogil:
    """Units of the layers 1 .. m - 1."""
    cdef size_t count = 0
    cdef int l
    for l in range(1, m):
        count += width(net, l)
    return count


cdef inline int top(const Curvature *c) noexcept nogil:
    """The highest layer that sensitivities are sent to."""
    return c.net.n_layers - 1 if c.per_output else c.net.n_layers


cdef inline bint has_tiles(const Curvature *c) noexcept nogil:
    return c.kind == EXACT or (c.kind == GGN and not c.per_output)


cdef inline bint meets(const Curvature *c, const Unit *lower, const Unit *upper, size_t input) noexcept nogil:
    """Whether a parameter of the upper unit has a row in the tile of the lower one."""
    cdef int last = c.net.n_layers
    if not c.per_output:
        return True
    if upper.l == last:
        return lower.l < last and input < width(c.net, last - 1) and (lower.l < last - 1 or input == lower.i)
    return lower.l < last - 1 or lower == upper


cdef inline bint has_second(const Curvature *c, const Unit *lower, const Unit *upper) noexcept nogil:
    """Whether q_uv of both is part of the tile."""
    cdef int last = c.net.n_layers
    return not c.per_output or (upper.l < last and (lower.l < last - 1 or lower == upper))


cdef inline size_t stride(const Curvature *c) noexcept nogil:
    """Rows of the sensitivities of a unit, of z and of a."""
    return 2 * (below(c.net, top(c) + 1) - min(below(c.net, top(c) + 1), width(c.net, 1)))


cdef inline size_t reached(const Curvature *c, size_t x, int m) noexcept nogil:
    """Where S_(x,m) lies; behind it, of hidden layers, the derivatives of their activations."""
    return c.S + x * stride(c) + 2 * (below(c.net, m) - width(c.net, 1))
