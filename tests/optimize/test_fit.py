"""Training: every solver keeps the same promises."""

import sys
import threading
import time

import numpy as np
import pytest

import fastmlp
from cases import FULL_BATCH, MINIBATCH, RESUMABLE, WITH_GRADIENT, data, network

X = np.linspace(-2, 2, 60)[:, np.newaxis]
T = np.sin(2 * X)


def fresh(dtype="float64", seed=0):
    return fastmlp.Network([1, 4, 1], rng=seed, dtype=dtype)


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_the_result_has_every_field_and_is_left_in_the_network(method, dtype):
    net = fresh(dtype)
    penalty = fastmlp.WeightDecay(0.01)
    objective = net.objective(X, T, penalty=penalty)
    res = net.fit(X, T, method, max_iter=20, penalty=penalty, validation=(X, T), rng=0)
    assert np.array_equal(res.x, net.params)
    assert res.fun == objective.value(res.x)
    assert res.nit == len(res.history["loss"]) - 1 <= 20
    assert set(res.history) == {"loss", "train_loss", "validation_loss", "grad_norm", "time"}
    assert len({len(values) for values in res.history.values()}) == 1
    assert res.history["loss"][0] == pytest.approx(objective.value(objective.x0), rel=1e-6)
    assert res.history["train_loss"][0] == pytest.approx(net_loss(objective) / 60, rel=1e-6)
    assert np.all(np.diff(res.history["time"]) >= 0)
    assert np.isnan(res.history["grad_norm"][1:]).all() == (method in MINIBATCH)
    assert np.isfinite(res.history["validation_loss"]).all()
    assert {"nfev", "njev", "nhev", "status", "message", "success", "grad_norm", "state"} <= set(res)


def net_loss(objective):
    return objective.data.value(objective.native(objective.x0))


@pytest.mark.parametrize("method", FULL_BATCH)
def test_full_batch_methods_do_not_end_above_their_start(method):
    net = fresh()
    before = net.loss(X, T)
    for max_iter in (0, 1, 2, 5):
        res = net.fit(X, T, method, max_iter=max_iter)
        assert res.fun <= before
        assert res.nit <= max_iter
        before = res.fun


@pytest.mark.parametrize("method", FULL_BATCH)
def test_success_says_that_the_gradient_is_within_tol(method):
    net = fastmlp.Network([1, 1], rng=0)
    res = net.fit(X, 3 * X + 1, method, tol=1e-6, max_iter=3000)
    assert res.success
    assert res.grad_norm <= 1e-6
    assert np.abs(net.loss_and_grad(X, 3 * X + 1)[1]).max() == res.grad_norm
    assert np.allclose(net.params, [3, 1], atol=1e-6)
    assert not fresh().fit(X, T, method, max_iter=2).success


def test_lbfgs_reaches_tight_tolerances():
    res = fresh().fit(X, T, "lbfgs", tol=1e-8, penalty=fastmlp.WeightDecay(0.01, 0.01), max_iter=5000)
    assert res.success
    assert res.grad_norm <= 1e-8


@pytest.mark.parametrize("method", MINIBATCH)
def test_minibatch_methods_succeed_when_all_epochs_are_done(method):
    settings = {"method": method, "max_iter": 50, "learning_rate": 0.02}
    res = fresh().fit(X, T, **settings)
    assert res.success
    assert res.nit == 50
    assert res.message == "all epochs done"
    assert not fresh().fit(X, T, **settings, callback=lambda state: state.nit == 49).success


def test_the_full_data_set_as_one_batch_descends_along_the_mean_gradient():
    net = fresh()
    w, gradient = net.params, net.loss_and_grad(X, T)[1]
    net.fit(X, T, "sgd", batch_size=60, learning_rate=0.5, max_iter=1)
    assert np.allclose(net.params, w - 0.5 * gradient / 60, rtol=1e-13)


@pytest.mark.parametrize("method", RESUMABLE)
def test_two_fits_of_k_equal_one_of_2k(method, dtype):
    halves, whole = fresh(dtype), fresh(dtype)
    schedule = fastmlp.schedules.step_decay(0.02, 0.5, every=4) if method in MINIBATCH else None
    settings = {"method": method, "learning_rate": schedule, "validation": 0.25}
    first = halves.fit(X, T, max_iter=5, rng=3, **settings)
    second = halves.fit(X, T, max_iter=5, warm_start=first, **settings)
    res = whole.fit(X, T, max_iter=10, rng=3, **settings)
    assert halves == whole
    assert np.array_equal(second.history["validation_loss"], res.history["validation_loss"][5:])


def test_warm_start_does_not_touch_the_earlier_result():
    net = fresh()
    first = net.fit(X, T, "adam", max_iter=2, rng=0)
    copies = [fresh(), fresh()]
    for other in copies:
        other.params = first.x
        other.fit(X, T, "adam", max_iter=2, warm_start=first)
    assert copies[0] == copies[1]


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_a_callback_sees_each_iteration_and_may_stop(method):
    seen = []

    def callback(state):
        seen.append((state.nit, state.fun, state.x.copy()))
        return state.nit == 3

    net = fresh()
    res = net.fit(X, T, method, max_iter=10, callback=callback)
    assert [nit for nit, *_ in seen] == [1, 2, 3]
    assert res.message == "stopped by the callback"
    assert np.array_equal(net.params, seen[-1][2])
    assert not res.success


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_stop_iteration_stops_politely(method):
    def callback(state):
        raise StopIteration

    assert fresh().fit(X, T, method, max_iter=10, callback=callback).nit == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_an_exception_leaves_the_last_completed_step_unless_it_lies_above_the_start(method, error):
    net = fresh()
    steps = [(net.loss(X, T), net.params)]

    def callback(state):
        steps.append((state.fun, state.x))
        if state.nit == 2:
            raise error

    with pytest.raises(error):
        net.fit(X, T, method, max_iter=10, callback=callback)
    worse = method not in MINIBATCH and steps[-1][0] > steps[0][0]  # slsqp's second step
    expected = min(steps, key=lambda step: step[0]) if worse else steps[-1]
    assert np.array_equal(net.params, expected[1])
    net.fit(X, T, method, max_iter=1)


@pytest.mark.parametrize("last", [1, 2, 3, 5])
def test_ctrl_c_leaves_no_more_than_the_start(last):
    seen, rises = [], 0

    def callback(state):
        seen.append(state.fun)
        if state.nit == last:
            raise KeyboardInterrupt

    for seed in range(10):
        net = fresh(seed=seed)
        start = net.loss(X, T)
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, T, "slsqp", callback=callback)
        rises += seen[-1] > start
        assert net.loss(X, T) <= start
    assert rises > 0 or last == 5


def test_validation_alone_only_records():
    with_it, without = fresh(), fresh()
    with_it.fit(X, T, "adam", max_iter=5, rng=0, validation=(X[:7], T[:7]))
    without.fit(X, T, "adam", max_iter=5, rng=0)
    assert with_it == without


def test_the_time_limit_holds_within_an_epoch():
    net = fastmlp.Network([50, 300, 300, 1], rng=0)
    inputs = np.random.default_rng(0).normal(size=(30_000, 50))
    start = time.perf_counter()
    res = net.fit(inputs, inputs[:, 0], "adam", time_limit=0.03, max_iter=100)
    assert time.perf_counter() - start < 10  # an epoch takes longer than the limit, a hundred much longer than this
    assert res.nit == 0
    assert res.message == "stopped at time_limit"


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_verbose_prints_and_silence_is_the_default(method, capsys):
    fresh().fit(X, T, method, max_iter=3)
    assert capsys.readouterr().out == ""
    fresh().fit(X, T, method, max_iter=3, verbose=2, validation=(X, T))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 4
    assert all(word in lines[0] for word in ("loss", "train", "validation"))


def test_a_second_fit_at_the_same_time_is_refused():
    net, messages = fresh(), []

    def callback(state):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        return True

    def second():
        try:
            net.fit(X, T)
        except RuntimeError as error:
            messages.append(str(error))

    net.fit(X, T, callback=callback)
    assert len(messages) == 1
    assert "being fitted already" in messages[0]


def test_the_network_follows_each_step():
    net, same = fresh(), []
    net.fit(X, T, max_iter=5, callback=lambda state: same.append(np.array_equal(net.params, state.x)))
    assert same == [True] * 5


def test_a_callback_may_answer_in_numpys_words():
    assert fresh().fit(X, T, max_iter=9, callback=lambda state: np.True_).nit == 1


@pytest.mark.parametrize(("fraction", "expected"), [(0.1, 4), (0.125, 5), (0.15, 6), (0.5, 20)])
def test_a_fraction_of_small_classes_is_what_was_asked_for(fraction, expected):
    labels = np.repeat(np.arange(10), 4)
    net = network([1, 10], output="softmax")
    res = net.fit(labels[:, None] / 10, labels, "adam", validation=fraction, max_iter=1, rng=0)
    counts = np.bincount(labels[res.state["held_back"]], minlength=10)
    assert counts.sum() == expected
    assert np.ptp(counts) <= 1


@pytest.mark.filterwarnings("ignore::fastmlp.errors.ScaleWarning")
def test_an_infinite_objective_is_not_convergence():
    net = fastmlp.Network([3, 4, 1], output="exp", rng=0)
    rng = np.random.default_rng(0)
    res = net.fit(100 * rng.normal(size=(50, 3)), 100 * rng.random(50), "slsqp", max_iter=50)
    assert res.success == (res.message == "converged: the gradient is within tol")
    assert np.isfinite(res.fun)


@pytest.mark.parametrize("change", ["dtype", "samples"])
def test_a_warm_start_that_does_not_fit_is_refused(change):
    earlier = fresh("float32" if change == "dtype" else "float64").fit(X, T, "adam", max_iter=1)
    n = 30 if change == "samples" else 60
    with pytest.raises(ValueError, match="warm_start: expected"):
        fresh().fit(X[:n], T[:n], "adam", warm_start=earlier)


def test_a_continued_fit_draws_from_the_earlier_generator_whatever_became_of_it():
    rng, nets = np.random.default_rng(0), [fresh(), fresh()]
    first = nets[0].fit(X, T, "sgd", max_iter=2, rng=rng)
    rng.random(100)
    nets[0].fit(X, T, "sgd", max_iter=2, warm_start=first, rng=7)
    nets[1].fit(X, T, "sgd", max_iter=4, rng=np.random.default_rng(0))
    assert nets[0] == nets[1]


def test_sample_weights_count_as_repetitions():
    weighted, repeated = fresh(), fresh()
    counts = np.arange(60) % 3
    weighted.fit(X, T, "lbfgs", sample_weight=counts, max_iter=5)
    repeated.fit(np.repeat(X, counts, axis=0), np.repeat(T, counts, axis=0), "lbfgs", max_iter=5)
    assert np.allclose(weighted.params, repeated.params, rtol=1e-9)


def test_auto_takes_lm_for_small_smooth_networks_lbfgs_for_more_work_and_adam_for_much():
    assert fresh().fit(X, T, max_iter=1).method == "lm"
    with_kinks = fastmlp.Network([X.shape[1], 5, 1], hidden="relu", rng=0)
    assert with_kinks.fit(X, T, max_iter=1).method == "lbfgs"
    wide = fastmlp.Network([X.shape[1], 500, 1], rng=0)
    assert wide.fit(X, T, max_iter=1).method == "lbfgs"
    large = fastmlp.Network([100, 1000, 1], rng=0)
    inputs = np.zeros((1000, 100))
    inputs[:, 0] = np.arange(1000)
    assert large.fit(inputs, inputs[:, 0], max_iter=1, time_limit=0).method == "adam"


def test_nesterov_and_momentum_are_options_of_sgd_only():
    fresh().fit(X, T, "sgd", momentum=0.9, nesterov=True, max_iter=1)
    with pytest.raises(TypeError, match=r"momentum: expected an option of fit or of adam \(beta1"):
        fresh().fit(X, T, "adam", momentum=0.9)


def test_without_shuffling_minibatches_come_in_the_order_of_the_samples():
    one, other = fresh(), fresh()
    one.fit(X, T, "sgd", batch_size=20, max_iter=1, shuffle=False)
    for rows in (slice(0, 20), slice(20, 40), slice(40, 60)):
        other.fit(X[rows], T[rows], "sgd", batch_size=20, max_iter=1)
    assert np.allclose(one.params, other.params, rtol=1e-12)


def test_maxfun_bounds_the_evaluations_of_lbfgs():
    res = fresh().fit(X, T, "lbfgs", maxfun=30, tol=0.0)
    assert 30 <= res.nfev <= 30 + 50
    assert res.message == "stopped at maxfun"


def test_networks_train_in_float32():
    net = fresh("float32")
    res = net.fit(X, T, "lbfgs", max_iter=500)
    assert res.fun < 0.05
    assert net.params.dtype == np.float32


@pytest.mark.parametrize("method", ["nelder-mead", "powell"])
def test_methods_without_gradient_work_too(method):
    net = fastmlp.Network([1, 1], rng=0)
    net.fit(X, 3 * X + 1, method, max_iter=400)
    assert np.allclose(net.params, [3, 1], atol=0.05)


def test_classes_are_learned():
    net = network([2, 8, 3], output="softmax")
    inputs, _ = data(net, 300)
    labels = (inputs[:, 0] > 0).astype(int) + (inputs[:, 1] > 0)
    net.fit(inputs, labels)
    assert np.mean(net(inputs).argmax(axis=1) == labels) > 0.98


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_an_objective_that_is_not_finite_at_the_start_is_refused(method):
    net = fresh()
    net.weights[1][...] = 1e200
    with pytest.raises(ValueError, match="params: expected parameters at which the objective is finite, got inf"):
        net.fit(X, T, method, max_iter=2)


def test_a_training_that_diverges_says_so():
    net = fastmlp.Network([1, 1], rng=0)
    res = net.fit(X, T, "sgd", learning_rate=1e6, max_iter=100)
    assert not res.success
    assert res.message.startswith("diverged")


@pytest.mark.parametrize(("method", "option"), [("lbfgs", "gtol"), ("bfgs", "maxiter"), ("cg", "momentum")])
def test_options_that_a_method_does_not_have_are_refused(method, option):
    with pytest.raises(TypeError, match=f"{option}: expected an option of fit or of {method}"):
        fresh().fit(X, T, method, **{option: 3})


def test_options_of_scipy_reach_it():
    few, many = (fresh().fit(X, T, "lbfgs", maxcor=m, max_iter=50) for m in (1, 30))
    assert many.fun < few.fun


@pytest.mark.parametrize("method", ["lm", "lbfgs", "scg", "bfgs", "slsqp"])
@pytest.mark.parametrize("call", range(1, 5))
def test_ctrl_c_while_validation_is_looked_at_comes_out_and_leaves_no_more_than_the_start(method, call, monkeypatch):
    calls = []

    def interrupted(self, x):
        calls.append(x)
        if len(calls) == call:
            raise KeyboardInterrupt
        return 0.0

    monkeypatch.setattr(fastmlp.optimize.monitor.Monitor, "_validation_loss", interrupted)
    for seed in range(5):
        net = fresh(seed=seed)
        start, calls[:] = net.loss(X, T), []
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, T, method, validation=(X[:5], T[:5]))
        assert net.loss(X, T) <= start


def test_a_network_is_free_again_whenever_ctrl_c_comes():
    net, count = fresh(), 0

    def interrupt(frame, event, argument):
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        return interrupt

    for after in range(1, 400, 3):  # lines of Python into the call
        left = after
        sys.settrace(interrupt)
        try:
            net.fit(X, T, "lbfgs", max_iter=1)
        except KeyboardInterrupt:
            count += 1
        finally:
            sys.settrace(None)
        assert not net._fitting or "by" not in net._fitting
    assert count > 50
