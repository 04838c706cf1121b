# Whether a second thread pays.


# Found out over many calls of the same kind, period by period.
cdef struct Choice:
    bint begun          # there is a first period
    bint asks           # whether other programs want the cores
    bint alone          # the present period is one thread's
    bint trial          # it tries the way that was slower
    double spent        # seconds of the present period,
    double work         # in which so many multiply-adds were made
    double length       # seconds after which it ends
    double reign        # length of the next period that is no trial
    double other        # seconds of a multiply-add the other way, in the period before a trial


# Nothing known yet.
cdef Choice fresh() noexcept nogil
# Threads for the next call, of so many.
cdef int chosen(Choice *choice, int n_threads) noexcept nogil
# What a call of so many multiply-adds took.
cdef void note(Choice *choice, double seconds, double work) noexcept nogil
# Threads for a call of so many multiply-adds that comes alone: one in a crowd, unless it is long.
cdef int at_once(int n_threads, double work) noexcept nogil
