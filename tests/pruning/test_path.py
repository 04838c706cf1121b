"""Paths of deletions, against brute force: every deletion tried, every network trained by SciPy."""

import numpy as np
import pytest
import scipy.optimize

import autodiff
import fastmlp
from cases import PAIRS, data, network, relative_error
from fastmlp.pruning import retraining

PENALTY = fastmlp.WeightDecay(0.2, 0.1)


def problem(output="identity", loss=None, layers=(3, 3, 1), n_samples=40):
    net = network(list(layers), "tanh", output, loss, scale=0.7)
    X, T = data(net, n_samples)
    net.fit(X, T, "lm", penalty=PENALTY, tol=1e-11)
    return net, X, T


def minimum(net, X, T, left, start):
    """By SciPy, of the parameters that are left."""
    objective = net.objective(X, T, penalty=PENALTY)

    def whole(v):
        p = np.zeros(net.n_params)
        p[left] = v
        return p

    result = scipy.optimize.minimize(
        lambda v: objective.value(whole(v)), start[left], method="trust-exact",
        jac=lambda v: objective.grad(whole(v))[left],
        hess=lambda v: objective.hess(whole(v))[np.ix_(left, left)], options={"gtol": 1e-11},
    )  # fmt: skip
    return whole(result.x), result.fun


def dead_too(net, left):
    """Without what can change no output, found by looking at all ways through the network, one hidden layer."""
    (W1, W2), (b1, _) = net._architecture.unravel(np.arange(net.n_params))
    alive = set(map(int, left))
    for j in range(len(b1)):
        into, out = {*map(int, W1[j]), int(b1[j])}, set(map(int, W2[:, j]))
        if not into & alive or not out & alive:
            alive -= into | out
    return np.array(sorted(alive), int)


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_the_path_is_that_of_brute_force(output, loss):
    net, X, T = problem(output, loss, (2, 3, 2), 30)
    path = fastmlp.prune(net, X, T, penalty=PENALTY, tol=1e-11, n_params=4)
    decay = np.diag(PENALTY.diagonal(net._architecture))
    params, left, probe = net.params, np.arange(net.n_params), net.copy()
    for before, step in zip(path.steps, path.steps[1:], strict=False):
        assert before.n_params == len(left)
        probe.params = params
        A = (autodiff.hessian(probe, X, T) + decay)[np.ix_(left, left)]
        C = np.linalg.inv(A)
        rises = params[left] ** 2 / (2 * np.diagonal(C))
        q = int(np.argmax(rises <= rises.min() * (1 + 1e-6)))  # softmax with two outputs has pairs of equal ones
        assert step.removed == (fastmlp.saliencies(net, X, T, penalty=PENALTY).names[left[q]],)
        assert np.isclose(step.rise, rises[q], rtol=1e-6)
        start = params.copy()
        start[left] -= C[:, q] * params[left[q]] / C[q, q]
        left = dead_too(net, np.delete(left, q))
        params, value = minimum(net, X, T, left, start)
        assert np.isclose(step.objective, value, rtol=1e-9)
        assert relative_error(step.params, params) < 1e-6
        assert np.array_equal(np.flatnonzero(~step.pruned), left)
        assert (step.params[step.pruned] == 0.0).all()
    assert len(left) <= 4


@pytest.mark.parametrize(("output", "loss"), PAIRS[:3])
def test_evidence_and_criteria_are_those_of_laplace(output, loss):
    net, X, T = problem(output, loss, (3, 3, 2), 60)
    path = fastmlp.prune(net, X, T, penalty=PENALTY, tol=1e-11, stop="nic")
    for k in (0, 5, len(path.steps) - 4):
        step = path.steps[k]
        alpha = PENALTY.diagonal(net._architecture)
        alpha[step.pruned] = np.inf
        beta = None
        if net.loss_name == "squared_error":
            residuals = path.network(k)(X) - T
            gamma = step.n_params - alpha[~step.pruned] @ np.diagonal(
                np.linalg.inv(
                    net.objective(X, T, penalty=PENALTY).hess(step.params)[np.ix_(~step.pruned, ~step.pruned)]
                )
            )
            beta = (T.size - gamma) / (residuals**2).sum()
            alpha = beta * alpha
        posterior = fastmlp.Laplace(path.network(k), X, T, prior_precision=alpha, noise_precision=beta, hessian="exact")
        assert np.isclose(step.log_evidence, posterior.log_evidence, rtol=1e-9)
        assert np.isclose(step.nic, posterior.nic, rtol=1e-9)
        assert np.isclose(step.aic, 2 * (step.n_params - posterior.log_likelihood), rtol=1e-9)
        assert np.isclose(step.bic, step.n_params * np.log(60) - 2 * posterior.log_likelihood, rtol=1e-9)


def test_without_training_all_comes_from_the_first_quadratic_model():
    net, X, T = problem()
    path = fastmlp.prune(net, X, T, penalty=PENALTY, retrain=False, n_params=3)
    A, w = net.objective(X, T, penalty=PENALTY).hess(net.params), net.params
    for step in path.steps[1:]:
        left = np.flatnonzero(~step.pruned)
        # the minimum of the quadratic model with all of these at 0, however one comes there
        gone = np.flatnonzero(step.pruned)
        expected = w.copy()
        expected[gone] = 0.0
        expected[left] = w[left] + np.linalg.solve(A[np.ix_(left, left)], A[np.ix_(left, gone)] @ w[gone])
        assert relative_error(step.params, expected) < 1e-9
        assert step.nit == 0
    with pytest.raises(ValueError, match=r"^retrain: expected True, or a network at an optimum"):
        fastmlp.prune(network([3, 3, 1]), X, T, penalty=PENALTY, retrain=False)


def test_several_at_once_take_fewer_trainings_and_as_much_of_the_objective_as_is_allowed():
    net, X, T = problem(layers=(3, 8, 1))
    one = fastmlp.prune(net, X, T, penalty=PENALTY, n_params=10)
    several = fastmlp.prune(net, X, T, penalty=PENALTY, n_params=10, at_once=0.02)
    assert len(several.steps) < 0.7 * len(one.steps)
    for before, step in zip(several.steps, several.steps[1:], strict=False):
        assert len(step.removed) == 1 or step.rise <= 0.02 * before.objective * (1 + 1e-9)
    assert several.steps[-1].objective < 1.2 * one.steps[-1].objective


@pytest.mark.parametrize("method", ["obs", "obd", "magnitude", "evidence"])
@pytest.mark.parametrize("what", ["weights", "units", "inputs", ["W1[:,0]", "W1[:,1]", "b1"]])
def test_every_method_with_everything_that_can_be_deleted(method, what):
    net, X, T = problem()
    path = fastmlp.prune(net, X, T, method, penalty=PENALTY, what=what)
    sizes = [step.n_params for step in path.steps]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) > 2
    objective = net.objective(X, T, penalty=PENALTY)
    for step in path.steps:
        assert np.isclose(objective.value(step.params), step.objective, rtol=1e-12)
        assert (step.params[step.pruned] == 0).all()
        assert step.n_params == np.count_nonzero(~step.pruned)
        assert np.abs(objective.grad(step.params)[~step.pruned]).max() <= 1e-6
    assert np.array_equal(net.params, problem()[0].params)


def test_what_is_kept_stays():
    net, X, T = problem()
    path = fastmlp.prune(net, X, T, penalty=PENALTY, keep=["b2", "W1[:,0]"])
    kept = [0, 3, 6, 15]
    assert not path.steps[-1].pruned[15]
    assert not {"b2[0]", "W1[0,0]", "W1[1,0]", "W1[2,0]"} & {name for step in path.steps for name in step.removed}
    last = next(step for step in reversed(path.steps) if not step.pruned[kept[:3]].any())
    assert last.n_params < 12


def test_units_that_die_go_with_the_weight_that_kept_them():
    net, X, T = problem()
    path = fastmlp.prune(net, X, T, penalty=PENALTY)
    for step in path.steps:
        W, out = net._architecture.unravel(~step.pruned).weights
        b = net._architecture.unravel(~step.pruned).biases[0]
        used = out.any(axis=0)
        assert not W[~used].any()
        assert not b[~used].any()
        assert not out[:, ~(W.any(axis=1) | b)].any()


def test_inputs_that_are_always_zero_are_dead_from_the_start():
    net, X, T = problem()
    X[:, 1] = 0.0
    path = fastmlp.prune(net, X, T, n_params=8, what="weights", penalty=PENALTY)
    assert path.steps[0].pruned[[1, 4, 7]].all()
    assert path.steps[0].n_params == 13


def test_the_criterion_chooses_and_ends_the_path():
    net, X, T = problem(layers=(3, 10, 1), n_samples=80)
    whole = fastmlp.prune(net, X, T, penalty=PENALTY)
    for name, key in (("evidence", lambda s: -s.log_evidence), ("bic", lambda s: s.bic), ("aic", lambda s: s.aic)):
        path = fastmlp.prune(net, X, T, penalty=PENALTY, stop=name)
        assert path.best_step == int(np.argmin([key(step) for step in path.steps]))
        assert path.criterion == name
        assert len(path.steps) <= len(whole.steps)
    assert whole.best_step == int(np.argmax([step.log_evidence for step in whole.steps]))
    Xv, Tv = data(net, 30, seed=5)
    path = fastmlp.prune(net, X, T, penalty=PENALTY, stop="validation", validation=(Xv, Tv))
    losses = [0.5 * np.mean((path.network(k)(Xv) - Tv) ** 2) for k in range(len(path.steps))]
    assert np.allclose([step.validation_loss for step in path.steps], losses, rtol=1e-12)
    assert path.best_step == int(np.argmin(losses))
    path = fastmlp.prune(net, X, T, penalty=PENALTY, stop=lambda steps: len(steps) == 4)
    assert len(path.steps) == 4
    assert path.best_step == 3


def test_a_rise_that_is_too_large_ends_the_path_before_it():
    net, X, T = problem(layers=(3, 10, 1))
    path = fastmlp.prune(net, X, T, penalty=PENALTY, max_rise=0.5)
    assert path.steps[-1].objective <= path.steps[0].objective + 0.5
    assert path.message == "stopped by max_rise"
    assert path.best_step == len(path.steps) - 1


def test_callback_time_limit_and_exceptions_end_it():
    net, X, T = problem(layers=(3, 10, 1))
    seen = []
    path = fastmlp.prune(net, X, T, penalty=PENALTY, callback=lambda step: seen.append(step) or len(seen) == 3)
    assert list(path.steps) == seen
    assert path.message == "stopped by the callback"
    assert fastmlp.prune(net, X, T, penalty=PENALTY, time_limit=0).message == "stopped at time_limit"

    def interrupted(step):
        if step.n_params < 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        fastmlp.prune(net, X, T, penalty=PENALTY, callback=interrupted)
    assert caught.value.partial.steps[-1].n_params < 30
    with pytest.raises(ZeroDivisionError):
        fastmlp.prune(net, X, T, penalty=PENALTY, callback=lambda step: 1 / 0)


def test_what_is_wrong_is_named():
    net, X, T = problem()
    for error, arguments in (
        ("^stop: expected a validation set", {"stop": "validation"}),
        ("^stop: expected", {"stop": "loss"}),
        ("^keep: expected a group", {"keep": "W9"}),
        ("^what, keep: expected something", {"keep": ["W1", "b1", "W2", "b2"]}),
        ("^n_params: expected", {"n_params": 0}),
        ("^at_once: expected", {"at_once": -0.1}),
        ("^method: expected", {"method": "random"}),
        ("^hessian: expected", {"hessian": "diagonal"}),
        ("^stop: expected a penalty on all that is trained", {"stop": "evidence", "penalty": None}),
        ("^validation: expected", {"validation": (X, T, T)}),
    ):
        with pytest.raises(ValueError, match=error):
            fastmlp.prune(net, X, T, **({"penalty": PENALTY} | arguments))
    with pytest.raises(TypeError, match=r"^validation: expected a pair"):
        fastmlp.prune(net, X, T, penalty=PENALTY, validation=0.3)
    with pytest.raises(TypeError, match=r"^callback: expected a callable"):
        fastmlp.prune(net, X, T, penalty=PENALTY, callback=3)
    with pytest.raises(TypeError, match=r"^net: expected a fastmlp\.Network"):
        fastmlp.prune(None, X, T)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_paths_do_not_depend_on_threads(n_threads):
    net, X, T = problem(layers=(3, 10, 2), n_samples=300)
    path, other = (fastmlp.prune(net, X, T, penalty=PENALTY, n_params=20, n_threads=n) for n in (n_threads, 1))
    assert [step.removed for step in path.steps] == [step.removed for step in other.steps]
    assert all(np.array_equal(a.params, b.params) for a, b in zip(path.steps, other.steps, strict=True))


def test_other_terms_of_the_penalty_are_pruned_with():
    net, X, T = problem()
    center = np.linspace(-0.1, 0.1, net.n_params)
    penalty = PENALTY + fastmlp.Quadratic(center, 0.05 * np.eye(net.n_params))
    net.fit(X, T, "lm", penalty=penalty, tol=1e-11)
    path = fastmlp.prune(net, X, T, penalty=penalty, n_params=8)
    objective = net.objective(X, T, penalty=penalty)
    for step in path.steps:
        assert np.isclose(objective.value(step.params), step.objective, rtol=1e-12)
        assert np.abs(objective.grad(step.params)[~step.pruned]).max() <= 1e-6


def test_results_print_as_short_tables():
    net, X, T = problem()
    path = fastmlp.prune(net, X, T, penalty=PENALTY)
    lines = repr(path).splitlines()
    assert lines[0].startswith("PruningPath of ")
    assert len(lines) < 12
    table = path.table().splitlines()
    assert len(table) == 1 + len(path.steps)
    assert sum(line.split()[0].endswith("*") for line in table[1:]) == 1
    frame = path.frame()
    assert list(frame["n_params"]) == [step.n_params for step in path.steps]
    assert fastmlp.plot.pruning(path).get_xlabel() == "weights left"
    assert path.plot().get_ylabel() == "mean loss of a sample"
    with pytest.raises(TypeError, match=r"^result: expected what fastmlp\.prune returns"):
        fastmlp.plot.pruning(net)


def test_it_says_what_it_does_when_asked(capsys):
    net, X, T = problem()
    fastmlp.prune(net, X, T, penalty=PENALTY, n_params=10)
    assert capsys.readouterr().out == ""
    path = fastmlp.prune(net, X, T, penalty=PENALTY, n_params=10, verbose=1)
    assert len(capsys.readouterr().out.splitlines()) == len(path.steps)


def test_networks_in_float32_are_pruned_in_float64():
    net, X, T = problem()
    single = network([3, 3, 1], dtype="float32", scale=0.7)
    single.params = net.params
    path, expected = (fastmlp.prune(each, X, T, penalty=PENALTY, n_params=8) for each in (single, net))
    assert [step.removed for step in path.steps] == [step.removed for step in expected.steps]
    own = path.network(3)
    assert own.dtype == np.float32
    assert own.params.dtype == np.float32
    assert np.allclose(own(X), expected.network(3)(X), rtol=1e-4, atol=1e-5)
    assert fastmlp.refit(own, X, T, penalty=PENALTY).success


def test_diagrams_show_what_is_joined_to_the_outputs():
    net, X, T = problem()
    path = fastmlp.prune(net, X, T, penalty=PENALTY)
    small, inputs = fastmlp.compact(path.network(len(path.steps) - 3))
    ax = fastmlp.plot.diagram(path.network(len(path.steps) - 3), ["a", "b", "c"])
    weights = sum(np.count_nonzero(W) for W in small.weights)
    lines = [line for line in ax.get_lines() if line.get_linestyle() == "-"]
    assert len(lines) == weights
    labels = {text.get_text() for text in ax.texts}
    assert labels & {"a", "b", "c"} == {"abc"[i] for i in inputs}
    signs = {line.get_color() for line in lines}
    assert signs <= {"#2a6f97", "#d1661f"}
    with pytest.raises(ValueError, match=r"^feature_names: expected 3, got 1"):
        fastmlp.plot.diagram(net, ["a"])
    with pytest.raises(TypeError, match=r"^net: expected a fastmlp\.Network"):
        fastmlp.plot.diagram(3)
    with pytest.raises(ValueError, match=r"^net: expected layers of at most 60 units"):
        fastmlp.plot.diagram(fastmlp.Network([3, 61, 1], rng=0))


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_units_that_weight_decay_kills_without_a_penalty_on_biases_go_by_themselves(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 4))
    T, penalty = np.tanh(X[:, :1]), fastmlp.WeightDecay(2.0)  # of the weights alone
    net = fastmlp.Network([4, 5, 1], rng=seed)
    path = fastmlp.prune(net, X, T, penalty=penalty)
    W, b = path.network(0).weights, path.network(0).biases
    dead = np.abs(W[1][0]) == 0
    assert dead.any()
    assert not W[0][dead].any()
    assert not b[0][dead].any()
    free = net.copy()
    free.fit(X, T, "lm", penalty=penalty, tol=1e-10)
    assert path.steps[0].objective == pytest.approx(free.objective(X, T, penalty=penalty).value(free.params), rel=1e-11)
    assert all(step.n_params == np.count_nonzero(~step.pruned) for step in path.steps)
    assert path.steps[-1].n_params <= 2
    saliencies = fastmlp.saliencies(path.network(0), X, T, penalty=penalty)
    assert len(saliencies.names) == path.steps[0].n_params


def test_evidence_is_refused_where_something_that_stays_has_no_prior():
    net, X, T = problem()
    for arguments in ({"keep": ["b1", "b2"]}, {"what": ["W1[:,0]"]}, {}):
        with pytest.raises(ValueError, match=r"^stop: expected a penalty on all that is trained.*got none on b1"):
            fastmlp.prune(net, X, T, penalty=fastmlp.WeightDecay(0.1), stop="evidence", **arguments)
    with pytest.raises(TypeError, match=r"^retrain: expected True or False, got 'no'"):
        fastmlp.prune(net, X, T, penalty=PENALTY, retrain="no")
    with pytest.raises(TypeError, match=r"^X: expected None with a posterior, which has its own, got ndarray"):
        fastmlp.prune(fastmlp.Laplace(net, X, T, penalty=PENALTY), X, T)
    path = fastmlp.prune(net, X, T, "evidence", penalty=fastmlp.WeightDecay(0.1), keep=["b1", "b2"], n_params=12)
    assert path.steps[-1].n_params <= 12


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"stop": lambda steps: np.zeros(2)}, TypeError, "stop"),
        ({"retrain": "no"}, TypeError, "retrain"),
        ({"n_params": np.array([1, 2])}, TypeError, "n_params"),
        ({"noise_precision": 5e-324}, ValueError, "noise_precision"),
    ],
)
def test_answers_and_numbers_that_are_none_are_named(options, error, named):
    net, X, T = problem()
    with pytest.raises(error, match=f"^{named}: expected"):
        fastmlp.prune(net, X, T, penalty=PENALTY, **options)


def test_large_networks_are_trained_by_gradients_first(monkeypatch):
    net, X, T = problem(layers=(4, 6, 1), n_samples=60)
    net = network([4, 6, 1], "tanh", scale=0.7)  # not trained
    how = {"penalty": PENALTY, "tol": 1e-8, "at_once": 0.02, "n_params": 5}
    usual = fastmlp.prune(net, X, T, **how)
    monkeypatch.setattr(retraining, "MANY", 10)
    path = fastmlp.prune(net, X, T, **how)
    assert len(path.steps) < 20
    assert path.steps[0].nit > usual.steps[0].nit
    for step in path.steps:
        left = np.flatnonzero(~step.pruned)
        assert step.grad_norm <= 1e-8
        at_rest, fun = minimum(net, X, T, left, step.params)
        assert abs(step.objective - fun) < 1e-9
        assert np.allclose(step.params, at_rest, atol=1e-6)


@pytest.mark.parametrize("many", [retraining.MANY, 10])
def test_any_number_of_steps_may_be_allowed(many, monkeypatch):
    monkeypatch.setattr(retraining, "MANY", many)
    net, X, T = problem(n_samples=20)
    path = fastmlp.prune(net, X, T, penalty=PENALTY, max_iter=2**62, time_limit=60.0, n_params=12)
    assert path.message == "n_params reached"
