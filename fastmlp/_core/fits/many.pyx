"""Many networks trained at once: each by one thread, by Levenberg-Marquardt or L-BFGS, without the GIL.

Networks are handed out one by one, in their order, to whichever thread is free. A network sees one thread and its own
data only, so that its result depends on neither the number of threads nor the other networks.

Training ends as `advance` of the method says, or where PATIENCE successive steps have each changed the objective by
less than ftol of it, after max_iter steps, or when time is up.
"""

from libc.math cimport fabs, isfinite
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

from fastmlp._core.bridge cimport kernels
from fastmlp._core.fits cimport lbfgs, lm
from fastmlp._core.threads cimport choice, team
from fastmlp._core.storage.memory cimport plus, times
from fastmlp._core.storage.vectors cimport ALIGNMENT, lines
from fastmlp._core.sums.batch cimport Batch
from fastmlp._core.sums.block cimport Source
from fastmlp._core.sums.plan cimport GRADIENT_WORK, Net, Partition
from fastmlp._core.threads.team cimport Watch

from fastmlp._core.bridge.kernels import isa_index

cdef enum:
    PATIENCE = 3

cdef double NAP = 2e-4      # seconds

cdef enum Ending:
    AT_A_MINIMUM        # |g|_inf <= tol
    AT_MAX_ITER
    WITHOUT_DECREASE    # within rounding error
    SLOW                # by ftol
    FLAT                # by fatol
    SPENT               # by max_values
    LATE
    NOT_FINITE          # the objective at the start
    CUT_SHORT           # by a signal, or not begun

#: what `Record.ending` counts
ENDINGS = ("converged", "max_iter", "stalled", "slow", "flat", "max_fun", "time_limit", "diverged", "interrupted")


# What has become of a network.
cdef packed struct Record:
    double value, grad_norm         # of the objective
    long long n_steps, n_values, n_gradients, n_hessians, ending


RECORD = np.dtype([("value", "f8"), ("grad_norm", "f8"), ("n_steps", "i8"), ("n_values", "i8"), ("n_gradients", "i8"),
                   ("n_hessians", "i8"), ("ending", "i8")])


cdef struct Job:
    const Net *net
    const Source *source
    Partition parts         # of the samples, for L-BFGS
    const double *decay
    double *params          # the start, then the result
    double tol
    Record *record


cdef struct Rules:
    bint quasi              # by L-BFGS
    double ftol
    size_t max_iter
    double deadline         # on the clock of `team.seconds`
    double damping                                  # of Levenberg-Marquardt
    double fatol                                    # of L-BFGS
    size_t max_pairs, max_trials, max_values


# A training by either method.
cdef struct Run:
    bint quasi
    lm.Fit lm
    lbfgs.Fit lbfgs


cdef size_t memory_bytes(const Job *job, const Rules *rules) noexcept nogil:
    if rules.quasi:
        return lbfgs.memory_bytes(job.net, job.parts, 1, rules.max_pairs)
    return lm.memory_bytes(job.net, job.source.n, 1)


cdef void begin(Run *run, const Job *job, const Rules *rules, const void *ops, void *memory,
                Watch *watch) noexcept nogil:
    """Put the start into place, and evaluate there."""
    cdef size_t n_bytes = job.net.n_params * sizeof(double)
    run.quasi = rules.quasi
    if rules.quasi:
        lbfgs.lay_out(&run.lbfgs, job.net, job.source, NULL, job.parts, 1, ops, rules.max_pairs, memory)
        run.lbfgs.objective.factor, run.lbfgs.objective.decay = 1.0, job.decay
        run.lbfgs.tol, run.lbfgs.ftol, run.lbfgs.fatol = job.tol, 0.0, rules.fatol
        run.lbfgs.max_trials, run.lbfgs.max_values = rules.max_trials, rules.max_values
        memcpy(run.lbfgs.at.x, job.params, n_bytes)
        lbfgs.start(&run.lbfgs, watch)
    else:
        lm.lay_out(&run.lm, job.net, job.source, ops, 1, memory)
        run.lm.at.factor, run.lm.at.decay, run.lm.tol = 1.0, job.decay, job.tol
        memcpy(run.lm.at.x, job.params, n_bytes)
        lm.start(&run.lm, rules.damping, False, watch)


cdef Ending advance(Run *run, size_t n_steps, Watch *watch) noexcept nogil:
    """Make so many steps; AT_MAX_ITER if it may go on after them."""
    cdef lbfgs.Status quasi
    cdef lm.Status status
    if run.quasi:
        quasi = lbfgs.advance(&run.lbfgs, n_steps, NULL, watch)
        if quasi == lbfgs.FLAT:
            return FLAT
        if quasi == lbfgs.SPENT:
            return SPENT
        if quasi == lbfgs.CONVERGED:
            return AT_A_MINIMUM
        if quasi == lbfgs.INTERRUPTED:
            return CUT_SHORT
        return WITHOUT_DECREASE if quasi == lbfgs.STALLED else AT_MAX_ITER
    status = lm.advance(&run.lm, n_steps, NULL, watch)
    if status == lm.CONVERGED:
        return AT_A_MINIMUM
    if status == lm.INTERRUPTED:
        return CUT_SHORT
    return WITHOUT_DECREASE if status == lm.STALLED else AT_MAX_ITER


cdef void report(const Run *run, const Job *job) noexcept nogil:
    """Parameters and record of where it stands."""
    cdef Record *record = job.record
    if run.quasi:
        memcpy(job.params, run.lbfgs.at.x, job.net.n_params * sizeof(double))
        record.value, record.grad_norm, record.n_steps = run.lbfgs.at.value, run.lbfgs.at.grad_norm, run.lbfgs.n_steps
        record.n_values = record.n_gradients = run.lbfgs.objective.n_values
        return
    memcpy(job.params, run.lm.at.x, job.net.n_params * sizeof(double))
    record.value, record.grad_norm, record.n_steps = run.lm.at.value, run.lm.at.grad_norm, run.lm.n_steps
    record.n_values = run.lm.at.n_values + run.lm.ahead.n_values
    record.n_gradients = run.lm.at.n_gradients + run.lm.ahead.n_gradients
    record.n_hessians = run.lm.at.n_hessians + run.lm.ahead.n_hessians


cdef inline double value(const Run *run) noexcept nogil:
    return run.lbfgs.at.value if run.quasi else run.lm.at.value


cdef inline size_t steps(const Run *run) noexcept nogil:
    return run.lbfgs.n_steps if run.quasi else run.lm.n_steps


cdef Ending descend(Run *run, const Rules *rules, Watch *watch) noexcept nogil:
    """Steps to the end."""
    cdef size_t made
    cdef int slow = 0
    cdef double before
    cdef Ending ending = advance(run, 0, watch)
    while ending == AT_MAX_ITER and steps(run) < rules.max_iter:
        if team.seconds() >= rules.deadline:
            return LATE
        made, before = steps(run), value(run)
        ending = advance(run, 1, watch)
        if steps(run) > made and ending == AT_MAX_ITER:
            slow = slow + 1 if fabs(before - value(run)) < rules.ftol * fabs(before) else 0
            if slow == PATIENCE:
                return SLOW
    return ending


cdef void train_one(const Job *job, const Rules *rules, const void *ops, void *memory, Watch *watch) noexcept nogil:
    cdef Run run
    begin(&run, job, rules, ops, memory, watch)
    if watch.stopped:
        return
    report(&run, job)
    if isfinite(job.record.value) and isfinite(job.record.grad_norm):
        job.record.ending = descend(&run, rules, watch)
        report(&run, job)
    else:
        job.record.ending = NOT_FINITE


cdef struct Crowd:
    const Job *jobs
    const Rules *rules
    const void *ops
    char *memory            # a workspace of each thread,
    size_t workspace        # in bytes


cdef void next_one(void *context, size_t number, int thread, Watch *watch) noexcept nogil:
    cdef const Crowd *crowd = <const Crowd *> context
    cdef Watch mine = team.inner(watch)
    if team.keep_on(&mine, 0):
        train_one(&crowd.jobs[number], crowd.rules, crowd.ops, crowd.memory + thread * crowd.workspace, &mine)


def unwritten(n_jobs):
    """Records (RECORD) of so many networks that are not done."""
    records = np.zeros(n_jobs, RECORD)
    records["ending"] = CUT_SHORT
    return records


def train(list batches, list params, list decays, list tols, double ftol, size_t max_iter, method, dict options,
          double seconds, int n_threads, records=None):
    """Train one network for each entry of the lists; a record for each.

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
    method : str
        lm or lbfgs.
    options : dict
        lm: damping, at the start, as for `lm.Descent`. lbfgs: fatol, maxcor, maxls, maxfun, as for `lbfgs.Descent`.
    seconds : float
        The time limit; infinity for none.
    n_threads : int
    records : ndarray, optional
        `unwritten` ones, to be taken: after an exception they tell which networks were done.
    """
    cdef size_t n_jobs = len(batches), number, workspace = 0
    records = unwritten(n_jobs) if records is None else records
    cdef Record[::1] written = records
    cdef Job *jobs
    cdef Job *job
    cdef Batch batch
    cdef double[::1] x
    cdef const double[::1] decay
    cdef Watch watch = team.watch()
    cdef Crowd crowd
    cdef Rules rules
    rules.quasi = method == "lbfgs"
    rules.ftol, rules.max_iter, rules.deadline = ftol, max_iter, team.seconds() + seconds
    if rules.quasi:
        rules.fatol = options["fatol"]
        rules.max_pairs, rules.max_trials, rules.max_values = options["maxcor"], options["maxls"], options["maxfun"]
        rules.max_pairs = min(rules.max_pairs, max(<size_t> 1, max_iter))   # each step tells of one
    else:
        rules.damping = options["damping"]
    cdef const void *ops = kernels.table(isa_index(None), sizeof(double))
    cdef Job sample
    cdef double products = 0.0
    for batch in batches:
        sample.net, sample.source, sample.parts = &batch.plan.net, &batch.source, batch.plan.partition(batch.source.n)
        workspace = max(workspace, memory_bytes(&sample, &rules))
        products += <double> sample.source.n * <double> (sample.net.n_params * GRADIENT_WORK)
    workspace = lines(workspace)
    # as if each step took a gradient only: what may be short is not to wait for others
    n_threads = choice.at_once(<int> max(<size_t> 1, min(<size_t> n_threads, n_jobs)), products * <double> max_iter)
    cdef size_t n_bytes = plus(times(n_threads, workspace), n_jobs * sizeof(Job) + ALIGNMENT)
    cdef void *memory = malloc(n_bytes)
    if memory == NULL:
        raise MemoryError(f"no memory for {n_threads} networks at once: {n_bytes} bytes; fewer threads need less"
                          + (", and a smaller maxcor" if rules.quasi else ""))
    cdef char *work = <char *> lines(<size_t> memory)
    jobs = <Job *> (work + n_threads * workspace)
    for number in range(n_jobs):
        batch, x, decay = batches[number], params[number], decays[number]
        job = &jobs[number]
        job.net, job.source, job.params, job.tol = &batch.plan.net, &batch.source, &x[0], tols[number]
        job.parts = batch.plan.partition(batch.source.n)
        job.decay = &decay[0] if decay is not None else NULL
        job.record = &written[number]
    crowd.jobs, crowd.rules, crowd.ops, crowd.memory, crowd.workspace = jobs, &rules, ops, work, workspace
    watch.nap = NAP         # others may be busy with a large network
    with nogil:
        team.spread(next_one, &crowd, n_jobs, n_threads, &watch)
    free(memory)
    team.check(&watch)
    return records
