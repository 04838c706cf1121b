"""Value, gradient and curvature of a batch: the Gauss-Newton matrix, the exact Hessian, the empirical Fisher matrix.

Samples are cut into slots, slots spread over threads; every slot has partial sums of its own, added in slot order. The
rules, which depend on the number of samples and on the network only:

block    256 samples of double, 512 of float; fewer where the second derivatives of a block would exceed 2^23 numbers,
         but at least 16.
slots    at least two blocks each, four where the tiles have 2^18 numbers or more, and so leave the cache; at most 64,
         and at most as many as keep the partial sums below 2^24 numbers (two are always allowed). Batches of fewer
         than four such slots (two of large tiles) are cut into two or four of at least a quarter of that size, where
         there is work for them. Cross terms do not count: the Hessian is cut like the Gauss-Newton matrix, which it
         equals to the bit where there are no residuals.
threads  one below a work threshold, else as many as asked for, at most one for each slot.
stay     a batch of one slot and at most two blocks is one block, where its samples are to stay in the workspace, and
         tiles are not large.
bands    in place of tiles for each slot (bands.pyx), where those are large and what they are made of is smaller.

Arguments are trusted, as in `batch`.
"""

cimport numpy as cnp
from cython cimport floating
from cython.parallel cimport parallel, threadid
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from fastmlp._core cimport bands, gram, kernels, results, sweeps, team, tiles, units
from fastmlp._core.arrays cimport data
from fastmlp._core.batch cimport Batch, Source, load
from fastmlp._core.kernels cimport FMLP_PAD
from fastmlp._core.memory cimport ceil_to, plus, reserve, times
from fastmlp._core.plan cimport RELEASE_WORK, Layout, Net, Partition
from fastmlp._core.team cimport Watch
from fastmlp._core.tiles cimport BACKPROP, GGN, Units, copy, number
from fastmlp._core.vectors cimport ALIGNMENT, lines

cnp.import_array()

cdef enum:
    BLOCK_BYTES = 2048          # of a row
    BLOCK_NUMBERS = 1 << 23
    MAX_SLOTS = 64
    LARGE = 1 << 18             # numbers in tiles
    PARTIAL_NUMBERS = 1 << 24
    PARALLEL_WORK = 400_000     # multiply-adds below which a second thread costs more than it brings
    MIRROR = 64                 # rows and columns that are mirrored together

#: names of the kinds of curvature; "backprop" has a diagonal only
KINDS = ("ggn", "exact", "empirical_fisher", "backprop")


# ---- what to compute ----

cdef Task task(const Net *net, size_t n, int kind, Form form, bint stay) noexcept nogil:
    """Sizes and shares."""
    cdef Task new
    cdef size_t line = ALIGNMENT // net.itemsize, sums, shared, block, most, shares, kept
    new.units = tiles.lay_out_units(net, kind)
    new.form = form
    sums = 0 if form == NOTHING else net.n_params if form == DIAGONAL else new.units.n_tiles
    shared = min(sums, new.units.n_pairs)
    block = BLOCK_BYTES // net.itemsize
    new.work = plus(3 * net.n_params, shared)
    while block > FMLP_PAD and times(new.units.rows, block) > BLOCK_NUMBERS:
        block //= 2
    most = max(<size_t> 2, PARTIAL_NUMBERS // plus(net.n_params, shared))
    new.parts = cut(n, block, 4 if shared >= LARGE else 2, min(<size_t> MAX_SLOTS, most), new.work)
    new.stays = stay and new.parts.n_slots == 1 and n <= 2 * new.parts.block and sums < LARGE
    if new.stays:
        new.parts.block = max(<size_t> 1, n)
        new.parts.ld = ceil_to(new.parts.block, FMLP_PAD)
    new.work_numbers = times(new.units.rows, new.parts.ld)
    new.work_numbers = ceil_to(plus(new.work_numbers, net.n_params if kind == BACKPROP else 0), line)
    new.shares = new.parts.n_slots
    new.kept_numbers = 0
    shares = bands.shares(&new.units) if n > 0 and sums >= LARGE and form != DIAGONAL else 0
    if shares:
        kept = bands.slot_numbers(&new.units, &new.parts)
        if kept <= sums:
            sums = 0
            new.shares = shares
            new.work_numbers = bands.work_numbers(&new.units, &new.parts)
            new.kept_numbers = kept
    new.slot_numbers = plus(ceil_to(net.n_params, line), ceil_to(sums, line))
    return new


cdef Partition cut(size_t n, size_t block, size_t n_blocks, size_t most, size_t work) noexcept nogil:
    """Slots of n samples, of so many blocks at least where there is no lack of samples, and blocks."""
    cdef Partition parts
    cdef size_t few = min(most, 8 // n_blocks)
    parts.n_slots = min(most, n // (n_blocks * block))
    if parts.n_slots < few and times(n, work) > 2 * PARALLEL_WORK:
        parts.n_slots = max(parts.n_slots, min(few, 4 * n // (n_blocks * block)))
        if parts.n_slots == 3:
            parts.n_slots = 2
    parts.n_slots = max(<size_t> 1, parts.n_slots)
    parts.rows = max(<size_t> 1, (n + parts.n_slots - 1) // parts.n_slots)
    if parts.n_slots > 1:
        parts.rows = ceil_to(parts.rows, block if parts.n_slots > 4 else FMLP_PAD)
    parts.n_slots = max(<size_t> 1, (n + parts.rows - 1) // parts.rows)
    parts.block = min(block, parts.rows)
    parts.ld = ceil_to(parts.block, FMLP_PAD)
    return parts


cdef int threads(const Task *task, size_t n, int n_threads) noexcept nogil:
    return 1 if times(n, task.work) < PARALLEL_WORK else <int> min(<size_t> n_threads, task.shares)


cdef size_t memory_bytes(const Task *task, int n_threads) noexcept nogil:
    cdef size_t numbers = times(task.parts.n_slots, plus(task.kept_numbers, task.slot_numbers))
    numbers = plus(numbers, times(n_threads, task.work_numbers))
    return plus(times(numbers, task.units.net.itemsize), task.parts.n_slots * sizeof(double) + ALIGNMENT)


# ---- one slot ----

cdef double slot_sums(const Task *task, size_t slot, const floating *params, const Source *source, Held held,
                      floating *work, floating *gradient, floating *sums, Watch *watch) noexcept nogil:
    """The loss of one slot; its gradient, unless that is NULL, and its diagonal or tiles, or what bands are made of."""
    cdef const Units *u = &task.units
    cdef const Net *net = u.net
    cdef const Layout *at = &u.at
    cdef size_t start = slot * task.parts.rows, first = start, n, ld = task.parts.ld
    cdef size_t stop = min(source.n, first + task.parts.rows)
    cdef size_t kept = u.scaled * ld if task.kept_numbers else 0    # of each block
    cdef const floating *weight
    cdef const floating *scale = <const floating *> source.scale
    cdef double total = 0.0
    cdef bint deltas = gradient != NULL or (task.form != NOTHING and u.kind != GGN)
    cdef bint by_samples = u.by_samples and (task.form == LOWER or task.form == FULL)
    while first < stop and team.keep_on(watch, task.parts.block * net.n_params):
        n = min(task.parts.block, stop - first)
        weight = work + at.weight * ld if source.weight != NULL else NULL
        if held == EMPTY and (kept or first == start):
            units.begin(u, params, work, ld)
        if held == EMPTY:
            load(net, at, source, first, n, work, ld)
        if held != FORWARD:
            sweeps.fprop(net, at, params, work, n, ld, at.order)
        total += sweeps.loss(net, at, work, weight, scale, deltas, n, ld)
        if deltas and not by_samples:
            sweeps.bprop(net, at, params, work, n, ld, first > start, gradient)
        if kept:
            units.follow_outputs(u, params, work, weight, scale, n, ld)
            work += kept
        elif by_samples:
            gram.add_tiles(u, params, work, weight, scale, n, ld, first > start, gradient, sums, watch)
        elif task.form == DIAGONAL:
            units.add_diagonal(u, params, work, weight, scale, n, ld, first > start, sums, watch)
        elif task.form != NOTHING:
            units.add_tiles(u, params, work, weight, scale, n, ld, first > start, sums, watch)
        first += n
    return total


# ---- all slots ----

cdef double evaluate(const Task *task, const floating *params, const Source *source, void *memory, Held held,
                     floating *gradient, number *matrix, int n_threads, Watch *watch) noexcept nogil:
    """Spread the slots over the threads, then add them up in their order."""
    cdef const Net *net = task.units.net
    cdef size_t n_params = net.n_params, n_slots = task.parts.n_slots, slot, stride = task.work_numbers
    cdef floating *kept = <floating *> lines(<size_t> memory)
    cdef floating *work = kept + n_slots * task.kept_numbers
    cdef floating *partial = work + n_threads * stride
    cdef floating *sums = partial + ceil_to(n_params, ALIGNMENT // sizeof(floating))
    cdef double *values = <double *> (partial + n_slots * task.slot_numbers)
    cdef double total = 0.0
    cdef bint wanted = gradient != NULL
    team.deal(watch)
    if source.n == 0:
        memset(partial, 0, task.slot_numbers * sizeof(floating))
    n_threads = team.crew_of(n_threads, watch)
    if n_threads == 1:
        share(task, params, source, held, kept, work, partial, values, wanted, watch)
    else:
        with parallel(num_threads=n_threads):
            share(task, params, source, held, kept, work + threadid() * stride, partial, values, wanted, watch)
    for slot in range(n_slots):
        total += values[slot]
        if slot > 0 and wanted:
            kernels.add(net.ops, n_params, <const floating *> partial + slot * task.slot_numbers, partial)
        if slot > 0 and task.form == DIAGONAL:
            kernels.add(net.ops, n_params, <const floating *> sums + slot * task.slot_numbers, sums)
    if wanted:
        memcpy(gradient, partial, n_params * sizeof(floating))
    if task.form == DIAGONAL:
        copy(n_params, <const floating *> sums, matrix)
    elif task.kept_numbers:
        bands.store(&task.units, &task.parts, source.n, params, kept, work, matrix, n_threads, watch)
    elif task.form != NOTHING and task.units.by_samples:
        gram.store_tiles(&task.units, sums, task.slot_numbers, n_slots, matrix, watch)
    elif task.form != NOTHING:
        tiles.store_tiles(&task.units, sums, task.slot_numbers, n_slots, matrix, watch)
    if task.form == FULL:
        mirror(n_params, matrix, watch)
    return total


cdef void share(const Task *task, const floating *params, const Source *source, Held held, floating *kept,
                floating *work, floating *partial, double *values, bint wanted, Watch *watch) noexcept nogil:
    """One thread's share: slots, as long as there are any."""
    cdef size_t n_slots = task.parts.n_slots, line = ALIGNMENT // sizeof(floating)
    cdef size_t slot = team.next_slot(watch, n_slots)
    cdef floating *mine
    while slot < n_slots:
        mine = partial + slot * task.slot_numbers
        values[slot] = slot_sums(task, slot, params, source, held,
                                 kept + slot * task.kept_numbers if task.kept_numbers else work,
                                 mine if wanted else <floating *> NULL,
                                 mine + ceil_to(task.units.net.n_params, line), watch)
        slot = team.next_slot(watch, n_slots)


cdef void mirror(size_t n, number *matrix, Watch *watch) noexcept nogil:
    """Copy the lower triangle to the upper one, square by square."""
    cdef size_t row, col, i, j, n_squares = (n + MIRROR - 1) // MIRROR
    for row in range(n_squares):
        if not team.keep_on(watch, MIRROR * MIRROR * row):
            return
        for col in range(row + 1):
            for j in range(col * MIRROR, min(n, (col + 1) * MIRROR)):   # written along its rows, as writes cost more
                for i in range(max(j + 1, row * MIRROR), min(n, (row + 1) * MIRROR)):
                    matrix[j * n + i] = matrix[i * n + j]


# ---- the Python face ----

cdef double run(Batch batch, int kind, Form form, const floating *params, floating *gradient, number *matrix,
                int n_threads) except? -1:
    cdef Task todo = task(&batch.plan.net, batch.source.n, kind, form, False)
    cdef Watch watch = team.watch()
    cdef double total
    cdef size_t work = times(batch.source.n, todo.work), n_bytes
    n_threads = threads(&todo, batch.source.n, n_threads)
    n_bytes = memory_bytes(&todo, n_threads)
    cdef void *taken = reserve(n_bytes)
    if taken == NULL:
        raise MemoryError(f"no memory for the partial sums of {todo.parts.n_slots} slots and the workspace of "
                          f"{n_threads} threads: {n_bytes} bytes")
    if work < RELEASE_WORK:
        total = evaluate(&todo, params, &batch.source, taken, EMPTY, gradient, matrix, n_threads, &watch)
    else:
        with nogil:
            total = evaluate(&todo, params, &batch.source, taken, EMPTY, gradient, matrix, n_threads, &watch)
    free(taken)
    team.check(&watch)
    return total


cdef double call(Batch batch, int kind, Form form, cnp.ndarray params, gradient, matrix, int n_threads) except? -1:
    if batch.plan.net.itemsize == sizeof(float):
        if matrix is not None and cnp.PyArray_TYPE(matrix) == cnp.NPY_FLOAT64:
            return run(batch, kind, form, <const float *> data(params), <float *> data(gradient),
                       <double *> data(matrix), n_threads)
        return run(batch, kind, form, <const float *> data(params), <float *> data(gradient), <float *> data(matrix),
                   n_threads)
    return run(batch, kind, form, <const double *> data(params), <double *> data(gradient), <double *> data(matrix),
               n_threads)


cdef int kind_index(kind) except -1:
    return KINDS.index(kind) if isinstance(kind, str) else kind


cdef object empty(int type_number, int n_axes, size_t n):
    cdef cnp.npy_intp[2] shape = [n, n]
    return results.empty(n_axes, shape, type_number)


def normal_equations(Batch batch not None, cnp.ndarray params not None, kind, int n_threads, bint gradient=True,
                     bint matrix=True, bint wide=False):
    """(Sum of losses, its gradient (P,), the matrix (P, P), if wide in float64); what is not wanted is None."""
    cdef size_t n_params = batch.plan.net.n_params
    cdef int type_number = cnp.PyArray_TYPE(params)
    g = empty(type_number, 1, n_params) if gradient else None
    H = empty(cnp.NPY_FLOAT64 if wide else type_number, 2, n_params) if matrix else None
    cdef double total = call(batch, kind_index(kind), FULL if matrix else NOTHING, params, g, H, n_threads)
    return total, g, H


def diagonal(Batch batch not None, cnp.ndarray params not None, kind, int n_threads):
    """The diagonal (P,) of the matrix, without the matrix."""
    result = empty(cnp.PyArray_TYPE(params), 1, batch.plan.net.n_params)
    call(batch, kind_index(kind), DIAGONAL, params, None, result, n_threads)
    return result


def describe(Batch batch not None, kind):
    """How the full matrix is cut up, and bytes of memory for one thread: for tests and for the curious."""
    cdef Task todo = task(&batch.plan.net, batch.source.n, kind_index(kind), FULL, False)
    return {"n_slots": todo.parts.n_slots, "rows": todo.parts.rows, "block": todo.parts.block,
            "n_tiles": todo.units.n_tiles, "n_bands": todo.shares if todo.kept_numbers else 0,
            "bytes": memory_bytes(&todo, 1)}
