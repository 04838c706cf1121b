"""The team of threads: what OpenMP grants, what a fork leaves of it, and how a long call hears Ctrl-C.

Signals
-------
Python answers signals in its main thread, when that holds the GIL. So a driver has a `Watch`; each thread asks
`keep_on` before each block, and there the calling thread, some thirty times a second, takes the GIL and lets Python
answer. An exception, KeyboardInterrupt above all, waits in the thread's state; the blocks that remain are passed over,
and `check` raises it. Slots are dealt out by `next_slot` rather than by OpenMP, because the calling thread has to stay
awake until the others are done. Calls of less than a millisecond see neither clock nor GIL.

Forks
-----
The child of a fork runs on one thread: it has lost OpenMP's others, of whichever library, and GNU OpenMP would wait for
them. Only multiprocessing's fork server, which does nothing but fork, lets OpenMP put its threads down before.
"""

from cython.parallel cimport parallel, threadid
from libc.stdlib cimport getenv

from threading import get_ident

from fastmlp._core.threads cimport crew
from fastmlp._core.threads import lineage


cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define FMLP_OPENMP _OPENMP
    #else
    #define FMLP_OPENMP 0
    static int omp_get_max_threads(void) { return 1; }
    static int omp_get_thread_limit(void) { return 1; }
    static int omp_get_thread_num(void) { return 0; }
    static int omp_get_num_threads(void) { return 1; }
    #endif

    static int fmlp_is_forked, fmlp_is_fork_server;

    #ifdef _WIN32
    #include <windows.h>
    #include <intrin.h>
    static int fmlp_hear_of_forks(void) { return 0; }
    static double fmlp_seconds(void) { return 1e-3 * (double)GetTickCount64(); }
    static void fmlp_nap(double seconds) { Sleep((DWORD)(1e3 * seconds) + 1); }
    #else
    #include <pthread.h>
    #include <time.h>
    static void fmlp_before_fork(void)
    {
    #ifdef _OPENMP
        if (fmlp_is_fork_server)
            omp_pause_resource_all(omp_pause_soft);
    #endif
    }
    static void fmlp_in_child(void)
    {
        fmlp_is_forked = !fmlp_is_fork_server;
        fmlp_is_fork_server = 0;
    }
    static int fmlp_hear_of_forks(void) { return pthread_atfork(fmlp_before_fork, NULL, fmlp_in_child); }
    static double fmlp_seconds(void)
    {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    }
    static void fmlp_nap(double seconds)
    {
        struct timespec t = {0, (long)(1e9 * seconds)};
        nanosleep(&t, NULL);
    }
    #endif

    #ifdef _MSC_VER
    #define fmlp_take(counter) ((size_t)_InterlockedExchangeAdd64((volatile long long *)(counter), 1))
    #define fmlp_count(counter) (*(volatile const size_t *)(counter))
    #define fmlp_raise(flag) (*(volatile int *)(flag) = 1)
    #define fmlp_is_raised(flag) (*(volatile const int *)(flag))
    #else
    #define fmlp_take(counter) __atomic_fetch_add((counter), 1, __ATOMIC_RELAXED)
    #define fmlp_count(counter) __atomic_load_n((counter), __ATOMIC_RELAXED)
    #define fmlp_raise(flag) __atomic_store_n((flag), 1, __ATOMIC_RELAXED)
    #define fmlp_is_raised(flag) __atomic_load_n((flag), __ATOMIC_RELAXED)
    #endif
    """
    int FMLP_OPENMP
    int omp_get_max_threads() noexcept nogil
    int omp_get_thread_limit() noexcept nogil
    int omp_get_thread_num() noexcept nogil
    int omp_get_num_threads() noexcept nogil
    int fmlp_is_forked, fmlp_is_fork_server
    int fmlp_hear_of_forks() noexcept
    double fmlp_seconds() noexcept nogil
    void fmlp_nap(double seconds) noexcept nogil
    size_t fmlp_take(size_t *counter) noexcept nogil
    size_t fmlp_count(const size_t *counter) noexcept nogil
    void fmlp_raise(int *flag) noexcept nogil
    bint fmlp_is_raised(const int *flag) noexcept nogil


cdef extern from "Python.h":
    # exceptions are left where they are, for `check`
    int PyErr_CheckSignals() noexcept
    void PyErr_SetNone(object) noexcept


# ---- what OpenMP grants, and forks ----

# The OpenMP version the extension was compiled with (yyyymm), 0 without OpenMP.
openmp_version = FMLP_OPENMP

fmlp_is_forked = lineage.INHERITS_OPENMP
fmlp_is_fork_server = lineage.FORK_SERVER
if fmlp_hear_of_forks():
    raise MemoryError("no memory for a handler of forks")


def max_threads():
    """(threads OpenMP grants now, its hard limit)."""
    return omp_get_max_threads(), omp_get_thread_limit()


def asked_for():
    """FASTMLP_NUM_THREADS as it is now, or None: os.environ, which tells the C library, takes a microsecond to ask."""
    cdef const char *text = getenv("FASTMLP_NUM_THREADS")
    return None if text == NULL else <bytes> text


def forked():
    """Whether a fork has left this process without OpenMP's threads, so that one thread has to do."""
    return bool(fmlp_is_forked)


cdef object _tell = None


def tell_of_missing(function):
    """Have ``function(n_threads, errno)`` called where one thread had to do."""
    global _tell
    _tell = function


# ---- slots and signals ----

cdef double seconds() noexcept nogil:
    """A clock that only goes forward."""
    return fmlp_seconds()


cdef enum:
    LOOK_WORK = 1_000_000       # multiply-adds between looks at the clock: a fraction of a millisecond
    BLOCK_WORK = 1_000          # what a block costs besides

cdef double INTERVAL = 0.03     # seconds between answers to signals


cdef Watch watch() noexcept nogil:
    """A watch for one call, or for one run of minibatches."""
    cdef Watch new
    new.next_slot = new.idle = new.work = 0
    new.stopped = new.asked = new.error = 0
    new.started = new.due = new.nap = 0.0
    new.outer = NULL
    return new


cdef Watch inner(Watch *outer) noexcept nogil:
    """A watch for calls on one thread, within a team that has a watch of its own."""
    cdef Watch new = watch()
    new.outer = outer
    return new


cdef int crew_of(int n_threads, Watch *watch) noexcept nogil:
    """Threads for a parallel region: as many, or one where the others cannot be made, of which `check` tells."""
    cdef int error = crew.missing(n_threads)
    if error == 0:
        return n_threads
    watch.asked, watch.error = n_threads, error
    return 1


cdef void spread(Slot slot, void *job, size_t n_slots, int n_threads, Watch *watch) noexcept nogil:
    watch.next_slot = watch.idle = 0
    watch.started = 0.0
    n_threads = crew_of(n_threads, watch)
    if n_threads == 1:
        take_slots(slot, job, n_slots, 0, watch)
    else:
        with parallel(num_threads=n_threads):
            take_slots(slot, job, n_slots, threadid(), watch)


cdef void take_slots(Slot slot, void *job, size_t n_slots, int thread, Watch *watch) noexcept nogil:
    """One thread's share: slots, as long as there are any."""
    cdef size_t number = next_slot(watch, n_slots)
    while number < n_slots:
        slot(job, number, thread, watch)
        number = next_slot(watch, n_slots)


cdef size_t next_slot(Watch *watch, size_t n_slots) noexcept nogil:
    """A slot that nobody has taken yet; n_slots when there is none left, for the calling thread when all are done.

    The calling thread waits here, if the call takes long enough for naps of a hundredth of its time or the watch has
    naps of its own, and else with OpenMP, at the end of the parallel region.
    """
    cdef size_t slot = fmlp_take(&watch.next_slot)
    cdef double elapsed
    if slot < n_slots:
        return slot
    fmlp_take(&watch.idle)
    if watch.nap > 0.0:
        attend(watch, watch.nap)
    elif omp_get_thread_num() == 0 and watch.started > 0.0:
        elapsed = fmlp_seconds() - watch.started
        if elapsed >= INTERVAL:
            attend(watch, min(0.01 * elapsed, 0.5 * INTERVAL))
    return n_slots


cdef void attend(Watch *watch, double nap) noexcept nogil:
    """The calling thread answers signals, between naps of so many seconds, until no other has a slot any more."""
    cdef size_t others = omp_get_num_threads()
    while omp_get_thread_num() == 0 and fmlp_count(&watch.idle) < others and not watch.stopped:
        fmlp_nap(nap)
        answer_signals(watch)


cdef bint keep_on(Watch *watch, size_t work) noexcept nogil:
    """Whether to go on with the next block, of `work` multiply-adds."""
    if watch.outer != NULL:
        watch.stopped = not keep_on(watch.outer, work)
        return not watch.stopped
    if omp_get_thread_num() == 0:
        watch.work += work + BLOCK_WORK
        if watch.work >= LOOK_WORK:
            watch.work = 0
            answer_signals(watch)
    return not fmlp_is_raised(&watch.stopped)


# Threads whose calls are to end as if Ctrl-C were theirs too, by their identifiers.
cdef set _interrupted = set()


def interrupt(thread):
    """End the calls of a thread, those under way and those to come, by KeyboardInterrupt, until `forget`."""
    _interrupted.add(thread)


def forget(thread):
    """Let a thread, or a later one of the same identifier, call again."""
    _interrupted.discard(thread)


class TimeOver(Exception):
    """A call has gone on for longer than `limit` has granted."""


# When calls of a thread are to end, on the clock of `seconds`, by its identifier.
cdef dict _limits = {}


def limit(double seconds):
    """End calls of this thread that are still under way so many seconds from now, by TimeOver, until `unlimited`."""
    _limits[get_ident()] = fmlp_seconds() + seconds


def unlimited():
    """Let calls of this thread take their time again."""
    _limits.pop(get_ident(), None)


cdef bint is_interrupted() noexcept:
    if not _interrupted and not _limits:
        return False
    thread = get_ident()
    if thread in _interrupted:
        PyErr_SetNone(KeyboardInterrupt)
        return True
    if thread in _limits and fmlp_seconds() >= <double> _limits[thread]:
        PyErr_SetNone(TimeOver)
        return True
    return False


cdef void answer_signals(Watch *watch) noexcept nogil:
    """Let Python answer signals, if it is time; by the calling thread."""
    cdef double now = fmlp_seconds()
    if watch.started == 0.0:
        watch.started = now
    if watch.due == 0.0:
        watch.due = now + INTERVAL
    elif now >= watch.due and not watch.stopped:
        with gil:
            if PyErr_CheckSignals() < 0 or is_interrupted():
                fmlp_raise(&watch.stopped)
        watch.due = fmlp_seconds() + INTERVAL


cdef int check(const Watch *watch) except -1:
    """Raise what a signal's handler has raised meanwhile; tell of threads that could not be made."""
    if watch.stopped:
        return -1
    if watch.asked and _tell is not None:
        _tell(watch.asked, watch.error)
    return 0
