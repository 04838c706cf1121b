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
free     where few parameters are chosen, their rows and columns alone, if that takes fewer multiply-adds (by_free.pyx;
         by_columns.pyx in any case). Then blocks are short enough for what they are made of to stay near the core.
bands    in place of tiles for each slot (by_bands.pyx), where those are large and what they are made of is smaller.

Arguments are trusted, as in `batch`.
"""

cimport numpy as cnp
from cython cimport floating
from libc.stdlib cimport free
from libc.string cimport memcpy

from fastmlp._core.bridge cimport vector_ops
from fastmlp._core.curvature cimport (
    by_bands, by_columns, by_free, by_gradients, by_samples, by_units, free_tiles, tiles,
)
from fastmlp._core.storage cimport results
from fastmlp._core.sums cimport slots, sweeps
from fastmlp._core.threads cimport choice, team
from fastmlp._core.bridge.kernels cimport FMLP_PAD
from fastmlp._core.curvature.chosen cimport Chosen, Places
from fastmlp._core.curvature.tiles cimport BACKPROP, GGN, Curvature, copy, number
from fastmlp._core.storage.arrays cimport data
from fastmlp._core.storage.memory cimport ceil_to, ceil_to_power, plus, reserve, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines
from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.block cimport Block, Source, load
from fastmlp._core.sums.plan cimport RELEASE_WORK, Net, Partition
from fastmlp._core.sums.slots cimport Pass, Step
from fastmlp._core.threads.team cimport Watch

cnp.import_array()

cdef enum:
    BLOCK_BYTES = 2048          # of a row
    BLOCK_NUMBERS = 1 << 23
    NEAR_NUMBERS = 1 << 18, SHORT = 64      # of blocks by free parameters or gradients, and samples they have at least
    MAX_SLOTS = 64
    LARGE_TILES = 1 << 18       # numbers in tiles
    PARTIAL_NUMBERS = 1 << 24
    PARALLEL_WORK = 400_000     # multiply-adds below which a second thread costs more than it brings
    MIRROR = 64                 # rows and columns that are mirrored together

#: names of the kinds of curvature; "backprop" has a diagonal only
KINDS = ("ggn", "exact", "empirical_fisher", "backprop")


# ---- what to compute ----

cdef Curvature laid_out(const Net *net, int kind, const Chosen *chosen) noexcept nogil:
    cdef Curvature c = tiles.lay_out_curvature(net, kind)
    if chosen != NULL and c.by_columns:
        c.chosen = chosen
        c.n_tiles = c.n_pairs = times(chosen.n, chosen.n)
    elif chosen != NULL:
        free_tiles.lay_out(&c, chosen)
    return c


cdef Task task(const Net *net, size_t n, int kind, Form form, bint stay, const Chosen *chosen) noexcept nogil:
    """Sizes and shares."""
    cdef Task new
    cdef size_t line = ALIGNMENT // net.itemsize, sums, shared, block, most, shares, kept
    new.curvature = laid_out(net, kind, chosen)
    new.form = form
    new.curvature.by_gradients = new.curvature.by_columns and by_gradients.pays(
        &new.curvature, form == DIAGONAL, by_columns.multiply_adds(&new.curvature))
    sums = 0 if form == NOTHING else net.n_params if form == DIAGONAL else new.curvature.n_tiles
    shared = min(sums, new.curvature.n_pairs)
    block = BLOCK_BYTES // net.itemsize
    new.work = plus(3 * net.work, shared)
    while block > FMLP_PAD and times(new.curvature.rows, block) > BLOCK_NUMBERS:
        block //= 2
    while new.curvature.by_free and block > SHORT and times(new.curvature.rows, block) > NEAR_NUMBERS:
        block //= 2
    while new.curvature.by_gradients and block > SHORT and times(2 * net.n_params, block) > NEAR_NUMBERS:
        block //= 2
    most = max(<size_t> 2, PARTIAL_NUMBERS // plus(net.n_params, shared))
    new.parts = cut(n, block, 4 if shared >= LARGE_TILES else 2, min(<size_t> MAX_SLOTS, most), new.work)
    new.stays = stay and new.parts.n_slots == 1 and n <= 2 * new.parts.block and sums < LARGE_TILES
    if new.stays:
        new.parts.block = max(<size_t> 1, n)
        new.parts.ld = ceil_to(new.parts.block, FMLP_PAD)
    new.work_numbers = times(new.curvature.rows, new.parts.ld)
    if new.curvature.by_gradients:
        new.work_numbers = plus(new.work_numbers, by_gradients.room(&new.curvature, new.parts.ld))
    elif new.curvature.by_columns:
        new.work_numbers = plus(new.work_numbers, by_columns.room(&new.curvature))
    elif kind == BACKPROP:
        new.work_numbers = plus(new.work_numbers, net.n_params)
    new.work_numbers = ceil_to_power(new.work_numbers, line)
    new.shares = new.parts.n_slots
    new.kept_numbers = 0
    shares = 0
    if n > 0 and sums >= LARGE_TILES and form != DIAGONAL and not new.curvature.by_free:
        shares = by_bands.shares(&new.curvature)
    if shares:
        kept = by_bands.slot_numbers(&new.curvature, &new.parts)
        if kept <= sums:
            sums = 0
            new.shares = shares
            new.work_numbers = by_bands.work_numbers(&new.curvature, &new.parts)
            new.kept_numbers = kept
    new.slot_numbers = plus(ceil_to_power(net.n_params, line), ceil_to_power(sums, line))
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
    return plus(times(numbers, task.curvature.net.itemsize), task.parts.n_slots * sizeof(double) + ALIGNMENT)


# ---- one block ----

# What the pass reads besides.
cdef struct Kept:
    const Task *task
    Held held
    bint wanted             # the gradient
    void *blocks            # of all slots, where the matrix is formed by bands


cdef inline void *kept_block(const Kept *kept, const Block *b) noexcept nogil:
    """Where a block is kept."""
    cdef const Task *task = kept.task
    cdef size_t slot = b.first // task.parts.rows, block = (b.first - slot * task.parts.rows) // task.parts.block
    cdef size_t numbers = slot * task.kept_numbers + block * task.curvature.scaled * b.ld
    return <char *> kept.blocks + numbers * b.net.itemsize


cdef double block_sums(const Pass *job, const Block *b, floating *work, floating *gradient) noexcept nogil:
    """The loss of a block; its gradient, if wanted; then the diagonal or tiles, or what bands are made of."""
    cdef const Kept *kept = <const Kept *> job.more
    cdef const Task *task = kept.task
    cdef const Curvature *c = &task.curvature
    cdef floating *sums = gradient + ceil_to(b.net.n_params, ALIGNMENT // sizeof(floating))
    cdef double value
    cdef bint deltas = kept.wanted or (task.form != NOTHING and c.kind != GGN)
    cdef bint as_gram = c.by_samples and (task.form == LOWER or task.form == FULL)
    if not kept.wanted:
        gradient = NULL
    if task.kept_numbers:
        work = <floating *> kept_block(kept, b)
    if kept.held == EMPTY and not c.by_columns and (task.kept_numbers or not b.add):
        by_units.begin(c, b, work)
    if kept.held == EMPTY:
        load(b, work)
    if kept.held != FORWARD:
        sweeps.fprop(b, work, b.at.order)
    value = sweeps.loss(b, work, deltas)
    if deltas and not as_gram:
        sweeps.bprop(b, work, gradient)
    if task.kept_numbers:
        by_units.sweep_slopes(c, b, work)
    elif as_gram:
        by_samples.add_tiles(c, b, work, gradient, sums)
    elif c.by_free and task.form != NOTHING:
        by_free.add_tiles(c, b, work, sums)
    elif c.by_gradients and task.form == DIAGONAL:
        by_gradients.add_diagonal(c, b, work, sums)
    elif c.by_gradients and task.form != NOTHING:
        by_gradients.add_matrix(c, b, work, sums)
    elif c.by_columns and task.form == DIAGONAL:
        by_columns.add_diagonal(c, b, work, sums)
    elif c.by_columns and task.form != NOTHING:
        by_columns.add_matrix(c, b, work, sums)
    elif task.form == DIAGONAL:
        by_units.add_diagonal(c, b, work, sums)
    elif task.form != NOTHING:
        by_units.add_tiles(c, b, work, sums)
    return value


# ---- all blocks ----

cdef double evaluate(const Task *task, const floating *params, const Source *source, Means means, floating *gradient,
                     number *matrix, Watch *watch) noexcept nogil:
    """The sums of all slots, and what is made of them."""
    cdef const Net *net = task.curvature.net
    cdef size_t n_params = net.n_params, n_slots = task.parts.n_slots, slot
    cdef floating *blocks = <floating *> lines(<size_t> means.memory)
    cdef floating *work = blocks + n_slots * task.kept_numbers
    cdef floating *partial = work + means.n_threads * task.work_numbers
    cdef floating *sums = partial + ceil_to(n_params, ALIGNMENT // sizeof(floating))
    cdef Pass job
    cdef Kept kept
    cdef double total
    kept.task, kept.held, kept.wanted, kept.blocks = task, means.held, gradient != NULL, blocks
    slots.prepare(&job, <Step> &block_sums[floating], net, &task.curvature.at, source, task.parts)
    job.block.params, job.more, job.sums, job.work = params, &kept, partial, task.work
    job.n_sums, job.n_added = task.slot_numbers, n_params if gradient != NULL else 0
    job.scratch.work, job.scratch.work_bytes = work, task.work_numbers * sizeof(floating)
    job.scratch.partial = partial + task.slot_numbers
    job.scratch.values = <double *> (partial + n_slots * task.slot_numbers)
    total = slots.perform(&job, means.n_threads, watch)
    if gradient != NULL:
        memcpy(gradient, partial, n_params * sizeof(floating))
    if task.form == DIAGONAL:
        for slot in range(1, n_slots):
            vector_ops.add(net.ops, n_params, <const floating *> sums + slot * task.slot_numbers, sums)
        copy(n_params, <const floating *> sums, matrix)
    elif task.kept_numbers:
        by_bands.store(&task.curvature, &job, blocks, work, matrix, means.n_threads, watch)
    elif task.form != NOTHING and task.curvature.by_columns:
        by_columns.store(&task.curvature, sums, task.slot_numbers, n_slots, matrix, watch)
    elif task.form != NOTHING and task.curvature.by_samples:
        by_samples.store_tiles(&task.curvature, sums, task.slot_numbers, n_slots, matrix, watch)
    elif task.form != NOTHING and task.curvature.by_free:
        free_tiles.store_tiles(&task.curvature, sums, task.slot_numbers, n_slots, matrix, watch)
    elif task.form != NOTHING:
        tiles.store_tiles(&task.curvature, sums, task.slot_numbers, n_slots, matrix, watch)
    if task.form == FULL:
        mirror(tiles.order(&task.curvature), matrix, watch)
    return total


cdef void mirror(size_t n, number *matrix, Watch *watch) noexcept nogil:
    """Square by square."""
    cdef size_t row, col, i, j, n_squares = (n + MIRROR - 1) // MIRROR
    for row in range(n_squares):
        if not team.keep_on(watch, MIRROR * MIRROR * row * sizeof(number)):
            return
        for col in range(row + 1):
            for j in range(col * MIRROR, min(n, (col + 1) * MIRROR)):   # written along its rows, as writes cost more
                for i in range(max(j + 1, row * MIRROR), min(n, (row + 1) * MIRROR)):
                    matrix[j * n + i] = matrix[i * n + j]


# ---- the Python face ----

cdef double run(Batch batch, const Task *asked, const floating *params, floating *gradient, number *matrix,
                int n_threads) except? -1:
    """Whether threads pay is looked at and noted with the GIL, as several Python threads may share the batch."""
    cdef Task todo = asked[0]
    cdef Watch watch = team.watch()
    cdef double total
    cdef size_t work = times(batch.source.n, todo.work), n_bytes
    n_threads = threads(&todo, batch.source.n, n_threads)
    cdef bint several = n_threads > 1
    cdef double started = team.seconds() if several else 0.0
    if several:
        n_threads = choice.chosen(&batch.choice_of_matrices, n_threads)
    n_bytes = memory_bytes(&todo, n_threads)
    cdef Means means = Means(reserve(n_bytes), EMPTY, n_threads)
    if means.memory == NULL:
        raise MemoryError(f"no memory for the partial sums of {todo.parts.n_slots} slots and the workspace of "
                          f"{n_threads} threads: {n_bytes} bytes")
    if work < RELEASE_WORK:
        total = evaluate(&todo, params, &batch.source, means, gradient, matrix, &watch)
    else:
        with nogil:
            total = evaluate(&todo, params, &batch.source, means, gradient, matrix, &watch)
    free(means.memory)
    if several:
        choice.note(&batch.choice_of_matrices, team.seconds() - started, <double> work)
    team.check(&watch)
    return total


cdef double call(Batch batch, const Task *todo, cnp.ndarray params, gradient, matrix, int n_threads) except? -1:
    if batch.plan.net.itemsize == sizeof(float):
        if matrix is not None and cnp.PyArray_TYPE(matrix) == cnp.NPY_FLOAT64:
            return run(batch, todo, <const float *> data(params), <float *> data(gradient), <double *> data(matrix),
                       n_threads)
        return run(batch, todo, <const float *> data(params), <float *> data(gradient), <float *> data(matrix),
                   n_threads)
    return run(batch, todo, <const double *> data(params), <double *> data(gradient), <double *> data(matrix),
               n_threads)


cdef int kind_index(kind) except -1:
    return KINDS.index(kind) if isinstance(kind, str) else kind


cdef object empty(int type_number, int n_axes, size_t n):
    cdef cnp.npy_intp[2] shape = [n, n]
    return results.empty(n_axes, shape, type_number)


cdef void pick(const Chosen *chosen, size_t n_params, const number *whole, number *matrix) noexcept nogil:
    """The rows and columns of chosen parameters of a lower triangle, and their mirror."""
    cdef Watch watch = team.watch()
    cdef size_t i, j
    for i in range(chosen.n):
        for j in range(i + 1):
            matrix[i * chosen.n + j] = whole[chosen.params[i] * n_params + chosen.params[j]]
    mirror(chosen.n, matrix, &watch)


cdef object rows_and_columns(cnp.ndarray whole, const Chosen *chosen):
    cdef size_t n_params = cnp.PyArray_DIM(whole, 0)
    cdef cnp.ndarray matrix = empty(cnp.PyArray_TYPE(whole), 2, chosen.n)
    if cnp.PyArray_TYPE(whole) == cnp.NPY_FLOAT64:
        pick(chosen, n_params, <const double *> data(whole), <double *> data(matrix))
    else:
        pick(chosen, n_params, <const float *> data(whole), <float *> data(matrix))
    return matrix


def normal_equations(Batch batch not None, cnp.ndarray params not None, kind, int n_threads, bint gradient=True,
                     bint matrix=True, bint wide=False, chosen=None):
    """(Sum of losses, its gradient (P,), the matrix (P, P), if wide in float64); what is not wanted is None.

    With places of some parameters, ascending, `chosen` (n,), the matrix has their rows and columns alone (n, n).
    """
    cdef Places some = None if chosen is None else Places(batch, chosen)
    cdef const Chosen *of = NULL if some is None else &some.chosen
    cdef Task todo = task(&batch.plan.net, batch.source.n, kind_index(kind), FULL if matrix else NOTHING, False, of)
    cdef bint picked = matrix and of != NULL and todo.curvature.chosen == NULL
    if picked:
        todo.form = LOWER
    cdef int type_number = cnp.PyArray_TYPE(params)
    g = empty(type_number, 1, batch.plan.net.n_params) if gradient else None
    H = empty(cnp.NPY_FLOAT64 if wide else type_number, 2, tiles.order(&todo.curvature)) if matrix else None
    cdef double total = call(batch, &todo, params, g, H, n_threads)
    return total, g, rows_and_columns(H, of) if picked else H


def diagonal(Batch batch not None, cnp.ndarray params not None, kind, int n_threads):
    """The diagonal (P,) of the matrix, without the matrix."""
    cdef Task todo = task(&batch.plan.net, batch.source.n, kind_index(kind), DIAGONAL, False, NULL)
    result = empty(cnp.PyArray_TYPE(params), 1, batch.plan.net.n_params)
    call(batch, &todo, params, None, result, n_threads)
    return result


def describe(Batch batch not None, kind, chosen=None):
    """How the full matrix is cut up, and bytes of memory for one thread: for tests and for the curious."""
    cdef Places some = None if chosen is None else Places(batch, chosen)
    cdef const Chosen *of = NULL if some is None else &some.chosen
    cdef Task todo = task(&batch.plan.net, batch.source.n, kind_index(kind), FULL, False, of)
    cut_up = {"n_slots": todo.parts.n_slots, "rows": todo.parts.rows, "block": todo.parts.block,
              "n_tiles": todo.curvature.n_tiles, "n_bands": todo.shares if todo.kept_numbers else 0,
              "bytes": memory_bytes(&todo, 1)}
    if chosen is not None:
        cut_up |= {"by_free": bool(todo.curvature.by_free), "n_products": todo.curvature.n_pairs}
    return cut_up
