"""Large Gauss-Newton matrices of few outputs, band by band, so that no slot has tiles of its own.

Those of a large network take half as much memory as the matrix, slot by slot: new pages to be cleared, written, read
and given back. With few outputs nothing passes from one pair of layers to the next (by_units.pyx): a band of the
matrix can be summed over all samples, and stored, before the next one is begun. What its products are made of, the
activations and the slopes of the outputs, is formed first and kept for all blocks.

Threads take slots for that, then bands. The sums are those of `by_units.add_tiles` and `tiles.store_tiles`, in the same
order: blocks of a slot, then slots; the result is the same to the bit.
"""

from cython cimport floating

from fastmlp._core.bridge cimport vector_ops
from fastmlp._core.curvature cimport by_units, tiles
from fastmlp._core.threads cimport team
from fastmlp._core.curvature.tiles cimport (
    GGN, ROWS, Band, Curvature, activation_products, first_band, next_band, number, unit_products,
)
from fastmlp._core.storage.memory cimport ceil_to, plus, times
from fastmlp._core.sums.block cimport Block
from fastmlp._core.sums.plan cimport Partition
from fastmlp._core.sums.slots cimport Pass
from fastmlp._core.threads.team cimport Watch

cdef enum:
    LEAST = 8       # bands, so that threads have their choice


# ---- sizes ----

cdef inline size_t n_bands(const Curvature *c) noexcept nogil:
    cdef size_t count = 0
    cdef int l, m
    for m in range(1, c.net.n_layers + 1):
        for l in range(1, m + 1):
            count = plus(count, ceil_to(unit_products(c, l, m), ROWS) // ROWS)
    return count


cdef size_t shares(const Curvature *c) noexcept nogil:
    """How many threads may take part; none where something passes from a pair of layers to the next."""
    cdef size_t count = n_bands(c) if c.per_output and c.kind == GGN and not c.by_samples else 0
    return count if count >= LEAST else 0


cdef size_t slot_numbers(const Curvature *c, const Partition *parts) noexcept nogil:
    """What is kept of all blocks of a slot."""
    return times(times(ceil_to(parts.rows, parts.block) // parts.block, c.scaled), parts.ld)


cdef size_t work_numbers(const Curvature *c, const Partition *parts) noexcept nogil:
    """Workspace of a thread, in whole rows: what lies between `scaled` and `t`, and the sums of a band, twice."""
    cdef size_t most = 0
    cdef int l, m
    for m in range(1, c.net.n_layers + 1):
        for l in range(1, m + 1):
            most = max(most, times(min(<size_t> ROWS, unit_products(c, l, m)), activation_products(c, l, m)))
    return plus(times(c.t - c.scaled, parts.ld), ceil_to(times(2, most), parts.ld))


# ---- the matrix ----

cdef struct Sums:
    const Curvature *c
    const Pass *kept        # the pass over the samples that has kept their blocks,
    void *blocks            # those of all slots
    void *work              # workspaces behind them,
    size_t stride           # of so many numbers
    void *matrix
    bint wide               # of double, whatever the blocks are


cdef void store(const Curvature *c, const Pass *kept, floating *blocks, floating *work, number *matrix, int n_threads,
                Watch *watch) noexcept nogil:
    """Sum all bands over the samples, and store them. `work` lies behind the blocks of all slots."""
    cdef Sums sums
    sums.c, sums.kept, sums.blocks, sums.work, sums.matrix = c, kept, blocks, work, matrix
    sums.stride, sums.wide = work_numbers(c, &kept.parts), number is double
    tiles.clear_outputs(c, matrix)
    team.spread(one_band, &sums, n_bands(c), n_threads, watch)


cdef void one_band(void *context, size_t at, int thread, Watch *watch) noexcept nogil:
    """Band number `at`, by one thread."""
    cdef const Sums *sums = <const Sums *> context
    cdef Band band = first_band(sums.c)
    cdef void *work = <char *> sums.work + thread * sums.stride * sums.c.net.itemsize
    while at:
        next_band(sums.c, &band)
        at -= 1
    if sums.c.net.itemsize == sizeof(double):
        sum_band(sums, &band, <double *> work, <double *> sums.matrix, watch)
    elif sums.wide:
        sum_band(sums, &band, <float *> work, <double *> sums.matrix, watch)
    else:
        sum_band(sums, &band, <float *> work, <float *> sums.matrix, watch)


cdef void sum_band(const Sums *sums, const Band *band, floating *work, number *matrix, Watch *watch) noexcept nogil:
    cdef const Partition *parts = &sums.kept.parts
    cdef Curvature here = sums.c[0]
    cdef Block b = sums.kept.block
    cdef floating *block = <floating *> sums.blocks
    cdef size_t ld = parts.ld, slot, stop, away = (work - block) // ld
    cdef floating *first = work + (here.t - here.scaled) * ld
    cdef floating *to = first
    b.ld, b.watch = ld, watch
    for slot in range(parts.n_slots):
        b.first = slot * parts.rows
        stop = min(b.source.n, b.first + parts.rows)
        while b.first < stop and team.keep_on(watch, parts.block * here.net.max_width):
            b.n, b.add = min(parts.block, stop - b.first), b.first > slot * parts.rows
            # what is not kept lies at the thread's own place
            here.scaled = away
            here.D = away + sums.c.D - sums.c.scaled
            here.S = away + sums.c.S - sums.c.scaled
            by_units.scale_slopes(&here, &b, band.m, block)
            by_units.add_band(&here, &b, band, block, to)
            b.first += b.n
            block += sums.c.scaled * ld
            away -= sums.c.scaled
        if slot > 0:
            vector_ops.add(here.net.ops, band.rows * band.cols, <const floating *> to, first)
        to = first + band.rows * band.cols
    if team.keep_on(watch, band.rows * band.cols):
        tiles.store_band(sums.c, band, <const floating *> first, matrix, watch)
