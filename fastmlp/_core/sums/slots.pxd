# One pass over the samples: blocks, slots, threads, signals and ordered sums, for whatever is done to a block.

from fastmlp._core.sums.block cimport Block, Source
from fastmlp._core.sums.plan cimport Layout, Net, Partition
from fastmlp._core.threads.choice cimport Choice
from fastmlp._core.threads.team cimport Watch


# What is done to a block, in a workspace; it loads the samples. `sums` are those of its slot, stored or added to as the
# block says, or all results. Returns what is to be summed besides; a second such number is added at `block.beside`.
ctypedef double (*Step)(const Pass *job, const Block *block, void *work, void *sums) noexcept nogil


# Memory of a pass: a workspace for each thread, partial sums for each slot but the first, or for one at a time.
cdef struct Scratch:
    void *work
    size_t work_bytes           # of one thread
    void *partial
    double *values              # what steps return, for each slot,
    double *beside              # and what they add besides, NULL: nothing


cdef struct Pass:
    Step step
    const void *more            # whatever else it reads
    Block block                 # what all blocks have in common
    Partition parts
    size_t rows                 # of a workspace, those of the layout or more
    size_t work                 # multiply-adds for a sample
    size_t n_sums               # numbers that each slot sums up; 0: results go sample by sample
    size_t n_added              # how many of them, from the first on, are added up; the rest is the caller's
    void *sums                  # of the first slot and in the end of all, or the results
    bint at_once                # whether slots are added one after the other, in the place of one
    double beside               # the sum of what steps add besides
    Scratch scratch


# A pass without sums; the caller sets parameters, results, and what else differs.
cdef void prepare(Pass *job, Step step, const Net *net, const Layout *at, const Source *source,
                  Partition parts) noexcept nogil
# Bytes of memory on so many threads,
cdef size_t scratch_bytes(const Pass *job, int n_threads) noexcept nogil
# which are shared out.
cdef void lay_out(Pass *job, int n_threads, void *memory) noexcept nogil
# The pass, where memory is laid out for so many threads; the sum of what steps return. `perform` takes all of them,
# `choose` one where the others do not pay.
cdef double perform(Pass *job, int n_threads, Watch *watch) noexcept nogil
cdef double choose(Pass *job, int n_threads, Choice *choice, Watch *watch) noexcept nogil
# The pass, for Python: on as many threads as pay, in memory of its own.
cdef double run(Pass *job, int n_threads, Choice *choice) except? -1
