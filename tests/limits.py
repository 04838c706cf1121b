"""Operations under limits of memory and threads, each in a process of its own: `python tests/limits.py` prints a table,
for all or for those that are named.

Allowed are the right result, MemoryError, and one thread with its warning. After a MemoryError the limit is lifted, and
the same operation has to give the right result.
"""

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import fastmlp

STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # MB above what is in use
STACKS = ("1 K", "20 K", "100 G", "garbage", "-1")
BUSY, LONGEST = 60, 600  # seconds of processor time, and of the clock: on a busy machine a run of two takes a minute
DECAY = fastmlp.WeightDecay(0.1, 0.1)
NOBODY = 65534
MB = 1 << 20


class Problem:
    """Data of a size, and what is done with them."""

    def __init__(self, n, n_threads):
        rng = np.random.default_rng(0)
        self.X, self.threads = rng.normal(size=(n, 8)), {"n_threads": n_threads}
        self.T = np.sin(self.X[:, :1]) + 0.1 * rng.normal(size=(n, 1))
        self.some = self.X[:1000], self.T[:1000]
        self.net = fastmlp.Network([8, 20, 1], rng=0)

    def fitted(self, method, **options):
        return self.net.copy().fit(self.X, self.T, method, max_iter=3, rng=0, **options, **self.threads).x

    def minimum(self):
        import scipy.optimize

        objective = self.net.objective(self.X, self.T, penalty=DECAY, **self.threads)
        how = {"jac": True, "method": "L-BFGS-B", "options": {"maxiter": 3}}
        return scipy.optimize.minimize(objective.value_and_grad, objective.x0, **how).x

    def pruned(self):
        options = {"penalty": DECAY, "what": "units", "n_params": 150, "max_iter": 3, "tol": 1e3}
        return fastmlp.prune(self.net, *self.some, **options, **self.threads)

    def laplace(self):
        return fastmlp.Laplace(self.net, self.X, self.T, prior_precision=1.0, noise_precision=10.0, **self.threads)

    def many(self):
        nets = [fastmlp.Network([8, 10, 1], rng=seed) for seed in range(3)]
        return np.concatenate([run.x for run in fastmlp.fit_many(nets, self.X, self.T, max_iter=3, **self.threads)])

    def swept(self):
        found = fastmlp.sweep(self.X, self.T, [2, 5], 2, 0.2, max_iter=3, rng=0, **self.threads)
        return np.array([run.validation_loss for run in found.runs])

    def evidence(self):
        X, T = self.X[:800], self.T[:800]
        return fastmlp.fit_evidence(self.net.copy(), X, T, max_iter=2, rng=0, **self.threads).params

    def squares(self):
        objective = self.net.objective(*self.some, penalty=DECAY, **self.threads)
        return fastmlp.levenberg_marquardt(objective.residuals, objective.residual_jac, objective.x0, max_iter=3).x

    def asked(self):
        penalty = fastmlp.Sum(DECAY, fastmlp.Quadratic(self.net.params, np.eye(self.net.n_params)))
        own = self.net.objective(*self.some, penalty=penalty, **self.threads)
        matrices = own.hess(own.x0), own.ggn(own.x0), *own.normal_equations(own.x0)[1:]
        return np.concatenate([np.ravel(each) for each in (own.value(own.x0), own.grad(own.x0), *matrices)])

    def weighed(self):
        found = fastmlp.importances(self.net, *self.some, penalty=DECAY, **self.threads)
        return np.concatenate([found.saliency, *found.sensitivity, *found.olden, *found.garson])

    def estimator(self):
        return fastmlp.MLPRegressor.from_network(self.net, alpha=1.0, max_iter=3, batch_size=500, random_state=0)

    def fitted_estimators(self):
        X, y = self.some[0], self.some[1][:, 0]
        own, classes = self.estimator(), fastmlp.MLPClassifier((5,), random_state=0, max_iter=3, batch_size=500)
        own.partial_fit(X, y).partial_fit(X, y)
        return np.append(own.predict(X), classes.fit(X, y > 0).predict_proba(X))

    def estimator_path(self):
        options = {"what": "units", "n_params": 150, "max_iter": 3, "tol": 1e3}
        return self.estimator().prune_path(self.X[:1000], self.T[:1000, 0], **options).scores

    def copies(self):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # rmtree at low memory: an OSError
            self.net.save(Path(folder, "net"))
            net = fastmlp.from_sklearn(fastmlp.to_sklearn(fastmlp.load(Path(folder, "net"))))
        fastmlp.from_r("list(n = c(2, 0, 1), wts = c(1, 2, 3), entropy = TRUE)")
        files = Path(__file__).parent / "data"
        fastmlp.from_mat(files / "mat" / "netlab-linear.mat")
        fastmlp.from_pmml(files / "pmml" / "sklearn-two.pmml")
        fastmlp.from_keras(files / "keras" / "functional.keras")
        fastmlp.from_safetensors(files / "safetensors" / "torch.safetensors", hidden="tanh")
        return np.append(fastmlp.compact(net)[0].predict(self.X, **self.threads), len(fastmlp.to_c(net, jacobian=True)))

    def changed(self):
        images = self.some[0].reshape(-1, 2, 4)
        copies, _, _ = fastmlp.invariance.augmented(
            images, self.T[:1000], fastmlp.invariance.Elastic(1.0, 1.0), 3, rng=0
        )
        return np.append(fastmlp.invariance.warp(copies, offset=(0.5, 0.5), **self.threads), copies)

    def along(self):
        tau = fastmlp.invariance.tangents(self.X, (2, 4))
        penalty = DECAY + fastmlp.TangentPropagation(tau, 0.1)
        return np.append(
            self.fitted("lm", penalty=penalty), fastmlp.invariance.invariance(self.net, self.X, tau, **self.threads)
        )

    def measured(self):
        sigma = np.linspace(0.1, 0.2, len(self.some[0]))
        options = {"sigma": sigma, "absolute_sigma": True, "prior_precision": 1.0}
        own = fastmlp.Laplace(self.net, *self.some, **options, **self.threads)
        fitted = self.net.copy().fit(*self.some, "lm", sigma=sigma, penalty=DECAY, max_iter=3, **self.threads)
        return np.concatenate([fitted.x, own.predict(self.X[:50], noise_std=0.1)[1].ravel()])

    def told_more(self):
        by_copies = self.fitted("adam", batch_size=500, augment=fastmlp.invariance.RandomShift(1.0, shape=(2, 4)))
        return np.append(by_copies, self.fitted("lbfgs", derivatives=("inputs", np.zeros((len(self.X), 1, 8)))))

    def convolved(self):
        layers = [(2, 4), fastmlp.Conv(5, 2), fastmlp.MaxPool(2), fastmlp.Conv(3, 1), fastmlp.AveragePool(1), 1]
        net = fastmlp.Network(layers, rng=0)
        return net.fit(self.X, self.T, "lbfgs", max_iter=3, **self.threads).x

    def features(self):
        kinds = [getattr(fastmlp.features, name) for name in FEATURES]
        found = [kind(shape=(2, 4)).fit_transform(np.abs(self.X)) for kind in kinds]
        return np.concatenate([each.ravel() for each in found])

    def pictured(self):
        plot, images = fastmlp.plot, fastmlp.Network([(2, 4), fastmlp.Conv(5, 2), 1], rng=0)
        ax, maps = plot.hinton(self.net), plot.feature_maps(images, self.X[0])
        drawn = plot.transformed(self.X[:5], fastmlp.invariance.Elastic(1.0, 1.0, shape=(2, 4)), 0)
        curve = plot.function(fastmlp.Network([1, 5, 1], rng=0), self.X[:200, :1], self.T[:200])
        return np.array([len(ax.collections), len(maps.images), len(drawn.images), len(curve.lines)])

    def wide(self):
        """More inputs than samples."""
        X = np.random.default_rng(1).normal(size=(40, 300))
        net, T = fastmlp.Network([300, 5, 1], rng=0), np.sin(X[:, :1])
        own = fastmlp.Laplace(net, X, T, prior_precision=1.0, noise_precision=1.0, **self.threads)
        fitted = net.copy().fit(X, T, "lm", penalty=DECAY, max_iter=2, **self.threads)
        found = fastmlp.fit_evidence(net.copy(), X, T, max_iter=1, rng=0, **self.threads)
        return np.concatenate([*map(np.ravel, own.predict(X)), fitted.x, found.params])

    def saved_posteriors(self):
        X, T = self.X[:400], self.T[:400]
        options = {"n_starts": 2, "combine": "average", "max_iter": 1, "rng": 0}
        mixture = fastmlp.fit_evidence(fastmlp.Network([8, 5, 1], rng=0), X, T, **options, **self.threads)
        found = []
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for own in (self.laplace(), mixture):
                own.save(Path(folder, "own"))
                found += fastmlp.load(Path(folder, "own")).predict(X, interval=0.9)[:2]
        return np.concatenate([each.ravel() for each in found])

    def classified(self):
        """Moderated, and by draws."""
        X, labels = self.some[0], np.digitize(self.some[1][:, 0], [-0.5, 0.5])
        net = fastmlp.Network([8, 5, 3], output="softmax", rng=0)
        own = fastmlp.Laplace(net, X, labels, prior_precision=5.0, **self.threads)
        return np.append(own.predict(X), own.predict(X[:100], n_draws=50, rng=0))


FEATURES = ("CentralMoments", "HuMoments", "PowerSpectrum", "ZernikeMoments")
OPERATIONS = {
    "predict": lambda p: p.net.predict(p.X, **p.threads),
    "loss_and_grad": lambda p: p.net.loss_and_grad(p.X, p.T, **p.threads)[1],
    "hessian": lambda p: p.net.hessian(p.X, p.T, **p.threads),
    "jacobian": lambda p: p.net.jacobian(p.X, wrt="params", **p.threads),
    "fit lm": lambda p: p.fitted("lm"),
    "fit lbfgs": lambda p: p.fitted("lbfgs"),
    "fit adam": lambda p: p.fitted("adam", batch_size=1000),
    "fit bfgs": lambda p: p.fitted("bfgs"),
    "fit_many": lambda p: p.many(),
    "sweep": lambda p: p.swept(),
    "Laplace": lambda p: np.concatenate(p.laplace().predict(p.X)),
    "sample": lambda p: p.laplace().sample(200, rng=0),
    "fit_evidence": lambda p: p.evidence(),
    "objective": lambda p: p.minimum(),
    "prune": lambda p: np.array([step.objective for step in p.pruned().steps]),
    "saliencies": lambda p: fastmlp.saliencies(p.net, *p.some, penalty=DECAY, what="units", **p.threads).rise,
    "refit": lambda p: fastmlp.refit(p.net.copy(), *p.some, penalty=DECAY, tol=10.0, **p.threads).x,
    "updated": lambda p: p.laplace().updated(p.X[:50], p.T[:50]).params_std,
    "jacobian, jvp, vjp": lambda p: p.net.vjp(p.X, p.net.jvp(p.X, p.net.params, **p.threads), **p.threads),
    "value_and_jacobian": lambda p: p.net.value_and_jacobian(p.X, **p.threads)[1],
    "input_hessian": lambda p: p.net.input_hessian(p.X, **p.threads),
    "hessp, ggnp": lambda p: p.net.ggnp(p.X, p.T, p.net.hessp(p.X, p.T, p.net.params, **p.threads), **p.threads),
    "hessian_operator": lambda p: p.net.hessian_operator(p.X, p.T, **p.threads) @ p.net.params,
    "inverse_hessian": lambda p: p.net.inverse_hessian(p.X, p.T, 0.1, **p.threads),
    "hessian_diagonal": lambda p: p.net.hessian_diagonal(p.X, p.T, **p.threads),
    "trace": lambda p: p.net.trace(p.X, p.T, **p.threads).delta[0],
    "losses": lambda p: np.append(p.net.sample_losses(p.X, p.T, **p.threads), p.net.loss(p.X, p.T, **p.threads)),
    "matrices": lambda p: p.asked(),
    "levenberg_marquardt": lambda p: p.squares(),
    "fit scg, standardized": lambda p: p.fitted("scg", standardize=True, validation=0.3),
    "fit trust-krylov": lambda p: p.fitted("trust-krylov"),
    "Chunks": lambda p: p.net.loss_and_grad(fastmlp.Chunks(p.X, p.T, rows=4_000), **p.threads)[1],
    "sensitivity": lambda p: fastmlp.sensitivity(p.net, p.X, **p.threads).raw.mean,
    "importances": lambda p: p.weighed(),
    "garson, olden": lambda p: np.append(fastmlp.garson(p.net, p.X), fastmlp.olden(p.net, p.X)),
    "lekprofile": lambda p: fastmlp.lekprofile(p.net, p.X, **p.threads).y.ravel(),
    "check_derivatives": lambda p: np.array([len(fastmlp.check_derivatives(p.net, p.X[:50], p.T[:50]).comparisons)]),
    "prior_samples": lambda p: fastmlp.prior_samples(p.net, 1.0, p.X, 20, rng=0, **p.threads),
    "predict_jacobian": lambda p: p.laplace().predict_jacobian(p.X[:500])[1],
    "influence, log_density": lambda p: p.laplace().log_density(p.X, p.T) * p.laplace().influence(p.X[:50]).sum(),
    "covariance": lambda p: p.laplace().covariance(p.X[:200]),
    "MLPRegressor, MLPClassifier": lambda p: p.fitted_estimators(),
    "prune_path": lambda p: p.estimator_path(),
    "save, load, from_sklearn": lambda p: p.copies(),
    "invariance.augmented, warp": lambda p: p.changed(),
    "TangentPropagation, tangents": lambda p: p.along(),
    "Conv, AveragePool, MaxPool": lambda p: p.convolved(),
    "sigma, noise_std": lambda p: p.measured(),
    "augment, derivatives": lambda p: p.told_more(),
    "features": lambda p: p.features(),
    "plot": lambda p: p.pictured(),
    "more inputs than samples": lambda p: p.wide(),
    "posterior.save, Mixture": lambda p: p.saved_posteriors(),
    "Laplace of classes": lambda p: p.classified(),
    "leave_one_out": lambda p: p.laplace().leave_one_out().outputs,
    "propagate": lambda p: fastmlp.propagate(p.net, p.X, np.eye(8), **p.threads),
}


def in_use():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def forbid_threads():
    """RLIMIT_NPROC, which does not bind root: who is root becomes somebody else, who may still read every file."""
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    if os.getuid() == 0:
        libc = ctypes.CDLL(None)
        libc.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        read_all = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(read_all, read_all, 0, 0, 0, 0)
        assert libc.capset(header, sets) == 0


def child(operation, state, limit, n_threads, expected):
    """One run; prints how it ended."""
    resource.setrlimit(resource.RLIMIT_CPU, (BUSY, BUSY))
    run, problem = OPERATIONS[operation], Problem(4000, int(n_threads))
    if operation == "objective":  # its caller has SciPy
        import scipy.optimize  # noqa: F401
    if state == "warm":
        run(Problem(500, int(n_threads)))
    before = resource.getrlimit(resource.RLIMIT_AS)
    if limit == "threads":
        forbid_threads()
    elif limit.isdecimal():
        resource.setrlimit(resource.RLIMIT_AS, (in_use() + int(limit) * MB, before[1]))
    ended = "right"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = run(problem)
        except MemoryError:
            resource.setrlimit(resource.RLIMIT_AS, before)
            ended, result = "MemoryError", run(problem)
    resource.setrlimit(resource.RLIMIT_AS, before)
    if any(issubclass(each.category, fastmlp.ThreadWarning) for each in caught):
        ended += ", warned"
    if Path(expected).exists():
        right = np.allclose(result, np.load(expected), rtol=1e-6, atol=1e-9)
        ended = ended if right else "wrong"
    else:
        np.save(expected, result)
    print(ended)


def ending(operation, state, limit, n_threads, folder, **environment):
    """How a run ends: what it prints, or its signal, exit status and last words."""
    expected = Path(folder, f"{operation}.npy")
    if not expected.exists() and limit != "none":
        assert ending(operation, "cold", "none", 1, folder) == "right"
    command = [sys.executable, __file__, operation, state, str(limit), str(n_threads), str(expected)]
    try:
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode:
        return f"exit {done.returncode}: {(done.stderr.strip() or 'no word').splitlines()[-1][:100]}"
    return done.stdout.strip()


ALLOWED = {"right", "MemoryError", "right, warned", "MemoryError, warned"}


def cases(steps=STEPS):
    """What is run: operation, state, limit, threads, environment."""
    for operation in OPERATIONS:
        for state in ("cold", "warm"):
            for n_threads in (1, 2):
                yield from ((operation, state, step, n_threads, {}) for step in steps)
                yield operation, state, "threads", n_threads, {}
        yield from ((operation, "cold", "none", 2, {"OMP_STACKSIZE": stack}) for stack in STACKS)


def table(only):
    """All of them, or some operations, line by line, and a count of the endings; whether all are allowed."""
    endings = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for operation, state, limit, n_threads, environment in cases():
            if operation not in only:
                continue
            ended = ending(operation, state, limit, n_threads, folder, **environment)
            endings[ended if ended in ALLOWED else "NOT ALLOWED"] += 1
            what = environment.get("OMP_STACKSIZE", limit)
            print(f"{operation:28} {state:5} {what!s:>8} {n_threads}  {ended}", flush=True)
    print(dict(endings))
    return endings["NOT ALLOWED"] == 0


if __name__ == "__main__":
    if len(sys.argv) == 6:
        child(*sys.argv[1:])
    elif not table(sys.argv[1:] or OPERATIONS):
        sys.exit(1)
