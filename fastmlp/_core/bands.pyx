"""Large Gauss-Newton matrices of few outputs, band by band, so that no slot has tiles of its own.

Those of a large network take half as much memory as the matrix, slot by slot: new pages to be cleared, written, read
and given back. With few outputs nothing passes from one pair of layers to the next (units.pyx), so that a band of the
matrix can be summed over all samples, and stored, before the next one is begun. What its products are made of, the
activations and the slopes of the outputs, is formed first and kept for all blocks.

Threads take slots for that, then bands. The sums are those of `units.add_tiles` and `tiles.store_tiles`, in the same
order: blocks of a slot, then slots; the result is the same to the bit.
"""

from cython cimport floating
from cython.parallel cimport parallel, threadid

from fastmlp._core cimport kernels, team, tiles, units
from fastmlp._core.memory cimport ceil_to, plus, times
from fastmlp._core.plan cimport Partition
from fastmlp._core.team cimport Watch
from fastmlp._core.tiles cimport (
    GGN, ROWS, Band, Units, activation_products, first_band, next_band, number, unit_products,
)

cdef enum:
    LEAST = 8       # bands, so that threads have their choice


# ---- sizes ----

cdef inline size_t n_bands(const Units *u) noexcept nogil:
    cdef size_t count = 0
    cdef int l, m
    for m in range(1, u.net.n_layers + 1):
        for l in range(1, m + 1):
            count = plus(count, ceil_to(unit_products(u, l, m), ROWS) // ROWS)
    return count


cdef size_t shares(const Units *u) noexcept nogil:
    """How many threads may take part; none where something passes from a pair of layers to the next."""
    cdef size_t count = n_bands(u) if u.few and u.kind == GGN and not u.by_samples else 0
    return count if count >= LEAST else 0


cdef size_t slot_numbers(const Units *u, const Partition *parts) noexcept nogil:
    """What is kept of all blocks of a slot."""
    return times(times(ceil_to(parts.rows, parts.block) // parts.block, u.scaled), parts.ld)


cdef size_t work_numbers(const Units *u, const Partition *parts) noexcept nogil:
    """Workspace of a thread, in whole rows: what lies between `scaled` and `t`, and the sums of a band, twice."""
    cdef size_t most = 0
    cdef int l, m
    for m in range(1, u.net.n_layers + 1):
        for l in range(1, m + 1):
            most = max(most, times(min(<size_t> ROWS, unit_products(u, l, m)), activation_products(u, l, m)))
    return plus(times(u.t - u.scaled, parts.ld), ceil_to(times(2, most), parts.ld))


# ---- the matrix ----

cdef void store(const Units *u, const Partition *parts, size_t n, const floating *params, floating *kept,
                floating *work, number *matrix, int n_threads, Watch *watch) noexcept nogil:
    """Sum all bands over n samples, and store them. `kept` has the blocks of all slots, `work` lies behind it."""
    cdef size_t stride = work_numbers(u, parts)
    tiles.clear_outputs(u, matrix)
    team.deal(watch)
    n_threads = team.crew_of(n_threads, watch)
    if n_threads == 1:
        share(u, parts, n, params, kept, work, matrix, watch)
    else:
        with parallel(num_threads=n_threads):
            share(u, parts, n, params, kept, work + threadid() * stride, matrix, watch)


cdef void share(const Units *u, const Partition *parts, size_t n, const floating *params, floating *kept,
                floating *work, number *matrix, Watch *watch) noexcept nogil:
    """One thread's share: bands, as long as there are any."""
    cdef size_t last = n_bands(u), at = 0, mine = team.next_slot(watch, last)
    cdef Band band = first_band(u)
    while mine < last:
        while at < mine:
            next_band(u, &band)
            at += 1
        store_band(u, parts, n, &band, params, kept, work, matrix, watch)
        mine = team.next_slot(watch, last)


cdef void store_band(const Units *u, const Partition *parts, size_t n, const Band *band, const floating *params,
                     floating *kept, floating *work, number *matrix, Watch *watch) noexcept nogil:
    cdef Units here = u[0]
    cdef size_t ld = parts.ld, slot, first, stop, count, away = (work - kept) // ld
    cdef floating *sums = work + (u.t - u.scaled) * ld
    cdef floating *to = sums
    for slot in range(parts.n_slots):
        first = slot * parts.rows
        stop = min(n, first + parts.rows)
        while first < stop and team.keep_on(watch, parts.block * u.net.max_width):
            count = min(parts.block, stop - first)
            # what is not kept lies at the thread's own place
            here.scaled = away
            here.D = away + u.D - u.scaled
            here.S = away + u.S - u.scaled
            units.scale_outputs(&here, band.m, kept, count, ld)
            units.add_band(&here, band, params, kept, count, ld, first > slot * parts.rows, to, watch)
            first += count
            kept += u.scaled * ld
            away -= u.scaled
        if slot > 0:
            kernels.add(u.net.ops, band.rows * band.cols, <const floating *> to, sums)
        to = sums + band.rows * band.cols
    if team.keep_on(watch, band.rows * band.cols):
        tiles.store_band(u, band, <const floating *> sums, matrix)
