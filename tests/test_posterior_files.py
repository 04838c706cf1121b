"""Posteriors in files: the same bits in another process, no samples unless asked; damaged and hostile ones refused."""

import functools
import json
import zipfile

import numpy as np
import pytest

import fastmlp
from cases import network
from fastmlp import ModelFormatError
from fastmlp.bayes import stored
from fastmlp.bayes.frame import Frame
from fastmlp.bayes.posterior import PARTS
from fastmlp.model.archive import _npy
from model_files import archive, seal
from posterior_cases import CLASSES, SINE, X100, T, X
from served import Server

#: networks here are trained by another prior than the posteriors have
pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning", "ignore::fastmlp.ConvergenceWarning")

COUNTS = np.random.default_rng(0).poisson(np.exp(X100[:, 0]))
SIGMA = np.random.default_rng(1).uniform(0.1, 0.5, 100)


def trained(net, X, T, penalty=0.1, **options):
    net.fit(X, T, "lm", penalty=fastmlp.WeightDecay(penalty, penalty), **options)
    return net


def laplace(hessian="ggn", layers=(2, 3, 1), T=SINE, prior=0.5, fit=None, **options):
    net = trained(network(list(layers), output=options.pop("output", "identity")), X100, T, **(fit or {}))
    return fastmlp.Laplace(net, X100, T, prior_precision=prior, hessian=hessian, **options)


def pruned():
    net = trained(network([2, 4, 1]), X100, SINE)
    path = fastmlp.prune(net, X100, SINE, penalty=fastmlp.WeightDecay(0.1, 0.1), n_params=8)
    return fastmlp.Laplace(path.best, X100, SINE, prior_precision=0.5)


def with_quadratic():
    """A prior that is a matrix."""
    net, rng = network([2, 3, 1]), np.random.default_rng(0)
    root = rng.normal(size=(net.n_params, net.n_params))
    term = fastmlp.Quadratic(0.1 * rng.normal(size=net.n_params), np.eye(net.n_params) + 0.1 * root @ root.T)
    net.fit(X100, SINE, "lm", penalty=term)
    return fastmlp.Laplace(net, X100, SINE, penalty=term)


def wide(options):
    """More inputs than samples."""
    X, t = np.random.default_rng(0).normal(size=(12, 120)), SINE[:12]
    net = trained(network([120, 3, 1]), X, t)
    posterior = fastmlp.Laplace(net, X, t, **{"prior_precision": 0.5, "noise_precision": 4.0} | options)
    assert type(posterior._posterior.covariance).__name__ == "WideCovariance"
    return posterior


def evidence(**options):
    return fastmlp.fit_evidence(network([3, 3, 2], seed=3), X, T, **{"rng": 0, **options})


POSTERIORS = {
    "full": laplace,
    "exact": lambda: laplace("exact"),
    "diagonal": lambda: laplace("diagonal"),
    "held": lambda: laplace(prior={"W1[:,0]": np.inf, "W2": 0.3, "b1": 1.0, "b2": 1.0}),
    "sigma": lambda: laplace(sigma=SIGMA, absolute_sigma=True, fit={"sigma": SIGMA}),
    "units": lambda: laplace(standardize=True, fit={"standardize": True}),
    "weights": lambda: laplace(sample_weight=np.arange(100) % 3),
    "noises": lambda: laplace(layers=(2, 3, 2), T=np.column_stack([SINE, 3 * SINE]), noise_precision=[100.0, 9.0]),
    "noise of each output beside one for all": lambda: laplace(
        layers=(2, 3, 2), T=np.column_stack([SINE, SINE + 3 * SIGMA])
    ),
    "few samples": lambda: wide({}),
    "few samples, a flat prior of biases": lambda: wide(
        {"prior_precision": {"W1": 2.0, "W2": 1.0, "b1": 1.0, "b2": 0.0}}
    ),
    "pruned": pruned,
    "a matrix for a prior": with_quadratic,
    "two classes": lambda: laplace(T=CLASSES, output="logistic"),
    "classes": lambda: laplace(layers=(2, 3, 3), T=COUNTS.clip(0, 2), output="softmax"),
    "counts": lambda: laplace(T=COUNTS, output="exp"),
    "updated": lambda: laplace().updated(X100[:5], SINE[:5]),
    "nothing free": lambda: laplace(prior=np.inf, noise_precision=4.0),
    "all pruned": lambda: fastmlp.fit_evidence(network([2, 3, 1]), X100, SIGMA),
    "evidence": evidence,
    "ard, a group left out": lambda: fastmlp.fit_evidence(
        network([3, 2, 1]), np.column_stack([X100, SIGMA]), SINE, groups="ard"
    ),
    "mixture": lambda: evidence(n_starts=3, combine="average"),
}


@pytest.fixture(scope="module", params=POSTERIORS)
def posterior(request):
    return POSTERIORS[request.param]()


def new_inputs(posterior):
    one = posterior.members[0] if isinstance(posterior, fastmlp.Mixture) else posterior
    return np.random.default_rng(9).normal(size=(20, one.network.layers[0]))


def back(posterior, folder, **options):
    posterior.save(folder / "posterior", **options)
    return fastmlp.load(folder / "posterior")


def same(one, other):
    """Whether two results are of the same bits, whatever they consist of."""
    if isinstance(one, tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    return np.asarray(one).tobytes() == np.asarray(other).tobytes()


# ---- round trips ----


PREDICT = """
import sys, numpy as np, fastmlp
folder = sys.argv[1]
posterior, X = fastmlp.load(folder + "/posterior"), np.load(folder + "/X.npy")
for name, options in (("parts", {"parts": True}), ("more", {"n_draws": 50, "rng": 3} if len(sys.argv) > 2 else {})):
    result = posterior.predict(X, **options)
    np.save(f"{folder}/{name}.npy", np.array(result))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "predict.py").write_text(PREDICT)
    with Server(folder / "stderr") as server:
        yield functools.partial(server.run, folder, folder / "predict.py")


def test_another_process_predicts_the_same_bits(posterior, tmp_path, server):
    X = new_inputs(posterior)
    np.save(tmp_path / "X.npy", X)
    posterior.save(tmp_path / "posterior")
    draws = [] if isinstance(posterior, fastmlp.Mixture) else ["draws"]
    server(tmp_path, *draws)
    assert np.array_equal(np.load(tmp_path / "parts.npy"), np.array(posterior.predict(X, parts=True)))
    options = {"n_draws": 50, "rng": 3} if draws else {}
    assert np.array_equal(np.load(tmp_path / "more.npy"), np.array(posterior.predict(X, **options)))


ASKED = (
    "params", "params_std", "params_covariance", "prior_precision", "noise_precision", "gamma", "log_likelihood",
    "log_evidence", "log_symmetries", "log_distinct_symmetries", "aic", "bic", "distance", "rounding", "grad_norm",
    "negative_eigenvalues", "hessian", "effective_n_params_by_group", "units", "noise_std", "degrees_of_freedom",
)  # fmt: skip
OF_EVIDENCE = (
    "group_precisions", "pruned", "history", "converged", "stationary", "noise_at_floor", "outputs_at_floor"
)  # fmt: skip


@pytest.mark.parametrize("samples", [False, True])
def test_all_that_is_asked_of_a_posterior_comes_back(posterior, tmp_path, samples):
    if samples and isinstance(posterior, fastmlp.Laplace) and posterior._posterior.known_objective.terms is not None:
        with pytest.raises(ValueError, match="samples: expected False for a posterior with a penalty of its own"):
            posterior.save(tmp_path / "posterior", samples=True)
        return
    other, X = back(posterior, tmp_path, samples=samples), new_inputs(posterior)
    assert type(other) is type(posterior)
    pairs = [(posterior, other)]
    if isinstance(posterior, fastmlp.Mixture):
        assert len(other.members) == len(posterior.members)
        pairs = list(zip(posterior.members, other.members, strict=True))
    for one, two in pairs:
        for name in ASKED + (OF_EVIDENCE if isinstance(one, fastmlp.Evidence) else ()):
            assert same(getattr(one, name), getattr(two, name)), name
        assert np.array_equal(one.sample(3, rng=0), two.sample(3, rng=0))
        assert one.network == two.network
        assert same(one.predict_jacobian(X), two.predict_jacobian(X))
        assert same(one.extrapolation(2 * X), two.extrapolation(2 * X))
        if samples:
            assert same(tuple(one.leave_one_out()), tuple(two.leave_one_out()))
            assert one.nic == two.nic
        else:
            assert two._posterior.objective is None
            with pytest.raises(ValueError, match="expected one that knows its samples"):
                two.leave_one_out()


def test_nothing_of_a_posterior_is_forgotten(posterior, tmp_path):
    """Whatever fields are added to what a posterior is kept in, files have to tell of them."""
    other = back(posterior, tmp_path)
    pairs = [(posterior, other)]
    if isinstance(posterior, fastmlp.Mixture):
        pairs = list(zip(posterior.members, other.members, strict=True))
    for one, two in pairs:
        for field in Frame._fields:
            assert same(getattr(one._frame, field), getattr(two._frame, field)) or field == "architecture"
        assert one._frame.architecture == two._frame.architecture
        if hasattr(one._posterior.curvature, "rows"):
            assert np.array_equal(one._posterior.curvature.rows, two._posterior.curvature.rows)
        rest = {"architecture", "free", "covariance", "objective", "n_threads", "curvature"}
        for part in (
            set(PARTS) - rest if hasattr(one._posterior.curvature, "rows") else set(PARTS) - rest | {"curvature"}
        ):
            assert same(getattr(one._posterior, part), getattr(two._posterior, part)), part
        for name in ("root", "precisions", "log_det_precision", "diagonal"):
            assert same(getattr(one._posterior.covariance, name), getattr(two._posterior.covariance, name))
        assert one._posterior.free.same_as(two._posterior.free)


def test_a_posterior_that_was_read_takes_more_samples(tmp_path):
    one = laplace()
    other = back(one, tmp_path)
    assert same(one.updated(X100[:9], SINE[:9]).params, other.updated(X100[:9], SINE[:9]).params)


def test_files_do_not_hold_samples_unasked(tmp_path):
    one = laplace()
    one.save(tmp_path / "without")
    one.save(tmp_path / "with", samples=True)
    row = X100[7].tobytes()
    assert row in (tmp_path / "with").read_bytes()
    assert row not in (tmp_path / "without").read_bytes()
    other = fastmlp.load(tmp_path / "without")
    other.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "without").read_bytes()
    with pytest.raises(ValueError, match="expected one that knows its samples"):
        other.save(tmp_path / "again", samples=True)


def test_numpy_reads_the_arrays(tmp_path):
    one = laplace()
    one.save(tmp_path / "posterior.npz")
    with np.load(tmp_path / "posterior.npz") as found:
        assert np.array_equal(found["0/params"], one.params)
        assert np.allclose(found["0/root"] @ found["0/root"].T, one.params_covariance, rtol=1e-12, atol=1e-15)
    with zipfile.ZipFile(tmp_path / "posterior.npz") as found:
        told = json.loads(found.read("manifest.json"))
    assert (told["format"], told["version"], told["kind"]) == ("fastmlp-posterior", 1, "Laplace")


def test_the_starts_of_a_file_are_the_posterior_alone(tmp_path):
    one = evidence(n_starts=3)
    other = back(one, tmp_path)
    assert len(one.starts) == 3
    assert [start.posterior is other for start in other.starts] == [True]
    assert other.starts[0].hidden == (3,)
    assert str(other).splitlines()[0] == str(one).splitlines()[0]


# ---- damage ----


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "posterior"
    laplace(layers=(2, 1, 1)).save(path)
    return path.read_bytes()


def refused(folder, content):
    (folder / "damaged").write_bytes(content)
    with pytest.raises(ModelFormatError, match="expected"):
        fastmlp.load(folder / "damaged")
    return True


def test_every_truncation_is_found(saved, tmp_path):
    assert all(refused(tmp_path, saved[:length]) for length in range(len(saved)))


def test_every_flipped_byte_is_found(saved, tmp_path):
    for place in range(len(saved)):
        changed = bytearray(saved)
        changed[place] ^= 1 << place % 8
        assert refused(tmp_path, bytes(changed))


# ---- hostile files: the checksum is right ----


def test_flips_under_a_right_checksum_are_refused_or_numbers(saved, tmp_path):
    """Either no posterior, or one that answers: nothing is read or written where it should not be."""
    for place in range(0, len(saved) - 64, 3):
        changed = bytearray(saved)
        changed[place] ^= 1 << (place // 3) % 8
        (tmp_path / "hostile").write_bytes(seal(changed))
        try:
            with np.errstate(all="ignore"):
                mean, _ = fastmlp.load(tmp_path / "hostile").predict(X100[:3])
        except ModelFormatError:
            continue
        assert mean.shape == (3, 1)


def members(content, folder):
    (folder / "source").write_bytes(content)
    with zipfile.ZipFile(folder / "source") as found:
        return {name: found.read(name) for name in found.namelist()}


def changed_manifest(saved, folder, change):
    """A file with the checksum right, whose manifest was changed."""
    own = members(saved, folder)
    manifest = json.loads(own["manifest.json"])
    change(manifest, manifest["posteriors"][0])
    return archive(*(own | {"manifest.json": json.dumps(manifest).encode()}).items())


HOSTILE = {
    "a newer version": lambda m, p: m.update(version=2),
    "no version": lambda m, p: m.pop("version"),
    "another kind": lambda m, p: m.update(kind="Network"),
    "an evidence that is none": lambda m, p: m.update(kind="Evidence"),
    "a mixture that is none": lambda m, p: m.update(kind="Mixture"),
    "no posterior": lambda m, p: m.update(posteriors=[]),
    "two in one": lambda m, p: m["posteriors"].append(p),
    "not a list": lambda m, p: m.update(posteriors={"0": p}),
    "another hessian": lambda m, p: p.update(hessian="none"),
    "a network of another size": lambda m, p: p["network"].update(layers=[2, 2, 1]),
    "a network of great size": lambda m, p: p["network"].update(layers=[2, 10**9, 1]),
    "float32": lambda m, p: p["network"].update(dtype="float32"),
    "a shape that is none": lambda m, p: p["arrays"].update(root=[-5, -5]),
    "a shape of great size": lambda m, p: p["arrays"].update(root=[10**30, 10**30]),
    "a root that is a vector": lambda m, p: p["arrays"].update(root=[25]),
    "an array left out": lambda m, p: p["arrays"].pop("gamma"),
    "a name too many": lambda m, p: p["arrays"].update(other=[1]),
    "a name with a path": lambda m, p: p["arrays"].update({"../other": [1]}),
    "measured by halves": lambda m, p: p.update(measured=0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_manifests_that_do_not_fit_are_refused(saved, tmp_path, name):
    assert refused(tmp_path, changed_manifest(saved, tmp_path, HOSTILE[name]))


@pytest.mark.parametrize("name", ["params", "root", "precisions", "curvature", "prior", "prior_precision", "numbers"])
def test_arrays_of_other_shapes_are_refused(saved, tmp_path, name):
    own = members(saved, tmp_path)
    manifest = json.loads(own["manifest.json"])
    manifest["posteriors"][0]["arrays"][name] = [2]
    own |= {"manifest.json": json.dumps(manifest).encode(), stored.member(0, name): b"".join(_npy(np.ones(2)))}
    assert refused(tmp_path, archive(*own.items()))


@pytest.mark.parametrize("name", stored.WIDE)
def test_arrays_of_few_samples_have_to_belong_together(tmp_path, name):
    wide({}).save(tmp_path / "few")
    own = members((tmp_path / "few").read_bytes(), tmp_path)
    manifest = json.loads(own["manifest.json"])
    manifest["posteriors"][0]["arrays"][f"wide/{name}"] = [2]
    array = np.ones(2, np.int64) if name in ("curved", "flat") else np.ones(2)
    own |= {"manifest.json": json.dumps(manifest).encode(), stored.member(0, f"wide/{name}"): b"".join(_npy(array))}
    assert refused(tmp_path, archive(*own.items()))


def test_what_cannot_be_asked_for_is_refused(tmp_path):
    with pytest.raises(TypeError, match="samples: expected True or False"):
        laplace().save(tmp_path / "posterior", samples="no")
    with pytest.raises(TypeError, match="path"):
        laplace().save(None)
