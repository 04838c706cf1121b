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
    int asked           # threads that were asked for in vain, 0 if none,
    int error           # and why there were none
    Watch *outer        # whose clock and signals count, for one call among many of a team; else NULL


# Whether a second thread pays, found out over many calls of the same kind, period by period.
cdef struct Choice:
    bint alone          # the present period is one thread's
    bint trial          # it tries the way that was slower
    size_t calls        # in the present period,
    double spent        # and the seconds they took
    double length       # seconds after which it ends
    double reign        # length of the next period that is no trial
    double other        # seconds of a call the other way, in the period before a trial


cdef double seconds() noexcept nogil
cdef Choice choice() noexcept nogil
cdef int chosen(const Choice *choice, int n_threads) noexcept nogil
cdef void note(Choice *choice, double seconds) noexcept nogil
cdef Watch watch() noexcept nogil
cdef Watch inner(Watch *outer) noexcept nogil
cdef int crew_of(int n_threads, Watch *watch) noexcept nogil
cdef void deal(Watch *watch) noexcept nogil
cdef size_t next_slot(Watch *watch, size_t n_slots) noexcept nogil
cdef void attend(Watch *watch, double nap) noexcept nogil
cdef bint keep_on(Watch *watch, size_t work) noexcept nogil
cdef int check(const Watch *watch) except -1
