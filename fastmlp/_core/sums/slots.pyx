"""One pass over the samples: they are cut into slots, slots spread over threads, sums added in the order of the slots.

What is done to a block of samples is a function of the block (`Step`). A new sum over the samples is such a function,
and a line that says how many numbers there are of it. All else is here: workspaces, in large pages where they are
large; threads, where there is work for them and nobody else wants the cores; signals; and the GIL, which is released
wherever there is work worth it. `plan` has the rules for slots and blocks.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdlib cimport free
from libc.string cimport memset

from fastmlp._core.bridge cimport vector_ops
from fastmlp._core.threads cimport team
from fastmlp._core.storage.memory cimport plus, reserve, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines
from fastmlp._core.sums.plan cimport PARALLEL_WORK, RELEASE_WORK
from fastmlp._core.threads.choice cimport chosen, note


cdef void prepare(Pass *job, Step step, const Net *net, const Layout *at, const Source *source,
                  Partition parts) noexcept nogil:
    job.step, job.more, job.parts = step, NULL, parts
    job.block.net, job.block.at, job.block.source = net, at, source
    job.rows, job.work = at.rows, net.work
    job.n_sums = job.n_added = 0
    job.scratch.beside = NULL


# ---- memory ----

cdef inline bint adds_at_once(const Pass *job, int n_threads) noexcept nogil:
    """Whether each slot's sums are added before the next ones take their place, which then stays near the core: one
    thread takes the slots in their order. 784-1024-1024-10 on 2,000 samples takes 0.94 of the time.
    """
    return n_threads == 1 and job.n_added == job.n_sums


cdef inline size_t partial_bytes(const Pass *job, int n_threads) noexcept nogil:
    cdef size_t n_partial = job.parts.n_slots - 1
    if adds_at_once(job, n_threads):
        n_partial = min(n_partial, <size_t> 1)
    return lines(times(job.n_sums, job.block.net.itemsize * n_partial))


cdef size_t scratch_bytes(const Pass *job, int n_threads) noexcept nogil:
    """What workspaces and partial sums take."""
    cdef size_t work = times(n_threads, lines(times(job.rows, job.parts.ld * job.block.net.itemsize)))
    return plus(plus(work, partial_bytes(job, n_threads)), 2 * job.parts.n_slots * sizeof(double) + ALIGNMENT)


cdef void lay_out(Pass *job, int n_threads, void *memory) noexcept nogil:
    """Put them into memory of `scratch_bytes`."""
    cdef Scratch *scratch = &job.scratch
    scratch.work_bytes = lines(job.rows * job.parts.ld * job.block.net.itemsize)
    scratch.work = <void *> lines(<size_t> memory)
    scratch.partial = <char *> scratch.work + n_threads * scratch.work_bytes
    scratch.values = <double *> (<char *> scratch.partial + partial_bytes(job, n_threads))
    scratch.beside = scratch.values + job.parts.n_slots


# ---- the pass ----

cdef inline void *slot_sums(const Pass *job, size_t slot) noexcept nogil:
    """The first slot sums into the result itself, the others into partial sums."""
    if slot == 0 or job.n_sums == 0:
        return job.sums
    return <char *> job.scratch.partial + (0 if job.at_once else slot - 1) * job.n_sums * job.block.net.itemsize


cdef void add_sums(const Pass *job, size_t slot) noexcept nogil:
    if slot == 0 or job.n_added == 0:
        return
    if job.block.net.itemsize == sizeof(float):
        vector_ops.add(job.block.net.ops, job.n_added, <const float *> slot_sums(job, slot), <float *> job.sums)
    else:
        vector_ops.add(job.block.net.ops, job.n_added, <const double *> slot_sums(job, slot), <double *> job.sums)


cdef void slot_blocks(void *context, size_t slot, int thread, Watch *watch) noexcept nogil:
    """The blocks of one slot, one after the other."""
    cdef const Pass *job = <const Pass *> context
    cdef Block b = job.block
    cdef size_t start = slot * job.parts.rows, stop = min(b.source.n, start + job.parts.rows)
    cdef void *work = <char *> job.scratch.work + thread * job.scratch.work_bytes
    cdef void *sums = slot_sums(job, slot)
    cdef double value = 0.0
    b.first, b.ld, b.watch = start, job.parts.ld, watch
    b.beside = job.scratch.beside + slot if job.scratch.beside != NULL else NULL
    if b.beside != NULL:
        b.beside[0] = 0.0
    if job.n_sums and start >= stop:
        memset(sums, 0, job.n_sums * b.net.itemsize)
    while b.first < stop and team.keep_on(watch, job.work * job.parts.block):
        b.n = min(job.parts.block, stop - b.first)
        b.add = b.first > start
        value += job.step(job, &b, work, sums)
        b.first += b.n
    job.scratch.values[slot] = value
    if job.at_once:
        add_sums(job, slot)


cdef double perform(Pass *job, int n_threads, Watch *watch) noexcept nogil:
    cdef double total = 0.0
    cdef size_t slot
    job.at_once = adds_at_once(job, n_threads)
    job.beside = 0.0
    if job.parts.n_slots == 1:
        slot_blocks(job, 0, 0, watch)
    else:
        team.spread(slot_blocks, job, job.parts.n_slots, n_threads, watch)
    for slot in range(job.parts.n_slots):
        total += job.scratch.values[slot]
        if job.scratch.beside != NULL:
            job.beside += job.scratch.beside[slot]
        if not job.at_once:
            add_sums(job, slot)
    return total


cdef double choose(Pass *job, int n_threads, Choice *choice, Watch *watch) noexcept nogil:
    cdef double total, started
    if n_threads == 1:
        return perform(job, 1, watch)
    n_threads = chosen(choice, n_threads)
    started = team.seconds()
    total = perform(job, n_threads, watch)
    note(choice, team.seconds() - started, <double> job.block.source.n * <double> job.work)
    return total


cdef double run(Pass *job, int n_threads, Choice *choice) except? -1:
    """The choice may be that of several Python threads: it is looked at and changed with the GIL."""
    cdef size_t work = times(job.block.source.n, job.work)
    cdef bint several = work >= PARALLEL_WORK and n_threads > 1 and job.parts.n_slots > 1
    cdef Watch watch = team.watch()
    cdef double total, started = team.seconds() if several else 0.0
    if work >= RELEASE_WORK:
        PyErr_CheckSignals()  # runs that follow each other may each be too short to answer any
    n_threads = chosen(choice, <int> min(<size_t> n_threads, job.parts.n_slots)) if several else 1
    cdef void *memory = reserve(scratch_bytes(job, n_threads))
    if memory == NULL:
        raise MemoryError(f"no memory for the workspace of {n_threads} threads and {job.parts.n_slots} slots")
    lay_out(job, n_threads, memory)
    if work < RELEASE_WORK:
        total = perform(job, n_threads, &watch)
    else:
        with nogil:
            total = perform(job, n_threads, &watch)
    free(memory)
    if several:
        note(choice, team.seconds() - started, <double> work)
    team.check(&watch)
    return total
