"""Many networks trained at once: each by one thread, by Levenberg-Marquardt, without the GIL.

Networks are handed out one by one, in their order, to whichever thread is free. A network sees one thread and its own
data only, so that its result depends on neither the number of threads nor the other networks.

Training ends as `lm.advance` says, or where PATIENCE successive steps have each changed the objective by less than ftol
of it, after max_iter steps, or when time is up.
"""

from cython.parallel cimport parallel, threadid
from libc.math cimport fabs, isfinite
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from fastmlp._core cimport kernels, lm, team
from fastmlp._core.batch cimport Batch, Source
from fastmlp._core.lm cimport CONVERGED, INTERRUPTED, RUNNING, STALLED, Fit, Status
from fastmlp._core.plan cimport Net
from fastmlp._core.team cimport Watch

from fastmlp._core.kernels import isa_index

cdef enum:
    PATIENCE = 3
    LINE = 64           # bytes

cdef double NAP = 2e-4      # seconds

cdef enum Ending:
    AT_A_MINIMUM        # |g|_inf <= tol
    AT_MAX_ITER
    WITHOUT_DECREASE    # within rounding error
    SLOW                # by ftol
    LATE
    NOT_FINITE          # the objective at the start
    CUT_SHORT           # by a signal, or not begun

#: what `Record.ending` counts
ENDINGS = ("converged", "max_iter", "stalled", "slow", "time_limit", "diverged", "interrupted")


# What has become of a network.
cdef packed struct Record:
    double value, grad_norm         # of the objective
    long long n_steps, n_values, n_gradients, n_hessians, ending


RECORD = np.dtype([("value", "f8"), ("grad_norm", "f8"), ("n_steps", "i8"), ("n_values", "i8"), ("n_gradients", "i8"),
                   ("n_hessians", "i8"), ("ending", "i8")])


cdef struct Job:
    const Net *net
    const Source *source
    const double *decay
    double *params          # the start, then the result
    double tol
    Record *record


cdef struct Rules:
    double ftol, damping
    size_t max_iter
    double deadline         # on the clock of `team.seconds`


cdef Ending descend(Fit *fit, const Rules *rules, Watch *watch) noexcept nogil:
    """Steps to the end."""
    cdef size_t steps
    cdef int slow = 0
    cdef double before
    cdef Status status = lm.advance(fit, 0, NULL, watch)
    while status == RUNNING and fit.n_steps < rules.max_iter:
        if team.seconds() >= rules.deadline:
            return LATE
        steps, before = fit.n_steps, fit.at.value
        status = lm.advance(fit, 1, NULL, watch)
        if fit.n_steps > steps and status == RUNNING:
            slow = slow + 1 if fabs(before - fit.at.value) < rules.ftol * fabs(before) else 0
            if slow == PATIENCE:
                return SLOW
    if status == CONVERGED:
        return AT_A_MINIMUM
    if status == INTERRUPTED:
        return CUT_SHORT
    return WITHOUT_DECREASE if status == STALLED else AT_MAX_ITER


cdef void train_one(const Job *job, const Rules *rules, const void *ops, void *memory, Watch *watch) noexcept nogil:
    cdef Fit fit
    cdef Record *record = job.record
    lm.lay_out(&fit, job.net, job.source, ops, 1, memory)
    fit.at.factor, fit.at.decay, fit.tol = 1.0, job.decay, job.tol
    memcpy(fit.at.x, job.params, job.net.n_params * sizeof(double))
    lm.start(&fit, rules.damping, False, watch)
    if watch.stopped:
        return
    if isfinite(fit.at.value) and isfinite(fit.at.grad_norm):
        record.ending = descend(&fit, rules, watch)
    else:
        record.ending = NOT_FINITE
    memcpy(job.params, fit.at.x, job.net.n_params * sizeof(double))
    record.value, record.grad_norm, record.n_steps = fit.at.value, fit.at.grad_norm, fit.n_steps
    record.n_values = fit.at.n_values + fit.ahead.n_values
    record.n_gradients = fit.at.n_gradients + fit.ahead.n_gradients
    record.n_hessians = fit.at.n_hessians + fit.ahead.n_hessians


cdef void share(const Job *jobs, size_t n_jobs, const Rules *rules, const void *ops, void *memory,
                Watch *watch) noexcept nogil:
    """One thread's share: networks, as long as there are any."""
    cdef Watch mine = team.inner(watch)
    cdef size_t number = team.next_slot(watch, n_jobs)
    while number < n_jobs:
        if not mine.stopped:
            train_one(&jobs[number], rules, ops, memory, &mine)
        number = team.next_slot(watch, n_jobs)
    team.attend(watch, NAP)     # others may be busy with a large network


def train(list batches, list params, list decays, list tols, double ftol, size_t max_iter, double damping,
          double seconds, int n_threads):
    """Train one network for each entry of the lists; a record (RECORD) for each.

    Parameters
    ----------
    batches : list of Batch
        Network and samples.
    params : list of ndarray of shape (P,), float64
        The starts, which become the results; after an exception, those of the latest steps.
    decays : list of ndarray of shape (P,), float64, or None
        lambda.
    tols : list of float
        For |g|_inf.
    ftol : float
    max_iter : int
        Accepted steps.
    damping : float
        At the start, as for `lm.Descent`.
    seconds : float
        The time limit; infinity for none.
    n_threads : int
    """
    cdef size_t n_jobs = len(batches), number, workspace = 0
    cdef Record[::1] records = np.zeros(n_jobs, RECORD)
    cdef Job *jobs
    cdef Job *job
    cdef Batch batch
    cdef double[::1] x
    cdef const double[::1] decay
    cdef Watch watch = team.watch()
    cdef Rules rules = Rules(ftol, damping, max_iter, team.seconds() + seconds)
    cdef const void *ops = kernels.table(isa_index(None), sizeof(double))
    for batch in batches:
        workspace = max(workspace, lm.memory_bytes(&batch.plan.net, batch.source.n, 1))
    workspace = (workspace + LINE - 1) // LINE * LINE
    n_threads = <int> max(<size_t> 1, min(<size_t> n_threads, n_jobs))
    cdef size_t n_bytes = n_threads * workspace + n_jobs * sizeof(Job) + LINE
    cdef void *memory = malloc(n_bytes)
    if memory == NULL:
        raise MemoryError(f"no memory for the matrices of {n_threads} networks at once: {n_bytes} bytes")
    cdef char *work = <char *> ((<size_t> memory + LINE - 1) // LINE * LINE)
    jobs = <Job *> (work + n_threads * workspace)
    for number in range(n_jobs):
        batch, x, decay = batches[number], params[number], decays[number]
        job = &jobs[number]
        job.net, job.source, job.params, job.tol = &batch.plan.net, &batch.source, &x[0], tols[number]
        job.decay = &decay[0] if decay is not None else NULL
        job.record = &records[number]
        job.record.ending = CUT_SHORT
    with nogil:
        team.deal(&watch)
        if n_threads == 1:
            share(jobs, n_jobs, &rules, ops, work, &watch)
        else:
            with parallel(num_threads=n_threads):
                share(jobs, n_jobs, &rules, ops, work + threadid() * workspace, &watch)
    free(memory)
    team.check(&watch)
    return np.asarray(records)
