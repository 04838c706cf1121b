"""Whether a second thread pays.

Threads that wait for each other lose far more than they gain where another program wants the same cores: a call of a
tenth of a millisecond takes tens of them. Who computes again and again keeps a `Choice`: a short period each with all
threads and with one, then a long one of the faster way, and so on. Linux tells besides how many threads want to run,
whosever they are (/proc/loadavg): as long as these are more than the CPUs, nothing is tried, unless FASTMLP_CROWD is
"ignore". Results do not depend on the number of threads, to the bit.
"""

import os

from fastmlp._core.threads cimport team

cdef extern from * nogil:
    """
    #if defined(__linux__)
    #include <fcntl.h>
    #include <string.h>
    #include <unistd.h>
    /* "0.20 0.18 0.12 3/80 11206": three threads run or want to; 0 if nobody tells. */
    static long fmlp_runnable(void)
    {
        char text[128];
        const int file = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
        const ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
        long runnable = 0;
        if (file >= 0)
            close(file);
        text[length > 0 ? length : 0] = 0;
        const char *digit = strchr(text, '/');
        for (long unit = 1; digit && --digit >= text && *digit >= '0' && *digit <= '9' && unit < 1000000; unit *= 10)
            runnable += unit * (*digit - '0');
        return runnable;
    }
    static long fmlp_cpus(void) { return sysconf(_SC_NPROCESSORS_ONLN); }
    #else
    static long fmlp_runnable(void) { return 0; }
    static long fmlp_cpus(void) { return 1; }
    #endif

    #ifdef _MSC_VER
    #define fmlp_get(place) (*(volatile long long *)(place))
    #define fmlp_set(place, value) (*(volatile long long *)(place) = (value))
    #else
    #define fmlp_get(place) __atomic_load_n((place), __ATOMIC_RELAXED)
    #define fmlp_set(place, value) __atomic_store_n((place), (value), __ATOMIC_RELAXED)
    #endif
    """
    long fmlp_runnable()
    long fmlp_cpus()
    long long fmlp_get(const long long *place)
    void fmlp_set(long long *place, long long value)

cdef double TRIAL = 0.005           # seconds of a period that tries the slower way,
cdef double REIGN = 0.1             # of the first one of the faster way,
cdef double LONGEST_REIGN = 1.6     # and of the longest, for which they double
cdef double LONG_WORK = 1e8         # multiply-adds of calls that wait for each other too seldom to need a choice
cdef double STALE = 0.01            # seconds after which Linux is asked again: that takes some microseconds

cdef bint _heeds = True
cdef long long _answer = 0          # twice the time of the latest answer, in units of STALE; one more for a crowd


cdef bint crowded() noexcept nogil:
    cdef long long now = <long long> (team.seconds() / STALE), answer = fmlp_get(&_answer)
    cdef bint crowd
    if answer >> 1 == now:
        return answer & 1
    crowd = fmlp_runnable() > fmlp_cpus()
    fmlp_set(&_answer, 2 * now + crowd)
    return crowd


cdef Choice fresh() noexcept nogil:
    cdef Choice new
    new.begun = new.alone = new.trial = False
    new.asks = _heeds
    new.spent = new.work = new.other = 0.0
    new.length = TRIAL
    new.reign = REIGN
    return new


cdef int chosen(Choice *choice, int n_threads) noexcept nogil:
    """The first period is that of all threads, unless there is a crowd."""
    if not choice.begun:
        choice.begun = True
        if choice.asks and crowded():
            choice.alone = True
            choice.length = REIGN
    return 1 if choice.alone else n_threads


cdef int at_once(int n_threads, double work) noexcept nogil:
    return 1 if n_threads > 1 and _heeds and work < LONG_WORK and crowded() else n_threads


cdef void note(Choice *choice, double seconds, double work) noexcept nogil:
    """Begin another period when it is time."""
    cdef double mean
    cdef bint surprise
    choice.spent += seconds
    choice.work += work
    if choice.spent < choice.length:
        return
    mean = choice.spent / choice.work
    choice.spent = choice.work = 0.0
    if choice.trial:
        surprise = mean < choice.other
        choice.alone = choice.alone == surprise
        choice.reign = REIGN if surprise else min(2.0 * choice.reign, LONGEST_REIGN)
        choice.length = choice.reign
        choice.trial = False
    elif choice.alone and choice.asks and crowded():
        choice.length = choice.reign
    elif choice.alone or work < LONG_WORK:
        choice.other = mean
        choice.alone = not choice.alone
        choice.length = TRIAL
        choice.trial = True


def heed(crowd):
    """Whether it counts from now on that more threads want to run than there are CPUs: "heed" or "ignore"."""
    global _heeds
    if crowd not in ("heed", "ignore"):
        raise ValueError(f"FASTMLP_CROWD: expected heed or ignore, got {crowd!r}")
    _heeds = crowd == "heed"


heed(os.environ.get("FASTMLP_CROWD") or "heed")


def runnable():
    """(Threads that run or want to, of all programs, 0 if nobody tells; CPUs): for tests and for the curious."""
    return fmlp_runnable(), fmlp_cpus()


def choices(double together, double alone, size_t n_calls, double later=0.0):
    """Numbers of threads, of two, that a `Choice` makes for calls of so many seconds: for tests.

    From halfway on calls of two threads take `later` seconds, if that is given.
    """
    cdef Choice own = fresh()
    cdef size_t call
    own.asks = False
    threads = []
    for call in range(n_calls):
        if later and call == n_calls // 2:
            together = later
        threads.append(chosen(&own, 2))
        note(&own, together if threads[call] == 2 else alone, 5e9 * alone)
    return threads
