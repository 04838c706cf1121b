"""The bits of what the library computes, as a table of hashes: to be compared with that of another commit.

    PYTHONPATH=OLD python bench/bits.py --out old.json
    PYTHONPATH=NEW python bench/bits.py --out new.json
    python bench/bits.py --compare old.json new.json

For each instruction set of this machine, both number types, networks of all kinds, numbers of samples N and of threads,
a hash of each quantity: outputs, losses, gradients, derivatives, 20 iterations of each solver from a seeded start. Keys
are `instruction set/type/network/N/threads/quantity`. An exception counts by its name. Posteriors go through BLAS and
LAPACK: their numbers are kept, and may differ by 1e-13 of the largest one. The exit status is 1 if anything differs, or
if it depends on the number of threads. Only the public face is called, so that one script runs at both commits. About
three minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "MKL")}  # before NumPy is imported
os.environ.update(ONE_THREAD | {"OMP_WAIT_POLICY": "passive"})  # seven threads on two cores do not spin

import numpy as np  # noqa: E402

import fastmlp  # noqa: E402
from fastmlp.config import config  # noqa: E402
from fastmlp.optimize import METHODS  # noqa: E402

Quantity = Callable[["Problem"], Any]
Value = str | list[list[float]]  # a hash, or numbers
Table = dict[str, Value]

PARTS = 5  # of a key, before the quantity
DTYPES = ("float64", "float32")
THREADS = (1, 2, 3, 7)
ITERATIONS = 20
LARGEST_MATRIX = 1300  # parameters
LARGEST_WORK = 3e8  # N P^2 up to which matrices are formed
LARGEST_FIT = 100  # parameters
NEAR = 1e-13


class Case(NamedTuple):
    """A network, and how many samples it is asked about."""

    layers: list[int]
    options: Mapping[str, Any] = MappingProxyType({})
    samples: tuple[int, ...] = (0, 1, 3, 17, 130, 3000)


NETWORKS = {
    "tanh": Case([1, 3, 1]),
    "softmax": Case([3, 5, 2], {"output": "softmax"}),
    "relu": Case([4, 6, 1], {"hidden": "relu"}),
    "softplus": Case([4, 6, 1], {"hidden": "softplus"}),
    "logistic": Case([5, 7, 3], {"hidden": "logistic", "output": "logistic"}),
    "counts": Case([2, 6, 2], {"hidden": "elu", "output": "exp"}),
    "tanh outputs": Case([3, 4, 2], {"output": "tanh"}),  # no canonical pair
    "deep": Case([3, 4, 5, 4, 2], {"hidden": ["gelu", "silu", "sin"]}),
    "linear": Case([5, 2]),
    "bands": Case([8, 30, 30, 1], {"hidden": "leaky_relu"}, (17, 180)),  # of the Gauss-Newton matrix
    "large": Case([20, 60, 60, 3]),
}
TARGETS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Any]] = {
    "squared_error": lambda rng, shape: rng.normal(size=shape),
    "binary_cross_entropy": lambda rng, shape: rng.uniform(size=shape),
    "cross_entropy": lambda rng, shape: rng.dirichlet(np.ones(shape[1]), shape[0]),
    "poisson": lambda rng, shape: rng.poisson(2.0, shape),
}
TERMS: dict[str, dict[str, Any]] = {  # what an objective has besides the data, or in their way
    "": {},
    ", decay": {"penalty": fastmlp.WeightDecay(0.1) + fastmlp.WeightDecay({"W1[:,0]": 0.3, "b1": 0.01})},
    ", fixed and tied": {"fixed": "b1", "tied": [{"W1[0,:]": 1.0, "W1[1,:]": -2.0}]},
}


class Problem:
    """A network, samples with weights, some of them 0, vectors for products; all seeded."""

    def __init__(self, case: Case, dtype: str, n_samples: int, n_threads: int) -> None:
        rng = np.random.default_rng([n_samples, *case.layers])
        n_in, n_out = case.layers[0], case.layers[-1]
        self.net = fastmlp.Network(case.layers, dtype=dtype, rng=1, **case.options)
        self.net.params = self.net.params + 0.1 * rng.normal(size=self.net.n_params)
        self.X = rng.normal(size=(n_samples, n_in)).astype(dtype)
        self.T = TARGETS[self.net.loss_name](rng, (n_samples, n_out)).astype(dtype)
        self.labels = self.T.argmax(axis=1) if self.net.loss_name == "cross_entropy" else self.T
        self.out = np.empty((n_samples, n_out), dtype)
        self.v, self.V = rng.normal(size=self.net.n_params), rng.normal(size=(self.net.n_params, 9))
        self.direction, self.seeds = rng.normal(size=n_in), rng.normal(size=(n_samples, n_out))
        self.threads: dict[str, Any] = {"n_threads": n_threads}
        weight = rng.integers(0, 4, n_samples) / 2
        weight[:1] = 1.0  # so that one sample is enough
        self.weighted: dict[str, Any] = {"sample_weight": weight, **self.threads}
        squared = self.net.loss_name == "squared_error"
        self.noise: dict[str, Any] = {"noise_precision": np.arange(1.0, 1 + n_out)} if squared else {}

    def objective(self, terms: str) -> Any:
        """A function of the parameters, and where to take it."""
        options = TERMS[terms] | self.noise
        objective = self.net.objective(self.X, self.T, **options, **self.weighted)
        return objective, objective.x0 + 0.01

    def fitted(self, method: str, **options: Any) -> Any:
        """Where a fit of a few iterations has been, and what it left."""
        net = self.net.copy()
        settings = {**TERMS[", decay"], "max_iter": ITERATIONS, "rng": 0} | self.weighted | options
        result = net.fit(self.X, self.T, method, **settings)
        history = {name: values for name, values in result.history.items() if name != "time"}
        return net.params, result.x, result.fun, result.nit, result.nfev, history

    def networks(self) -> list[fastmlp.Network]:
        """Starts of several sizes."""
        n_in, n_out = self.net.layers[0], self.net.layers[-1]
        same: dict[str, Any] = {"output": self.net.output, "dtype": self.net.dtype}
        return [fastmlp.Network([n_in, size, n_out], rng=size, **same) for size in (1, 2, 3, 4)]

    def many(self, method: str) -> Any:
        """Several networks trained at once."""
        settings: dict[str, Any] = {"max_iter": 8, **self.weighted}
        return [(run.x, run.fun) for run in fastmlp.fit_many(self.networks(), self.X, self.T, method, **settings)]

    def swept(self) -> Any:
        """Two sizes from two starts, chosen by a quarter of the samples."""
        settings: dict[str, Any] = {"output": self.net.output, "dtype": self.net.dtype, "max_iter": 8, "rng": 0}
        found = fastmlp.sweep(self.X, self.T, [1, 3], 2, 0.25, **settings, **self.threads)
        return [(run.validation_loss, run.params) for run in found.runs], found.best.params

    def posterior(self, hessian: str) -> Any:
        """The Laplace approximation at the end of a fit: evidence and predictions."""
        net = self.net.copy()
        net.fit(self.X, self.T, "lm", penalty=fastmlp.WeightDecay(0.5, 0.5), max_iter=ITERATIONS, **self.weighted)
        posterior = fastmlp.Laplace(net, self.X, self.T, prior_precision=0.5, hessian=hessian, **self.weighted)
        return described(posterior, self.X[:20])

    def evidence(self, groups: str) -> Any:
        """The same after a few steps of its precisions."""
        posterior = fastmlp.fit_evidence(self.net.copy(), self.X, self.T, groups, max_iter=3, **self.weighted)
        return described(posterior, self.X[:20])


def described(posterior: Any, X: Any) -> Any:
    """Numbers of a posterior."""
    about = posterior.log_evidence, posterior.gamma, posterior.prior_precision, posterior.noise_precision
    return *about, *posterior.predict(X), posterior.sample(2, rng=0)


def asked(method: str, *arguments: str, weights: str = "weighted", **options: Any) -> Quantity:
    """Call a method of the network with what the problem has under these names."""
    return lambda p: getattr(p.net, method)(*(getattr(p, name) for name in arguments), **options, **getattr(p, weights))


def objective(terms: str, name: str, *arguments: str) -> Quantity:
    """Call a method of the objective."""

    def call(p: Problem) -> Any:
        function, at = p.objective(terms)
        return getattr(function, name)(at, *(getattr(p, each)[: len(at)] for each in arguments))

    return call


alone = partial(asked, weights="threads")

SUMS: dict[str, Quantity] = {  # whose cost is N P
    "predict": alone("predict", "X"),
    "predict, out": lambda p: p.net.predict(p.X, out=p.out, **p.threads),
    "predict, few rows": lambda p: [p.net(p.X[:rows]) for rows in range(10)],
    "trace": asked("trace", "X", "T"),
    "loss": asked("loss", "X", "T"),
    "loss, labels": alone("loss", "X", "labels"),
    "sample_losses": alone("sample_losses", "X", "T"),
    "loss_and_grad": asked("loss_and_grad", "X", "T"),
    "loss_and_grad, labels": alone("loss_and_grad", "X", "labels"),
    "jacobian": alone("jacobian", "X"),
    "value_and_jacobian": alone("value_and_jacobian", "X"),
    "jacobian, logits": alone("jacobian", "X", of="logits"),
    "jvp": alone("jvp", "X", "v"),
    "jvp, inputs": alone("jvp", "X", "direction", wrt="inputs", of="logits"),
    "vjp": alone("vjp", "X", "seeds"),
    "vjp, inputs": alone("vjp", "X", "seeds", wrt="inputs", of="logits"),
    "input_hessian": alone("input_hessian", "X"),
    "hessp": asked("hessp", "X", "T", "v"),
    "hessp, 9 vectors": asked("hessp", "X", "T", "V"),
    "ggnp": asked("ggnp", "X", "T", "v"),
    "ggnp, 9 vectors": asked("ggnp", "X", "T", "V"),
    **{
        f"hessian_diagonal, {kind}": asked("hessian_diagonal", "X", "T", kind=kind)
        for kind in ("exact", "ggn", "backprop", "empirical_fisher")
    },
    **{
        f"objective{terms}: {name}": objective(terms, name, *vector)
        for terms in TERMS
        for name, *vector in (["value_and_grad"], ["hessp", "v"], ["ggnp", "v"])
    },
    "sensitivity": lambda p: fastmlp.sensitivity(p.net, p.X, **p.weighted).raw,
}
MATRICES: dict[str, Quantity] = {  # whose cost or size is N P^2
    "jacobian, params": alone("jacobian", "X", wrt="params"),
    "jacobian, params, logits": alone("jacobian", "X", wrt="params", of="logits"),
    **{f"hessian, {kind}": asked("hessian", "X", "T", kind=kind) for kind in ("exact", "ggn", "empirical_fisher")},
    "hessian, labels": alone("hessian", "X", "labels"),
    "inverse_hessian": asked("inverse_hessian", "X", "T", damping=0.5),
    **{
        f"objective{terms}: {name}": objective(terms, name)
        for terms in TERMS
        for name in ("hess", "ggn", "normal_equations", "residuals", "residual_jac")
    },
}
#: methods of training, without those of SciPy's that take long and ask for values or gradients as others do
WITH_GRADIENT = tuple(name for name in METHODS if name not in ("auto", "nelder-mead", "powell", "trust-constr"))
OWN = WITH_GRADIENT[: WITH_GRADIENT.index("l-bfgs-b")]
FITS: dict[str, Quantity] = {
    **{
        f"fit, {method}": partial(Problem.fitted, method=method)
        for method in WITH_GRADIENT
    },
    **{
        f"fit, {method}, fixed and tied": partial(Problem.fitted, method=method, **TERMS[", fixed and tied"])
        for method in OWN
    },
    **{
        f"fit, {method}, standardized, patience": partial(
            Problem.fitted, method=method, standardize=True, validation=0.25, patience=5
        )
        for method in OWN
    },
    "fit, sgd, velocity": partial(Problem.fitted, method="sgd", momentum=0.9, velocity="steps", batch_size=20),
    "fit, sgd, nesterov": partial(Problem.fitted, method="sgd", momentum=0.9, nesterov=True, batch_size=7),
    "fit_many, lm": partial(Problem.many, method="lm"),
    "fit_many, lbfgs": partial(Problem.many, method="lbfgs"),
    "sweep": Problem.swept,
}  # fmt: skip
POSTERIORS: dict[str, Quantity] = {
    **{f"Laplace, {hessian}": partial(Problem.posterior, hessian=hessian) for hessian in ("ggn", "exact", "diagonal")},
    **{f"fit_evidence, {groups}": partial(Problem.evidence, groups=groups) for groups in ("all", "layers", "ard")},
}


def tables(case: Case, n_samples: int) -> dict[str, Quantity]:
    """The quantities that do not take too long."""
    n_params = fastmlp.Network(case.layers, **case.options).n_params
    chosen = dict(SUMS)
    if n_params <= LARGEST_MATRIX and n_samples * n_params**2 <= LARGEST_WORK:
        chosen |= MATRICES
    if n_samples > 3 and n_params <= LARGEST_FIT:
        chosen |= FITS
    if 3 < n_samples < 1000 and n_params <= LARGEST_FIT:
        chosen |= POSTERIORS
    return chosen


def leaves(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays and numbers of a nested result, in their order."""
    if isinstance(value, dict):
        value = [value[name] for name in sorted(value)]
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from leaves(each)
    elif value is not None:
        yield np.asarray(value)


def hashed(value: Any) -> str:
    """Of types, shapes and bits."""
    state = hashlib.sha256()
    for leaf in leaves(value):
        state.update(f"{leaf.dtype}{leaf.shape}".encode() + leaf.tobytes())
    return state.hexdigest()[:16]


def numbers(value: Any) -> list[list[float]]:
    """Those of each array."""
    return [leaf.ravel().tolist() for leaf in leaves(value)]


def measured(names: Iterable[str], dtypes: Iterable[str] = DTYPES, threads: Iterable[int] = THREADS) -> Table:
    """The table of this process, whose instruction set is the one in use."""
    found: Table = {}
    isa = config()["instruction set"]
    for name in names:
        case = NETWORKS[name]
        for dtype in dtypes:
            for n_samples in case.samples:
                for n_threads in threads:
                    problem = Problem(case, dtype, n_samples, n_threads)
                    for quantity, function in tables(case, n_samples).items():
                        key = "/".join((isa, dtype, name, str(n_samples), str(n_threads), quantity))
                        found[key] = outcome(function, problem, numbers if quantity in POSTERIORS else hashed)
    return found


def outcome(function: Quantity, problem: Problem, kept: Callable[[Any], Value]) -> Value:
    """What is kept of a result, or the name of its exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return kept(function(problem))
        except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as error:
            return type(error).__name__


def of_all_sets(networks: list[str]) -> Table:
    """The tables of all instruction sets that this machine has, each from a process of its own."""
    found: Table = {}
    command = [sys.executable, __file__, "--one-set", "--networks", *networks]
    for isa in config()["instruction sets usable"].split(", "):
        done = subprocess.run(command, env=os.environ | {"FASTMLP_ISA": isa}, stdout=subprocess.PIPE, check=True)
        found |= json.loads(done.stdout)
    return found


def same(one: Value | None, two: Value | None) -> bool:
    """Equal hashes, or arrays whose numbers differ by no more than a share of the largest."""
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(near, one, two))
    return one == two


def near(one: list[float], two: list[float]) -> bool:
    """Whether two arrays agree but for rounding."""
    scale = np.abs(one).max(initial=0.0, where=np.isfinite(one))
    return len(one) == len(two) and np.allclose(one, two, rtol=0, atol=NEAR * scale, equal_nan=True)


def differing(one: Table, two: Table) -> list[str]:
    """Keys whose values differ, or that only one of the tables has."""
    return [key for key in one | two if not same(one.get(key), two.get(key))]


def differing_by_threads(table: Table) -> list[str]:
    """Keys whose value is not that of the first number of threads."""
    first: Table = {}
    return [key for key, value in table.items() if not same(first.setdefault(without_threads(key), value), value)]


def without_threads(key: str) -> str:
    *parts, _, quantity = key.split("/", PARTS)
    return "/".join((*parts, quantity))


def grouped(keys: Iterable[str]) -> list[str]:
    """A line for each quantity: how many keys, and which of their parts occur."""
    groups: dict[str, list[list[str]]] = {}
    for key in keys:
        *parts, quantity = key.split("/", PARTS)
        groups.setdefault(quantity, []).append(parts)
    lines = []
    for quantity, found in groups.items():
        places = [", ".join(dict.fromkeys(values)) for values in zip(*found, strict=True)]
        lines.append(f"{quantity}: {len(found)} ({' | '.join(places)})")
    return lines


def reported(keys: list[str], what: str) -> int:
    """Print them, and how many; 1 if there are any."""
    print(*grouped(keys), f"{len(keys)} {what}", sep="\n")
    return int(bool(keys))


def main() -> int:
    """Write a table, or compare two; 1 if there is a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--out", type=Path, help="the file to write")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("OLD", "NEW"), help="two such files")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--one-set", action="store_true", help="of the instruction set in use, to standard output")
    arguments = parser.parse_args()
    if arguments.compare:
        old, new = (json.loads(path.read_text()) for path in arguments.compare)
        keys = differing(old, new)
        return reported(keys, f"of {len(old | new)} differ")
    if arguments.one_set:
        json.dump(measured(arguments.networks), sys.stdout)
        return 0
    table = of_all_sets(arguments.networks)
    arguments.out.write_text(json.dumps(table, indent=0))
    return reported(differing_by_threads(table), f"of {len(table)} depend on the number of threads")


if __name__ == "__main__":
    sys.exit(main())
