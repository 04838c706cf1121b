"""Target `calls`, what is asked about networks: inputs, importances, objectives; and estimators made of them."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np

import fastmlp
from fuzz import trained
from fuzz.arguments import N, odd

# ---- inputs ----


def importances(world):
    given = {"net": trained.masked(world)} | world.samples()
    return fastmlp.importances, given | world.sometimes(
        penalty=lambda: trained.terms(world), hessian=lambda: world.name("exact", "ggn"),
        standardize=lambda: trained.maybe(world, True),
    )  # fmt: skip


def weights_alone(world):
    """Garson's and Olden's methods."""
    given = {"net": trained.masked(world)} | world.sometimes(X=world._X)
    if world.draws.below(2):
        return fastmlp.olden, given
    return fastmlp.garson, given | world.sometimes(form=lambda: world.name("goh", "garson"))


def lekprofile(world):
    given = {"net": trained.masked(world), "X": world._X(), "steps": world.integer(5)}
    groups = (lambda: [world.real(0.5)], lambda: world.array(4, 3), lambda: world.array(2))
    return fastmlp.lekprofile, given | world.sometimes(
        groups=lambda: world.draws.among(groups)(), n_threads=world.integer
    )


# ---- objectives ----

POINTS = ("expand", "grad", "ggn", "native", "penalty_value", "residuals")


def objective(world):
    options = world.sometimes(
        penalty=lambda: fastmlp.Sum(trained.decay(world)), fixed=lambda: world.name("b1", "W1"),
        tied=lambda: [[world.name("W1[0,0]"), world.name("W1[0,1]")]],
    )  # fmt: skip
    own = world.net.objective(world.good_X, world.good_T, **options)
    if world.draws.below(4) == 0:
        return own.reduce, {"params": world.vector()}
    if world.draws.below(4) == 0:
        return own.ggnp, {"p": world.vector(), "v": world.vector()}
    return getattr(own, world.draws.among(POINTS)), {"p": world.array(own.x0.size)}


def covariance(world):
    known = fastmlp.Laplace(world.net, world.good_X, world.good_T, prior_precision=1.0)
    return known.covariance, {"X": world._X()}


def scheduled(world):
    schedules = fastmlp.schedules
    make = world.draws.among(
        (schedules.step_decay, schedules.cosine_decay, schedules.exponential_decay, schedules.inverse_time_decay)
    )
    arguments = [world.real(0.1), world.real(0.5), world.integer(3)][: 3 if make is schedules.step_decay else 2]
    epoch = world.integer(1)
    return (lambda arguments: make(*arguments)(epoch)), {"arguments": arguments}


def row(world):
    """An activation or a loss by its name."""
    make = world.draws.among((fastmlp.Activation, fastmlp.Loss))
    return make, {"name": world.name("tanh", "softmax", "poisson", "cross_entropy")}


# ---- estimators, whose complaints may be scikit-learn's ----


def estimator(world):
    kind = world.draws.among((fastmlp.MLPRegressor, fastmlp.MLPClassifier))
    options = {"hidden_layer_sizes": world.integer(3), "max_iter": world.integer(2), "random_state": world.integer(0)}
    return kind, options | world.sometimes(
        solver=lambda: world.name("lm", "adam", "lbfgs", "sgd"), alpha=lambda: world.real(0.1),
        activation=lambda: world.name("tanh", "relu"), batch_size=lambda: world.integer(3),
        learning_rate_init=lambda: world.real(0.01), tol=lambda: world.real(1e-3),
        early_stopping=lambda: trained.maybe(world, False), warm_start=lambda: trained.maybe(world, True),
        n_init=lambda: world.integer(2), standardize=lambda: trained.maybe(world, True),
    )  # fmt: skip


def labels(world, kind):
    if kind is fastmlp.MLPClassifier:
        return odd(world.draws, world, None) if world.draws.seldom() else np.arange(N) % 3
    return that_ends(world._T)()


def that_ends(draw):
    """What is drawn, unless scikit-learn would walk through it for hours, to see whether it is finite."""

    def drawn():
        found = draw()
        return found if not isinstance(found, np.ndarray) or found.size < 10**7 else found[:1]

    return drawn


def fitted(world):
    kind, options = estimator(world)
    again = world.draws.among(("fit", "partial_fit", "fit"))
    given = {"X": that_ends(world._X)(), "y": labels(world, kind)} | world.sometimes(
        sample_weight=that_ends(world._sample_weight)
    )
    rows = that_ends(world._X)()

    def call(**given):
        own = kind(**options)
        for _ in range(2):
            if again == "fit" or not hasattr(own, "partial_fit"):
                own.fit(**given)
            else:
                own.partial_fit(given["X"], given["y"])
        return own.predict(rows), own.score(given["X"], given["y"])

    return call, given


def of_a_network(world):
    kind = fastmlp.MLPClassifier if world.net.output == "softmax" else fastmlp.MLPRegressor
    given = {"net": trained.masked(world)}
    if kind is fastmlp.MLPClassifier:
        given |= world.sometimes(
            classes=lambda: world.draws.among(([0, 1], world.array(2), odd(world.draws, world, None)))
        )
    return kind.from_network, given


def path(world):
    own = fastmlp.MLPRegressor.from_network(world.net, alpha=1.0)
    given = {"X": that_ends(world._X)(), "y": that_ends(world._T)(), "max_iter": 2, "time_limit": 0.2}
    return own.prune_path, given | world.sometimes(
        sample_weight=that_ends(world._sample_weight), what=lambda: trained.what(world), X_val=that_ends(world._X),
        y_val=that_ends(world._T), stop=lambda: world.name("bic", "validation"), n_params=lambda: world.integer(20),
        at_once=world.real,
    )  # fmt: skip


def probabilities(world):
    own = fastmlp.MLPClassifier(hidden_layer_sizes=(2,), max_iter=1, random_state=0)
    own.partial_fit(world.good_X, np.arange(N) % 3, classes=[0, 1, 2])
    asked = world.draws.among(("predict_proba", "predict_log_proba", "decision_function", "predict"))
    return getattr(own, asked), {"X": that_ends(world._X)()}


def bridged(world):
    net = trained.masked(world)

    def call(net, estimator):
        fastmlp.from_sklearn(fastmlp.to_sklearn(net) if estimator is None else estimator)

    return call, {"net": net, "estimator": odd(world.draws, world, None) if world.draws.seldom() else None}


FILES = Path(__file__).parents[1] / "data"
FITS = {
    "short": "list(n = c(2, 0, 1), wts = c(1, 2, 3), entropy = TRUE)",
    "whole": (FILES / "r" / "brnn.R").read_text(),
}


FRAMEWORKS = (
    ("keras", "functional.keras"), ("keras", "signals.h5"), ("safetensors", "torch.safetensors"),
    ("safetensors", "flax.safetensors"),
)  # fmt: skip


def arrived(world):
    """Out of a text of R or a file of MATLAB."""
    if world.draws.seldom():
        text = FITS[world.draws.among(tuple(FITS))]
        given = {"text": odd(world.draws, world, None) if world.draws.seldom() else text}
        return fastmlp.from_r, given | world.sometimes(output=lambda: world.name("identity", "logistic"))
    path = FILES / "mat" / world.draws.among(("netlab-linear.mat", "netlab-several.mat", "genfunction.mat"))
    return fastmlp.from_mat, {"path": path} | world.sometimes(
        hidden=lambda: world.name("tanh", "relu"), output=lambda: world.name("identity", "softmax"),
        variable=lambda: world.name("nets(2)", "model.net"),
    )  # fmt: skip


def of_a_framework(world):
    """Out of a file of Keras or of safetensors, as it is or with some bytes changed."""
    folder, name = world.draws.among(FRAMEWORKS)
    content = bytearray((FILES / folder / name).read_bytes())
    for _ in range(world.draws.below(3)):
        content[world.draws.below(len(content))] = world.draws.below(256)
    read = fastmlp.from_keras if folder == "keras" else fastmlp.from_safetensors

    def call(path, **options):
        with tempfile.TemporaryDirectory() as home:
            if path is None:
                path = Path(home, name)
                path.write_bytes(content)
            with contextlib.suppress(FileNotFoundError):  # what is drawn may be text
                read(path, **options)

    given = {"path": odd(world.draws, world, None) if world.draws.seldom() else None} | world.sometimes(
        output=lambda: world.name("identity", "softmax"), loss=lambda: world.name("squared_error", "cross_entropy")
    )
    if folder == "keras":
        return call, given
    return call, {"hidden": world.name("tanh", "silu")} | given | world.sometimes(
        order=lambda: world.draws.among((["0", "2"], world.array(2), odd(world.draws, world, None)))
    )


def in_xml(world):
    """Written as PMML, and read."""

    def call(net, **options):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "net.pmml")
            fastmlp.to_pmml(net, path, **options)
            fastmlp.from_pmml(path)

    given = {"net": odd(world.draws, world, None) if world.draws.seldom() else trained.masked(world)}
    return call, given | world.sometimes(
        inputs=lambda: [world.name("a", "b") for _ in range(3)], classes=lambda: [world.name("c", "d")] * 2
    )


def written(world):
    kind = world.draws.among(("network", "posterior", "odd"))
    models = {
        "network": lambda: trained.masked(world),
        "posterior": lambda: fastmlp.Laplace(world.net, world.good_X, world.good_T, prior_precision=1.0),
    }
    given = {"model": models[kind]() if kind in models else odd(world.draws, world, None)}
    if world.draws.below(3) == 0:
        given["dialect"] = world.name("python", "javascript", "matlab", "sql", "excel")
        return fastmlp.to_formula, given | world.sometimes(
            inputs=lambda: world.draws.among((["a", "b"], [world.name("x1", "$A$1"), "b", "c"], world.integer(3))),
            name=lambda: world.name("net", "while"),
        )
    return world.draws.among((fastmlp.to_c, fastmlp.to_fortran)), given | world.sometimes(
        name=lambda: world.name("net", "a1"), dtype=lambda: world.name("float32", "float64"),
        layout=lambda: world.name("rows", "columns"), jacobian=lambda: True, std=lambda: True,
        max_bytes=lambda: world.integer(1000),
    )  # fmt: skip


# ---- invariances ----

FEATURES = ("CentralMoments", "HuMoments", "PowerSpectrum", "ZernikeMoments")


def tau_of(world):
    return world.draws.among((lambda: "inputs", lambda: world.array(2, 2), lambda: world.array(N, 1, 2)))()


def along(world):
    """A term on derivatives, in a training or asked by itself."""
    given = {"tau": tau_of(world), "weight": world.real(0.1)} | world.sometimes(
        of=lambda: world.name("outputs", "logits"), targets=lambda: world.array(N, 2, 1)
    )
    method = world.draws.among(("lbfgs", "lm", "adam", None))

    def call(**given):
        penalty = trained.decay(world) + fastmlp.TangentPropagation(**given)
        if method is None:
            own = world.net.objective(world.good_X, world.good_T, penalty=penalty)
            return own.value_and_grad(own.x0), own.hess(own.x0)
        return world.net.fit(world.good_X, world.good_T, method, penalty=penalty, max_iter=2, time_limit=0.2)

    return call, given


def invariances(world):
    draws, images = world.draws, world.array(3, 4, 5)
    flat = {"X": world.array(3, 20)}
    which = draws.below(4)
    if which == 0:
        return fastmlp.invariance.warp, {"images": images} | world.sometimes(
            matrix=lambda: world.array(2, 2), offset=lambda: world.array(2), displacement=lambda: world.array(2, 4, 5),
            n_threads=world.integer,
        )  # fmt: skip
    if which == 1:
        return fastmlp.invariance.tangents, flat | world.sometimes(
            shape=lambda: draws.among(((4, 5), world.integer(20))), sigma=lambda: world.real(0.9)
        )
    if which == 2:
        given = {"net": trained.masked(world), "X": world._X(), "tau": tau_of(world)}
        return fastmlp.invariance.invariance, given | world.sometimes(of=lambda: world.name("outputs", "logits"))
    return fastmlp.invariance.augmented, flat | {
        "T": world.array(3),
        "augment": change(world),
        "copies": draws.below(4),
    }


def change(world):
    """One of the random changes, or two, or what is none."""
    kinds = fastmlp.invariance
    real = lambda: abs(world.draws.among((0.5, 1.0, 3.0)))  # noqa: E731
    makes = (
        lambda: kinds.RandomShift(real(), shape=(4, 5)), lambda: kinds.Elastic(real(), real(), shape=(4, 5)),
        lambda: kinds.RandomAffine(real(), real(), scale=0.1, shear=0.1, shape=(4, 5)), lambda: kinds.TimeShift(real()),
        lambda: kinds.TimeWarp(real(), real()), lambda: kinds.Composition([kinds.TimeShift(real()), lambda X, rng: X]),
        lambda: kinds.RandomShift(world.real(1.0), shape=(world.integer(4), 5)),
        lambda: odd(world.draws, world, None), lambda: kinds.Transform(),
    )  # fmt: skip
    return world.draws.among(makes)()


def convolved(world):
    """A network of images, made and asked."""
    sizes = (1, 2, 3, (2, 3), world.integer(2))
    draw = lambda: world.draws.among(sizes)  # noqa: E731
    given = {"channels": world.draws.among((1, 3, world.integer(2))), "size": draw()} | world.sometimes(
        stride=draw, padding=lambda: world.name("valid", "same"), bias=lambda: world.name("channel", "position"),
        shared=lambda: world.draws.below(2) == 0,
    )  # fmt: skip
    pool, size = world.draws.among((fastmlp.AveragePool, fastmlp.MaxPool)), draw()
    images = world.array(3, 20)

    def call(size, **options):
        net = fastmlp.Network([(1, 4, 5), fastmlp.Conv(size=given["size"], **options), pool(size), 2], rng=0)
        net.loss_and_grad(images, np.zeros((3, 2)))
        return net.jacobian(images, wrt="params"), net.fit(images, np.zeros((3, 2)), "lm", max_iter=2)

    options = {name: value for name, value in given.items() if name != "size"}
    return call, {"size": size} | options


def chunked(world):
    """Samples in chunks, cut from arrays or given one by one."""
    net, given = world.net, world.samples("sample_weight")
    rows = world.draws.among((1, 2, world.integer(3)))

    def call(X, T, sample_weight=None, rows=None, n_threads=None):
        parts = (X, T) if sample_weight is None else (X, T, sample_weight)
        chunks = fastmlp.Chunks([parts, lambda: parts]) if rows is None else fastmlp.Chunks(*parts, rows=rows)
        net.predict(chunks)
        return net.loss_and_grad(chunks, n_threads=n_threads), net.copy().fit(chunks, method="lbfgs", max_iter=2)

    return call, given | world.sometimes(rows=lambda: rows)


def features(world):
    kind = getattr(fastmlp.features, world.draws.among(FEATURES))
    options = world.sometimes(shape=lambda: world.draws.among(((4, 5), world.integer(4), None)))
    return (lambda X: kind(**options).fit_transform(X)), {"X": that_ends(lambda: world.array(3, 20))()}


EVALUATIONS = {"importances": importances, "garson, olden": weights_alone, "lekprofile": lekprofile,
               "objective asked": objective, "covariance": covariance, "schedule": scheduled, "Activation, Loss": row,
               "from_network": of_a_network, "from_sklearn": bridged,
               "to_c, to_formula, to_fortran": written, "Chunks": chunked}  # fmt: skip
ESTIMATORS = {"estimator": fitted, "prune_path": path, "predict_proba": probabilities}
WITH_SCIKIT_LEARN = {*ESTIMATORS, "features"}
EXCHANGED = {"from_r, from_mat": arrived, "from_pmml, to_pmml": in_xml,
             "from_keras, from_safetensors": of_a_framework}  # fmt: skip
INVARIANCES = {"TangentPropagation": along, "invariances": invariances, "features": features,
               "Conv": convolved}  # fmt: skip
