"""Many networks trained at once: each by one thread, by Levenberg-Marquardt or L-BFGS, without the GIL.

Networks are handed out one by one, in their order, to whichever thread is free. A network sees one thread and its own
data only, so that its result depends on neither the number of threads nor the other networks.

Training ends as `advance` of `descent` says, or where PATIENCE successive steps have each changed the objective by
less than ftol of it, after max_iter steps, or when time is up.
"""

from libc.math cimport fabs, isfinite
from libc.stdlib cimport free
from libc.string cimport memcpy

import numpy as np

from fastmlp._core.fits cimport descent, lbfgs, lm
from fastmlp._core.threads cimport choice, team
from fastmlp._core.fits.descent cimport (
    AT_MAX_ITER, INTERRUPTED, LATE, NOT_FINITE, RUNNING, SLOW, Fit, Method, Options, Status, advance, answer, read,
)
from fastmlp._core.fits.objective cimport Objective, Problem
from fastmlp._core.storage.memory cimport plus, reserve, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines
from fastmlp._core.sums.plan cimport GRADIENT_WORK
from fastmlp._core.threads.team cimport Watch

cdef enum:
    PATIENCE = 3

cdef double NAP = 2e-4      # seconds


# What has become of a network; `ending` is a Status.
cdef packed struct Record:
    double value, grad_norm         # of the objective
    long long n_steps, n_values, n_gradients, n_hessians, ending


RECORD = np.dtype([("value", "f8"), ("grad_norm", "f8"), ("n_steps", "i8"), ("n_values", "i8"), ("n_gradients", "i8"),
                   ("n_hessians", "i8"), ("ending", "i8")])


cdef struct Job:
    const Problem *problem
    Options options
    double *params          # the start, then the result
    Record *record


# What holds for all jobs.
cdef struct Crowd:
    const Method *method
    double ftol
    size_t max_iter
    double deadline         # on the clock of `team.seconds`
    const Job *jobs
    char *memory            # a workspace of each thread,
    size_t workspace        # in bytes


cdef void report(const Fit *fit, const Job *job) noexcept nogil:
    """Parameters and record of where it stands."""
    cdef Record *record = job.record
    memcpy(job.params, fit.at.x, fit.problem.n * sizeof(double))
    record.value, record.grad_norm, record.n_steps = fit.at.value, fit.at.grad_norm, fit.n_steps
    record.n_values, record.n_gradients = fit.evaluator.n_values, fit.evaluator.n_gradients
    record.n_hessians = fit.evaluator.n_hessians


cdef Status train_on(Fit *fit, const Crowd *crowd, Watch *watch) noexcept nogil:
    """Steps to the end."""
    cdef size_t made
    cdef int slow = 0
    cdef double before
    cdef Status status = advance(fit, 0, NULL, watch)
    while status == RUNNING and fit.n_steps < crowd.max_iter:
        if team.seconds() >= crowd.deadline:
            return LATE
        made, before = fit.n_steps, fit.at.value
        status = advance(fit, 1, NULL, watch)
        if fit.n_steps > made and status == RUNNING:
            slow = slow + 1 if fabs(before - fit.at.value) < crowd.ftol * fabs(before) else 0
            if slow == PATIENCE:
                return SLOW
    return AT_MAX_ITER if status == RUNNING else status


cdef void train_one(const Job *job, const Crowd *crowd, void *memory, Watch *watch) noexcept nogil:
    cdef Fit fit
    descent.begin(&fit, crowd.method, job.problem, &job.options, job.params, memory)
    answer(&fit, watch)
    if watch.stopped:
        return
    report(&fit, job)
    if isfinite(job.record.value) and isfinite(job.record.grad_norm):
        job.record.ending = train_on(&fit, crowd, watch)
        report(&fit, job)
    else:
        job.record.ending = NOT_FINITE


cdef void next_one(void *context, size_t number, int thread, Watch *watch) noexcept nogil:
    cdef const Crowd *crowd = <const Crowd *> context
    cdef Watch mine = team.inner(watch)
    if team.keep_on(&mine, 0):
        train_one(&crowd.jobs[number], crowd, crowd.memory + thread * crowd.workspace, &mine)


def unwritten(n_jobs):
    """Records (RECORD) of so many networks that are not done."""
    records = np.zeros(n_jobs, RECORD)
    records["ending"] = INTERRUPTED
    return records


def train(list fits, method, dict options, double seconds, int n_threads, records=None):
    """Train one network for each fit; a record for each.

    Parameters
    ----------
    fits : list of (Objective, ndarray of shape (P,) of float64, float)
        Each objective for one thread; the start, which becomes the result, after an exception that of the latest step;
        and tol, for |g|_inf.
    method : str
        lm or lbfgs.
    options : dict
        ftol; max_iter, accepted steps; and those of the method, as for its `Descent`, but for its own ftol.
    seconds : float
        The time limit; infinity for none.
    n_threads : int
    records : ndarray, optional
        `unwritten` ones, to be taken: after an exception they tell which networks were done.
    """
    cdef size_t n_jobs = len(fits), number, workspace = 0
    records = unwritten(n_jobs) if records is None else records
    cdef Record[::1] written = records
    cdef Options settings = read(0.0, options)
    cdef Objective objective
    cdef double[::1] x
    cdef Watch watch = team.watch()
    cdef Crowd crowd
    cdef const Problem *problem
    cdef double products = 0.0
    crowd.method = &lbfgs.METHOD if method == "lbfgs" else &lm.METHOD
    crowd.ftol, crowd.max_iter, crowd.deadline = settings.ftol, options["max_iter"], team.seconds() + seconds
    settings.ftol = 0.0
    settings.max_pairs = min(settings.max_pairs, max(<size_t> 1, crowd.max_iter))   # each step tells of one
    for objective, _, _ in fits:
        problem = &objective.problem
        if problem.source == NULL:
            raise TypeError("fits: expected samples in memory, got chunks, which one network at a time reads")
        workspace = max(workspace, descent.memory_bytes(crowd.method, problem, &settings))
        products += <double> problem.source.n * <double> (problem.net.n_params * GRADIENT_WORK)
    workspace = lines(workspace)
    # as if each step took a gradient only: what may be short is not to wait for others
    n_threads = <int> max(<size_t> 1, min(<size_t> n_threads, n_jobs))
    n_threads = choice.at_once(n_threads, products * <double> crowd.max_iter)
    cdef size_t n_bytes = plus(times(n_threads, workspace), n_jobs * sizeof(Job) + ALIGNMENT)
    cdef void *memory = reserve(n_bytes)
    if memory == NULL:
        raise MemoryError(f"no memory for {n_threads} networks at once: {n_bytes} bytes; fewer threads need less"
                          + (", and a smaller maxcor" if method == "lbfgs" else ""))
    cdef char *work = <char *> lines(<size_t> memory)
    cdef Job *jobs = <Job *> (work + n_threads * workspace)
    for number in range(n_jobs):
        objective, x, settings.tol = fits[number]
        jobs[number].problem, jobs[number].options = &objective.problem, settings
        jobs[number].params, jobs[number].record = &x[0], &written[number]
    crowd.jobs, crowd.memory, crowd.workspace = jobs, work, workspace
    watch.nap = NAP         # others may be busy with a large network
    with nogil:
        team.spread(next_one, &crowd, n_jobs, n_threads, &watch)
    free(memory)
    team.check(&watch)
    return records
