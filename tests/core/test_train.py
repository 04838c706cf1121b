"""The minibatch loop against the same steps written in NumPy, and its appetite for memory."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import fastmlp
from cases import SHAPES, data, network, plan, relative_error
from fastmlp._core.fits.train import Minibatches
from fastmlp._core.sums.batch import bind_plain

SETTINGS = {
    "sgd": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "adam": [{}, {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-6}],
}
CASES = [(method, options) for method, several in SETTINGS.items() for options in several]


def test_a_velocity_of_steps_keeps_the_rate_of_each_gradient(dtype):
    net = network([3, 5, 2], dtype=dtype)
    X, T = data(net, 50)
    rates, w, v = [0.05, 0.01, 0.0, 0.02], net.params.astype(float), 0.0
    replay = net.copy()
    for rate in rates:
        replay.params = w
        v = 0.9 * v - rate * replay.loss_and_grad(X, T)[1] / 50
        w = w + v
    options = {"batch_size": 50, "momentum": 0.9, "velocity": "steps"}
    first = net.fit(X, T, "sgd", max_iter=2, learning_rate=lambda epoch: rates[epoch], **options)
    with pytest.raises(ValueError, match=r"^velocity: expected 'steps', as in the fit that is continued, got 'grad"):
        net.fit(X, T, "sgd", warm_start=first)
    net.fit(X, T, "sgd", max_iter=2, learning_rate=lambda epoch: rates[epoch], warm_start=first, **options)
    assert relative_error(net.params, w) < (1e-14 if dtype == "float64" else 1e-6)


def numpy_steps(net, X, T, method, rate, batch_size, epochs, seed, penalty, weight, options):
    """The formulas of the documentation, on a copy of the network; gradients by loss_and_grad."""
    net, n_samples = net.copy(), len(X)
    rng = np.random.default_rng(seed)
    decay = 0.0 if penalty is None else penalty.diagonal(net._architecture)
    m, v, steps, history = 0.0, 0.0, 0, []
    for _ in range(epochs):
        order, loss = np.arange(n_samples), 0.0
        rng.shuffle(order)
        for first in range(0, n_samples, batch_size):
            rows = order[first : first + batch_size]
            w = net.params.astype(float)
            value, g = net.loss_and_grad(X[rows], T[rows], sample_weight=weight[rows])
            loss += value + 0.5 * np.sum(decay * w**2) * len(rows) / n_samples
            g = g / len(rows) + decay * w / n_samples
            steps += 1
            if method == "sgd":
                momentum = options.get("momentum", 0.0)
                v = momentum * v + g
                net.params = w - rate * (g + momentum * v if options.get("nesterov") else v)
            else:
                b1, b2 = options.get("beta1", 0.9), options.get("beta2", 0.999)
                m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
                corrected = (m / (1 - b1**steps)) / (np.sqrt(v / (1 - b2**steps)) + options.get("epsilon", 1e-8))
                net.params = w - rate * corrected
        history.append(loss)
    return net.params, history


@pytest.mark.parametrize("batch_size", [1, 7, 32, 50, 1000])
@pytest.mark.parametrize(("method", "options"), CASES)
def test_epochs_take_the_documented_steps(method, options, batch_size, dtype):
    net = network([3, 5, 2], dtype=dtype, output="softmax")
    X, T = data(net, 50)
    weight = np.random.default_rng(1).random(50)
    penalty = fastmlp.WeightDecay([0.3, 0.1], biases=0.05)
    expected, history = numpy_steps(net, X, T, method, 0.02, batch_size, 3, 5, penalty, weight, options)
    res = net.fit(X, T, method, max_iter=3, learning_rate=0.02, batch_size=batch_size, rng=5, penalty=penalty,
                  sample_weight=weight, **options)  # fmt: skip
    tolerance = 1e-12 if dtype == "float64" else 1e-4
    assert relative_error(net.params, expected) < tolerance
    assert np.allclose(res.history["loss"][1:], history, rtol=tolerance)


@pytest.mark.parametrize("n_samples", [1, 33, 1000])
@pytest.mark.parametrize("layers", SHAPES)
def test_threads_do_not_change_the_bits(layers, n_samples, dtype):
    nets = []
    for threads in (1, 2, 3, 7):
        net = network(layers, dtype=dtype, output="softmax" if layers[-1] > 1 else "logistic")
        X, T = data(net, n_samples)
        net.fit(X, T, "adam", max_iter=2, batch_size=400, rng=0, n_threads=threads)
        nets.append(net)
    assert all(net == nets[0] for net in nets[1:])


@pytest.mark.parametrize(("method", "n_states"), [("sgd", 1), ("adam", 2)])
def test_bits_do_not_depend_on_where_vectors_lie(method, n_states, dtype):
    net = network([1, 3, 1], dtype=dtype)
    X, T = data(net, 40)
    batch, n, order = bind_plain(net._architecture.plan, X.astype(dtype), T.astype(dtype)), net.n_params, np.arange(40)
    settings = {"sgd": (0, 8, 0.1, (0.9, True, False)), "adam": (0, 8, 0.1, (0.9, 0.999, 1e-8))}[method]
    results = set()
    for apart in (0, 1, 3, 4, 8, 16, 300):  # numbers between one vector and the next
        memory = np.zeros((3 + n_states) * (n + apart), dtype)
        w, decay, g, *states = (memory[k * (n + apart) :][:n] for k in range(3 + n_states))
        w[:], decay[:] = net.params, 0.1
        Minibatches(batch, 5, 1).run((w, order, decay, g, *states), *settings)
        results.add(w.tobytes() + b"".join(state.tobytes() for state in states))
    assert len(results) == 1


@pytest.mark.parametrize("g", [0.0, 1e-30, 1.0, 1e18])
def test_a_step_of_adam_takes_any_gradient(g, dtype, isa):
    """y = w x + b at w = b = 0: the gradient is -t x by w, -t by b, and the first step rate g / (|g| + epsilon)."""
    one = plan([1, 1], "tanh", "squared_error", np.dtype(dtype).itemsize, isa)
    X, T = np.full((1, 1), 2, dtype), np.full((1, 1), -g, dtype)
    w, gradient, m, v = np.zeros((4, 2), dtype)
    Minibatches(bind_plain(one, X, T), 1, 1).run(
        (w, np.zeros(1, np.intp), None, gradient, m, v), 0, 1, 0.5, (0.9, 0.999, 1e-8)
    )
    expected = np.array([2 * g, g])
    expected[expected < (1e-17 if dtype == "float32" else 1e-150)] = 0  # flushed
    assert np.allclose(w, -0.5 * expected / (expected + 1e-8), rtol=1e-5 if dtype == "float32" else 1e-14)


def test_a_squared_gradient_beyond_all_numbers_stops_adam_without_nan(isa):
    one = plan([1, 1], "tanh", "squared_error", 8, isa)
    X, T = np.full((1, 1), 1e200), np.ones((1, 1))
    w, gradient, m, v = np.zeros((4, 2))
    Minibatches(bind_plain(one, X, T), 1, 1).run(
        (w, np.zeros(1, np.intp), None, gradient, m, v), 0, 1, 0.5, (0.9, 0.999, 1e-8)
    )
    assert np.allclose(w, [0, 0.5])


COUNTER = """
#include <stddef.h>
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
static long count;
long allocations(void) { return __atomic_load_n(&count, __ATOMIC_SEQ_CST); }
static void one_more(void) { __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST); }
void *malloc(size_t n) { one_more(); return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { one_more(); return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { one_more(); return __libc_realloc(p, n); }
"""

PROGRAM = """
import ctypes, sys
import numpy as np
import fastmlp
from fastmlp._core.sums.batch import bind_plain
from fastmlp._core.fits.train import Minibatches

count = ctypes.CDLL(None).allocations
count.restype = ctypes.c_long
net = fastmlp.Network(eval(sys.argv[2], vars(fastmlp)), rng=0)
n = 40_000
X, T = np.random.default_rng(0).normal(size=(n, net.layers[0])), np.zeros((n, 1))
w = net.params
g, m, v = (np.zeros_like(w) for _ in range(3))
order, decay = np.arange(n), np.ones_like(w)
loop = Minibatches(bind_plain(net._architecture.plan, X, T), 32, int(sys.argv[1]))

def epoch(steps):
    before = count()
    loop.run((w, order, decay, g, m, v), 0, steps, 1e-3, (0.9, 0.999, 1e-8))
    return count() - before

epoch(1)
print(epoch(10), epoch(1000))
"""


DESCENTS = """
import ctypes, sys
import numpy as np
import fastmlp
from fastmlp._core.fits import lbfgs, lm
from fastmlp._core.fits.journal import Journal
from fastmlp.optimize.loops import compiled

count = ctypes.CDLL(None).allocations
count.restype = ctypes.c_long
net = fastmlp.Network(eval(sys.argv[2], vars(fastmlp)), rng=0)
rng = np.random.default_rng(0)
X, T = rng.normal(size=(500, net.layers[0])), rng.normal(size=(500, 1))
objective = net.objective(X, T, penalty=fastmlp.WeightDecay(1e-3), n_threads=int(sys.argv[1]))
for solver, options in ((lm, fastmlp.optimize.lm.OPTIONS), (lbfgs, fastmlp.optimize.lbfgs.OPTIONS)):
    descent = solver.Descent(compiled(objective), objective.x0, 0.0, options, None)
    journal = Journal(100, net.n_params)

    def steps(n):
        before = count()
        assert descent.advance(n, journal) == "running"
        return count() - before

    steps(5)
    print(steps(40))
"""

IMAGES = "[(1, 6, 6), Conv(3, 3, padding='same'), MaxPool(2), Conv(2, 2), 1]"


def counted(folder, program, *arguments):
    """What a program prints of its allocations: malloc, calloc and realloc of its process."""
    source, library = folder / "counter.c", folder / "libcounter.so"
    source.write_text(COUNTER)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-fno-builtin", str(source), "-o", str(library)], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(program), *arguments], env=environment,
                         check=True, capture_output=True, text=True, timeout=120)  # fmt: skip
    return list(map(int, run.stdout.split()))


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("layers", ["[8, 50, 50, 1]", IMAGES])
def test_a_training_step_allocates_nothing(tmp_path, threads, layers):
    """1,000 steps take as many allocations as 10: those of the call."""
    ten, thousand = counted(tmp_path, PROGRAM, threads, layers)
    assert ten == thousand
    assert ten < 30


@pytest.mark.parametrize("layers", ["[8, 20, 1]", IMAGES])
def test_a_step_of_levenberg_marquardt_or_lbfgs_allocates_nothing(tmp_path, layers):
    assert counted(tmp_path, DESCENTS, "2", layers) == [0, 0]
