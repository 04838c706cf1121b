"""States of earlier fits that somebody has edited: a named error or a training that ends, no crash, no hang."""

import copy
import pickle
import re
import sys

import numpy as np
import pytest

import fastmlp
from cases import RESUMABLE
from children import outcomes
from fastmlp.invariance import TimeShift

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the memory in use")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
T = np.sin(X[:, :1])
METHODS = {name: {} for name in RESUMABLE} | {"sgd": {"momentum": 0.5, "nesterov": True}, "lbfgs": {"maxcor": 3}}
DENSE, SIGNALS = [3, 4, 1], [(1, 3), fastmlp.Conv(3, 2), fastmlp.MaxPool(2), 1]
SETTINGS = {
    "plain": {"max_iter": 4},
    "held back": {"max_iter": 4, "validation": 0.3, "patience": 50, "standardize": True, "fixed": "b1"},
    "of signals": {"max_iter": 4},
}
NAMED = re.compile(r"result|(ValueError|TypeError): (warm_start|params): .*expected ")


def settings_of(method, kind):
    augmented = {"augment": TimeShift(0.5)} if kind == "of signals" and method in ("sgd", "adam") else {}
    return METHODS[method] | SETTINGS[kind] | augmented


def fitted(method, dtype, settings, layers=DENSE):
    net = fastmlp.Network(layers, rng=0, dtype=dtype)
    return net, net.fit(X, T, method, rng=1, **settings)


def entries(state, path=()):
    """Paths of all that a state holds."""
    for key, value in state.items() if isinstance(state, dict) else enumerate(state):
        yield (*path, key)
        if isinstance(value, (dict, tuple)) and not hasattr(value, "_fields"):
            yield from entries(value, (*path, key))


def changed(state, path, value):
    """A copy with another value at a path, or without one."""
    key, *rest = path
    if rest:
        value = changed(state[key], rest, value)
    if isinstance(state, dict):
        other = {name: each for name, each in state.items() if name != key or value is not MISSING}
        return other | ({} if value is MISSING else {key: value})
    items = [value if place == key else each for place, each in enumerate(state)]
    return tuple(each for each in items if each is not MISSING)


MISSING = object()
NUMBERS = (MISSING, None, np.nan, -1, np.inf, -np.inf, 2**31, 2**63, 2**64, 10**400, 0, 1e300, "1", True, np.zeros(3))


def mutations(value):
    """What could stand in its place."""
    yield from NUMBERS
    if not isinstance(value, np.ndarray):
        return
    with np.errstate(all="ignore"):
        yield from (value[:-1], value[1:], value[:0], np.concatenate([value, value]), value.astype(np.float16))
        yield from (value.astype(np.complex128), value.astype(np.int32), value.astype(object), value.astype(str))
        yield from (value.astype(np.float32), value.astype(np.float64), value.T, value[None], value[..., None])
        yield from (value * np.nan, value + 10**6, -value - 1, value * 1e300, value.astype(">f8"))
        yield from (np.broadcast_to(value[:1], (10**6, *value.shape[1:])), np.repeat(value, 2, axis=-1)[..., ::2])
        yield from (np.ma.masked_array(value), np.zeros(2**20), value[..., :-1], value.tolist())


def continued(method, settings, net, result, state, samples=(X, T)):
    again = copy.copy(result)
    again.state = state
    copied = net.copy()
    more = copied.fit(*samples, method, warm_start=again, rng=1, **settings | {"max_iter": 3})
    assert more.x.shape == (net.n_params,)


def check_mutations(method, settings, net, result, samples=(X, T)):
    """Each part of the state in turn is something else."""
    calls, names = [], []
    for path in entries(result.state):
        value = result.state
        for key in path:
            value = value[key]
        for number, other in enumerate(mutations(value)):
            state = changed(result.state, path, other)
            calls.append(lambda state=state: continued(method, settings, net, result, state, samples))
            names.append((path, number))
    ends = outcomes(calls, seconds=60)
    assert len(ends) >= 280
    wrong = [pair for pair in zip(names, ends, strict=False) if not NAMED.match(pair[1])]
    assert not wrong
    assert len(ends) == len(calls)


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
def test_a_state_that_was_edited_is_refused_by_name_or_does_no_harm(method, dtype, kind):
    settings = settings_of(method, kind)
    check_mutations(method, settings, *fitted(method, dtype, settings, SIGNALS if kind == "of signals" else DENSE))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_so_is_one_of_more_inputs_than_samples(dtype):
    """Which has the coordinates that the network was trained by."""
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(12, 400)), rng.normal(size=12)
    net = fastmlp.Network([400, 3, 1], rng=0, dtype=dtype)
    result = net.fit(*samples, "lm", max_iter=3)
    assert "span" in result.state
    check_mutations("lm", {}, net, result, samples)


@pytest.mark.parametrize(("kind", "layers"), [("held back", DENSE), ("of signals", SIGNALS)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
def test_a_state_that_nobody_has_edited_continues_to_the_bit(method, dtype, kind, layers):
    more = settings_of(method, kind)
    net, result = fitted(method, dtype, more, layers)
    second = net.fit(X, T, method, warm_start=pickle.loads(pickle.dumps(result)), **more)
    whole = fastmlp.Network(layers, rng=0, dtype=dtype)
    assert np.array_equal(second.x, whole.fit(X, T, method, rng=1, **more | {"max_iter": 8}).x)


@pytest.mark.parametrize(
    ("method", "name", "value", "said"),
    [
        ("lbfgs", "steps", np.zeros((2, 21)), "as many changes as steps, 2, got 3"),
        ("lbfgs", "changes", np.zeros((3, 20)), r"changes of shape \(3, 21\), got \(3, 20\)"),
        ("adam", "first_moment", np.zeros(20), r"first_moment of shape \(21,\), got \(20,\)"),
        ("adam", "second_moment", np.full(21, -1.0), "finite numbers >= 0 in second_moment"),
        ("sgd", "velocity", np.zeros(21, "f4"), "velocity to be an array of float64, got float32"),
        ("lm", "mu", -1.0, "mu to be a finite number > 0, got -1.0"),
        ("scg", "damping", np.nan, "damping to be a finite number > 0, got nan"),
        ("rprop", "step_size", np.full(21, np.inf), "finite numbers >= 0 in step_size"),
    ],
)
def test_what_is_wrong_is_named(method, name, value, said):
    net, result = fitted(method, "float64", METHODS[method] | {"max_iter": 6})
    result.state[name] = value
    with pytest.raises((ValueError, TypeError), match=f"^warm_start: expected {said}"):
        net.fit(X, T, method, warm_start=result, **METHODS[method])


class Twister(np.random.MT19937):
    """Somebody's own."""


class Anything(int):
    def __le__(self, other):
        return True

    __ge__ = __lt__ = __gt__ = __le__


class Hooked(float):
    """A number that is another one whenever it is looked at, and none in the end."""

    def __float__(self):
        return "none"

    def __le__(self, other):
        return True

    __ge__ = __lt__ = __gt__ = __eq__ = __le__
    __hash__ = float.__hash__


class Renamed(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


@pytest.mark.parametrize("method", METHODS)
def test_subclasses_of_numbers_and_words_are_what_they_hold(method):
    """A state of subclasses continues as it would itself; their methods, which run nothing, decide nothing."""

    def disguised(value):
        if isinstance(value, dict):
            return {key: disguised(each) for key, each in value.items()}
        if type(value) is tuple:
            return tuple(map(disguised, value))
        kind = {float: Hooked, int: Anything, str: Renamed}.get(type(value))
        return value if kind is None else kind(value)

    more = settings_of(method, "held back")
    net, result = fitted(method, "float64", more)
    expected = net.copy().fit(X, T, method, warm_start=result, **more)
    result.state = disguised(result.state)
    assert np.array_equal(net.copy().fit(X, T, method, warm_start=result, **more).x, expected.x)
    result.state["method"] = Renamed("another")
    with pytest.raises(ValueError, match=r"^warm_start: expected the result of a fit by the same method"):
        net.fit(X, T, method, warm_start=result, **more)


@pytest.mark.parametrize("kind", [np.random.MT19937, Twister])
@pytest.mark.parametrize("place", [2**31 - 1, -1, Anything(2**31 - 1)])
def test_places_in_a_generator_are_inside(kind, place):
    inputs, targets = np.linspace(-1, 1, 20)[:, None], np.linspace(-1, 1, 20)
    net = fastmlp.Network([1, 3, 1], rng=0)
    result = net.fit(inputs, targets, "adam", max_iter=2, rng=np.random.Generator(kind(0)))
    kind, saved = result.state["rng"]
    result.state["rng"] = kind, saved | {"state": saved["state"] | {"pos": place}}
    with pytest.raises(ValueError, match=r"^warm_start: expected rng to be the state of"):
        net.fit(inputs, targets, "adam", max_iter=2, warm_start=result)
