# The team of threads that works on one call: dealing out slots, and answering signals meanwhile.


# One for each call. The calling thread alone writes behind `apart`, so that others need not fetch its line again.
cdef struct Watch:
    size_t next_slot
    size_t idle         # threads that have found no slot left
    int stopped         # an exception is to be raised: the blocks that remain are passed over
    char apart[64]
    size_t work         # multiply-adds since the latest look at the clock
    double started      # seconds at the first look at the clock since slots were dealt, 0.0 before
    double due          # seconds at the next answer to signals, 0.0 before the first look
    double nap          # seconds between looks at the others, when there is nothing left to do; 0.0: as is usual
    int asked           # threads that were asked for in vain, 0 if none,
    int error           # and why there were none
    Watch *outer        # whose clock and signals count, for one call among many of a team; else NULL


# What is done for a slot by a thread of the team, of that number.
ctypedef void (*Slot)(void *job, size_t slot, int thread, Watch *watch) noexcept nogil


cdef double seconds() noexcept nogil
cdef Watch watch() noexcept nogil
cdef Watch inner(Watch *outer) noexcept nogil
# All slots, dealt out to so many threads, or to one where the others cannot be made, of which `check` tells.
cdef void spread(Slot slot, void *job, size_t n_slots, int n_threads, Watch *watch) noexcept nogil
cdef bint keep_on(Watch *watch, size_t work) noexcept nogil
cdef int check(const Watch *watch) except -1
