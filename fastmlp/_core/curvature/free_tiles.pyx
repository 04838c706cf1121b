"""What is summed of curvature by free parameters (by_free.pyx): the bands of a Gram matrix for each of few outputs, or
of the samples' gradients, then a *tile* for each free unit, if it has any; what that costs, and how it is brought into
the lower triangle.
"""

from libc.string cimport memset

from cython cimport floating
from fastmlp._core.curvature cimport tiles
from fastmlp._core.curvature.chosen cimport Chosen, Unit
from fastmlp._core.curvature.tiles cimport BACKPROP, EXACT, Curvature, number, triangle, width
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.threads cimport team
from fastmlp._core.threads.team cimport Watch

cdef enum:
    ROW = 4             # multiply-adds that the product of two rows costs, which is written and read again


# ---- which rows there are ----

cdef size_t tile_rows(const Curvature *c, size_t x) noexcept nogil:
    """Of unit number x."""
    cdef const Chosen *chosen = c.chosen
    cdef size_t t, count = 0
    for t in range(chosen.units[x].first, chosen.n if has_tiles(c) else 0):
        count += meets(c, &chosen.units[x], &chosen.units[chosen.unit[t]], chosen.input[t])
    return count


cdef size_t gram_rows(const Curvature *c, size_t k) noexcept nogil:
    cdef const Chosen *chosen = c.chosen
    cdef size_t x, count = 0
    for x in range(chosen.n_units):
        if is_in_gram(c, k, &chosen.units[x]):
            count += chosen.units[x].n
    return count


cdef size_t gram_numbers(size_t rows) noexcept nogil:
    """Of its bands."""
    cdef size_t first = 0, count = 0
    while first < rows:
        count = plus(count, times(min(<size_t> BAND, rows - first), min(rows, first + BAND)))
        first += BAND
    return count


# ---- what it costs, and where all lies ----

cdef void lay_out(Curvature *c, const Chosen *chosen) noexcept nogil:
    cdef Curvature new = c[0]
    if c.kind == BACKPROP:
        return
    new.chosen, new.by_free, new.by_samples = chosen, True, False
    count(&new)
    if new.n_pairs >= plus(c.n_pairs, tiles.cross_work(c)):
        return
    new.at = c.net.units
    new.at.order = 2 if c.kind == EXACT else 1
    new.seed = new.at.rows
    new.q = new.seed + c.net.n_outputs
    new.output_curvature = new.q + c.net.n_outputs
    new.output_slopes = new.output_curvature + c.net.n_outputs
    new.bend = new.output_slopes + (c.net.n_outputs * c.net.n_layers * c.net.max_width if c.per_output else 0)
    new.t = new.bend + below(c.net, c.net.n_layers)
    new.D = new.t + below(c.net, c.net.n_layers + 1)
    new.S = new.D + 1
    new.J = plus(new.S, times(chosen.n_units if has_tiles(&new) else 0, stride(&new)))
    new.LJ = plus(new.J, chosen.n)
    new.rows = plus(new.LJ, chosen.n)
    c[0] = new


cdef void count(Curvature *c) noexcept nogil:
    """Multiply-adds for a sample, and numbers of the tiles."""
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *unit
    cdef size_t k, x, rows, work = 0, numbers = 0
    cdef int m
    for k in range(n_grams(c)):
        rows = gram_rows(c, k)
        work = plus(work, plus(triangle(rows), 2 * ROW * rows))
        numbers = plus(numbers, gram_numbers(rows))
    for x in range(chosen.n_units if has_tiles(c) else 0):
        unit = &chosen.units[x]
        for m in range(unit.l + 1, top(c) + 1):
            work = plus(work, width(c.net, m) * (2 * ROW + (width(c.net, m - 1) if m > unit.l + 1 else 0)))
        rows = tile_rows(c, x)
        work = plus(work, plus(times(rows, unit.n + 2 * ROW), ROW * seconds(c, x)))
        numbers = plus(numbers, times(rows, unit.n))
    c.n_pairs, c.n_tiles = work, numbers


cdef size_t seconds(const Curvature *c, size_t x) noexcept nogil:
    """Products of rows for all q_uv of unit number x."""
    cdef const Chosen *chosen = c.chosen
    cdef size_t y, total = 0
    cdef int m
    for y in range(x, chosen.n_units):
        if has_second(c, &chosen.units[x], &chosen.units[y]):
            for m in range(chosen.units[y].l + 1, top(c) + 1):
                total += width(c.net, m)
    return total


# ---- from the tiles to the matrix ----

cdef void store_tiles(const Curvature *c, floating *sums, size_t stride, size_t n_slots, number *matrix,
                      Watch *watch) noexcept nogil:
    """Sum the tiles of the slots, `stride` numbers apart, in their order, and store the lower triangle (n, n)."""
    cdef const Chosen *chosen = c.chosen
    cdef size_t k, x, rows, row
    for row in range(chosen.n):
        if team.keep_on(watch, (row + 1) * sizeof(number)):
            memset(matrix + row * chosen.n, 0, (row + 1) * sizeof(number))
    for k in range(n_grams(c)):
        rows = gram_numbers(gram_rows(c, k))
        if team.keep_on(watch, n_slots * rows):
            tiles.sum_slots(c, sums, rows, stride, n_slots)
            store_gram(c, k, gram_rows(c, k), <const floating *> sums, matrix)
        sums += rows
    for x in range(chosen.n_units if has_tiles(c) else 0):
        rows = tile_rows(c, x) * chosen.units[x].n
        if rows and team.keep_on(watch, n_slots * rows):
            tiles.sum_slots(c, sums, rows, stride, n_slots)
            store_tile(c, x, <const floating *> sums, matrix)
        sums += rows


cdef inline void put(const Chosen *chosen, size_t s, size_t t, double value, number *matrix) noexcept nogil:
    cdef size_t i = chosen.row[s], j = chosen.row[t]
    matrix[max(i, j) * chosen.n + min(i, j)] += <number> value


cdef void store_gram(const Curvature *c, size_t k, size_t rows, const floating *tile, number *matrix) noexcept nogil:
    cdef const Chosen *chosen = c.chosen
    cdef size_t s, t, column, row = 0, length = 0
    for s in range(chosen.n):
        if not is_in_gram(c, k, &chosen.units[chosen.unit[s]]):
            continue
        if row % BAND == 0:
            length = min(rows, row + BAND)
        column = 0
        for t in range(s + 1):
            if not is_in_gram(c, k, &chosen.units[chosen.unit[t]]):
                continue
            put(chosen, s, t, tile[column], matrix)
            column += 1
        tile += length
        row += 1


cdef void store_tile(const Curvature *c, size_t x, const floating *tile, number *matrix) noexcept nogil:
    cdef const Chosen *chosen = c.chosen
    cdef const Unit *unit = &chosen.units[x]
    cdef size_t s, t
    for s in range(unit.first, chosen.n):
        if not meets(c, unit, &chosen.units[chosen.unit[s]], chosen.input[s]):
            continue
        for t in range(unit.first, min(s + 1, unit.first + unit.n)):
            put(chosen, s, t, tile[t - unit.first], matrix)
        tile += unit.n
