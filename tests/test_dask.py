"""Arrays of Dask's on a cluster: the bits of `Chunks` cut at the same borders, whatever happens there."""

import itertools
import os
import pickle
import signal
import subprocess
import sys
from contextlib import contextmanager

import dask.array as da
import dask.bag
import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
import pytest

import fastmlp
from executors import DeadlyOnce, broken, late
from fastmlp import Chunks, _executors
from fastmlp.features import HuMoments
from fastmlp.model import spread, sums
from interrupting import run

N, ROWS = 900, 120
rng = np.random.default_rng(1)
X = rng.normal(size=(N, 3))
T = np.sin(2 * X[:, :1]) + np.tanh(X[:, 1:2] * X[:, 2:]) + 0.1 * rng.normal(size=(N, 1))
WEIGHT = rng.uniform(0, 2, N)
DECAY = fastmlp.WeightDecay(0.05, 0.05)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def client():
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(n_workers=2, **options) as cluster, distributed.Client(cluster) as found:
        yield found


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr(spread, "LOOK", 0.2)


@contextmanager
def elsewhere(workers):
    """A client of workers in this process, which is not the current one."""
    options = {"processes": False, "threads_per_worker": 2, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(n_workers=workers, **options) as cluster,
        distributed.Client(cluster, set_as_default=False) as found,
    ):
        yield found


def network(dtype="float64"):
    return fastmlp.Network([3, 4, 1], rng=3, dtype=dtype)


def arrays(dtype=np.float64):
    """Blocks of columns, and of other rows in T, too."""
    return da.from_array(X.astype(dtype), chunks=(ROWS, 2)), da.from_array(T.astype(dtype), chunks=(500, 1))


def same(got, expected):
    if isinstance(expected, tuple):
        return all(map(same, got, expected))
    return np.array_equal(got, expected)


class Acting:
    """A term that is 0, and does something when it is asked for the gradient, in the process of the fit."""

    def __init__(self, action, after):
        self.action, self.left = action, after

    def value_and_grad(self, params):
        self.left -= 1
        if not self.left:
            self.action()
        return 0.0, np.zeros(len(params))

    def value(self, params):
        return self.value_and_grad(params)[0]

    def hess(self, params):
        return np.zeros((len(params), len(params)))


def interrupt():
    raise KeyboardInterrupt


# ---- the same bits ----


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sums_have_the_bits_of_chunks(client, dtype):
    net, v = network(dtype), np.linspace(-1, 1, 21)
    given = arrays(dtype)
    own, chunks = Chunks(X.astype(dtype), T.astype(dtype), rows=ROWS), Chunks(*given)
    assert same(net.loss_and_grad(*given), net.loss_and_grad(own))
    assert net.loss(chunks, n_threads=2) == net.loss(own)
    for name, *others in (("hessian",), ("hessian", "ggn"), ("hessian_diagonal", "ggn"), ("hessp", v), ("ggnp", v)):
        assert same(getattr(net, name)(chunks, None, *others), getattr(net, name)(own, None, *others))
    there, here = net.objective(chunks, penalty=DECAY), net.objective(own, penalty=DECAY)
    for name in ("value_and_grad", "hess", "ggn"):
        assert same(getattr(there, name)(there.x0), getattr(here, name)(here.x0))


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
def test_fits_have_the_bits_of_chunks(client, method):
    named = {"method": method, "penalty": DECAY, "max_iter": 6, "standardize": method == "lm"}
    here, there = network(), network()
    expected = here.fit(Chunks(X, T, rows=ROWS), **named)
    result = there.fit(*arrays(), client=client, **named)
    assert np.array_equal(there.params, here.params)
    assert result.fun == expected.fun
    assert np.array_equal(result.history["loss"], expected.history["loss"])


def test_what_is_asked_of_a_network_has_the_bits_of_chunks(client):
    net, own = network(), Chunks(X, T, rows=ROWS)
    net.fit(own, method="lm", penalty=DECAY, tol=1e-9)
    got, expected = (fastmlp.sensitivity(net, data) for data in (arrays()[0], own))
    assert same(tuple(got.standardized), tuple(expected.standardized))
    got, expected = (fastmlp.saliencies(net, *data, penalty=DECAY, what="inputs") for data in (arrays(), (own,)))
    assert same(got.rise, expected.rise)


def test_no_chunk_comes_to_the_caller(client, monkeypatch):
    """Units, the constant to compare with, samples to look at for scale: all are sums, or some rows."""
    monkeypatch.setattr(spread.Spread, "read", lambda self, number: pytest.fail(f"chunk {number} came"))
    assert network().fit(*arrays(), "lm", standardize=True, penalty=DECAY, max_iter=10).nit == 10


def test_labels_weights_and_frames(client):
    labels = (T[:, 0] > 0).astype(int)
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abc")).assign(t=T[:, 0]), npartitions=5)
    sizes = np.cumsum([0, *map(len, frame.partitions)])
    net, classifier = network(), fastmlp.Network([3, 3, 2], output="softmax", rng=0)
    own = Chunks([(X[i:j], T[i:j, 0]) for i, j in itertools.pairwise(sizes)])
    assert net.loss(frame[["a", "b", "c"]], frame["t"]) == net.loss(own)
    expected = classifier.loss_and_grad(Chunks(X, labels, WEIGHT, rows=ROWS))
    assert same(classifier.loss_and_grad(arrays()[0], labels, sample_weight=WEIGHT), expected)


def test_images_come_in_blocks(client):
    images = rng.normal(size=(60, 4, 4))
    net = fastmlp.Network([(1, 4, 4), fastmlp.Conv(2, 3), 1], rng=0)
    blocks = da.from_array(images, chunks=(20, 2, 4))
    assert net.loss(blocks, T[:60]) == net.loss(Chunks(images, T[:60], rows=20))
    assert np.array_equal(net(blocks).compute(), net(images))


def test_posteriors_have_the_bits_of_chunks(client):
    net = network()
    net.fit(X, T, "lm", penalty=DECAY, tol=1e-9)
    here, there = (fastmlp.Laplace(net, *data, penalty=DECAY) for data in ((Chunks(X, T, rows=ROWS),), arrays()))
    assert there.log_evidence == here.log_evidence
    assert same(there.predict(X[:9]), here.predict(X[:9]))
    assert same(there.leave_one_out(), here.leave_one_out())


def test_one_block_is_an_array(client):
    net = network()
    assert same(net.loss_and_grad(da.from_array(X), da.from_array(T)), net.loss_and_grad(X, T))


def test_predictions_are_computed_when_they_are_asked_for(client):
    net = network()
    Y, expected = net.predict(arrays()[0]), net.predict(X)
    net.fit(X, T, max_iter=3)  # later
    assert isinstance(Y, da.Array)
    assert Y.chunks == ((ROWS,) * 7 + (60,), (1,))
    assert Y.dtype == net.dtype
    assert np.array_equal(Y.compute(), expected)


# ---- what is sent ----


def test_a_sum_is_sent_as_few_subtrees_and_triangles(monkeypatch):
    matrix = rng.normal(size=(5, 5))
    matrix = matrix + matrix.T
    parts = [(float(k), k * matrix, k * matrix[:2], k * rng.normal(size=(5, 5))) for k in range(8)]
    there = []
    for numbers in (range(4), range(4, 7), range(7, 8)):
        own = sums.Sums()
        for number in numbers:
            own.add(number, tuple(np.copy(part) for part in parts[number]))
        there.append(pickle.loads(pickle.dumps(own.packed())))
    assert [[subtree[:2] for subtree in subtrees] for _, subtrees in there] == [[(2, 0)], [(1, 2), (0, 6)], [(0, 7)]]
    assert there[0][1][0][2][1].numbers.shape == (15,)
    total = sums.Sums()
    for sent in reversed(there):
        total.unpack(sent)
    whole = sums.summed(tuple(np.copy(part) for part in part) for part in parts)
    assert same(total.total, whole)


def test_bytes_are_those_of_the_model(client):
    net = fastmlp.Network([3, 40, 1], rng=0)
    chunks, P = Chunks(*arrays()), net.n_params
    seen = []
    as_completed = distributed.as_completed

    def watched(*arguments, **named):
        for future, (answer, said) in as_completed(*arguments, **named):
            seen.append(len(pickle.dumps(answer)))
            yield future, (answer, said)

    objective = net.objective(chunks)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(distributed, "as_completed", watched)
        objective.normal_equations(objective.x0)
    triangle = 8 * (1 + P + P * (P + 1) // 2)  # eight chunks on two workers: a subtree each
    assert len(seen) == 2
    assert all(triangle <= size < triangle + 1000 for size in seen)


# ---- what goes wrong ----


def test_workers_that_are_all_killed_change_nothing(client):
    """Tasks for one of them would wait for ever."""
    named = {"method": "lm", "max_iter": 5}
    here, there = network(), network()
    here.fit(Chunks(X, T, rows=ROWS), penalty=Acting(lambda: None, 4), **named)

    def kill():
        client.wait_for_workers(2)
        for process in client.run(os.getpid).values():
            os.kill(process, signal.SIGKILL)

    there.fit(*arrays(), penalty=Acting(kill, 4), **named)
    assert np.array_equal(there.params, here.params)


def test_a_worker_that_is_killed_in_the_midst_of_a_sum_changes_nothing(client, tmp_path):
    there, here = (network().objective(chunks).data.samples for chunks in (Chunks(*arrays()), Chunks(X, T, rows=ROWS)))
    marker = tmp_path / "killed"
    total = there.summed(DeadlyOnce(X[2 * ROWS, 0], marker))
    assert marker.exists()
    assert np.array_equal(total, here.summed(DeadlyOnce(X[2 * ROWS, 0], marker)))


def test_an_exception_of_a_function_is_its_own(client):
    with pytest.raises(TimeoutError, match="late") as caught:
        network().objective(*arrays()).data.samples.summed(late)
    assert caught.value.__notes__[0].startswith("in chunks ")


def test_other_numbers_of_workers_change_nothing(client):
    expected = network().loss_and_grad(Chunks(X, T, rows=ROWS))
    for workers in (1, 4):
        with elsewhere(workers) as other:
            assert same(network().loss_and_grad(Chunks(*arrays(), client=other)), expected)


WAITING = """
import time, dask.array as da, distributed
net = fastmlp.Network([1, 3, 1], rng=0)
X = da.from_array(np.linspace(-1, 1, 40)[:, None], chunks=(20, 1))
slow = X.map_blocks(lambda block: (time.sleep(1), block)[1], meta=np.empty((0, 1)))
with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
    with distributed.Client(cluster):
        print(answer(lambda: net.loss(slow, X), after=0.3))
"""


def test_ctrl_c_is_answered_at_once():
    assert float(run(WAITING)[0]) < 0.1


@pytest.mark.parametrize("method", ["lm", "lbfgs"])
def test_the_best_so_far_is_kept_after_ctrl_c(client, method):
    net = network()
    before = net.loss(X, T)
    with pytest.raises(KeyboardInterrupt):
        net.fit(*arrays(), penalty=Acting(interrupt, 14), method=method)
    assert net.loss(X, T) < before


def test_workers_of_another_build_are_refused_by_name(client, monkeypatch):
    monkeypatch.setattr(_executors, "build", lambda: _executors.Build("0.0.9", "avx9"))
    expected = r"expected workers of fastmlp 0\.0\.9 with instruction set avx9, got one of fastmlp 0\.1"
    with pytest.raises(RuntimeError, match=f"^client: {expected}"):
        network().loss(*arrays())
    with pytest.raises(RuntimeError, match=f"^X: {expected}"):
        network().predict(arrays()[0]).compute()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net, X, T: net.loss(X.map_blocks(broken, meta=X._meta), T), r"chunk \d: ZeroDivisionError: in a block"),
        (lambda net, X, T: net.loss(da.where(X > 3, np.nan, X), T), r"chunk \d: X: expected finite numbers, got nan"),
        (lambda net, X, T: net.loss(X[:, :2], T), r"chunk \d: X: expected shape \(n_samples, 3\)"),
        (lambda net, X, T: net.loss(X, T[1:]), "T: expected 900 rows, as many as X, got 899"),
        (lambda net, X, T: net.loss(X, T.reshape(-1)[T[:, 0] > 0]), "T: expected 8 blocks, as many as X, got 2"),
        (lambda net, X, T: net.loss(X.to_delayed()[0, 0], T), "X: expected an array in memory, got dask.delayed"),
        (
            lambda net, X, T: net.loss(dask.bag.from_sequence([1]), T),
            "X: expected an array or a frame of Dask's, got dask.bag",
        ),
        (
            lambda net, X, T: net.loss(X, dask.bag.from_sequence([1])),
            "T: expected an array or a frame of Dask's, got dask.bag",
        ),
        (lambda net, X, T: net.predict(X[:, :2]), r"X: expected shape \(n_samples, 3\), got \(0, 2\)"),
        (lambda net, X, T: net.predict(X, out=np.empty((N, 1))), "out: expected None with X of Dask's"),
        (lambda net, X, T: net.fit(np.zeros((9, 3)), T, client=distributed.default_client()), "client: expected None"),
        (
            lambda net, X, T: net.fit(X, T, client="tcp://"),
            "client: expected None or a distributed.Client, got 'tcp://'",
        ),
        (
            lambda net, X, T: Chunks(X, T, rows=9),
            "rows: expected None with X of Dask's, whose blocks are the chunks, got 9",
        ),
        (lambda net, X, T: net.fit(X, T, sigma=T), "sigma: expected None with Chunks"),
        (
            lambda net, X, T: net.trace(X, T),
            r"X: expected an array in memory, got dask.array.core.Array.*X\.compute\(\)",
        ),
        (lambda net, X, T: net.sample_losses(X, T), "X: expected an array in memory, got dask.array.core.Array"),
        (lambda net, X, T: net.jacobian(X), "X: expected an array in memory, got dask.array.core.Array"),
        (lambda net, X, T: fastmlp.sweep(X, T, (2,), folds=2), "X: expected an array in memory, got dask.array.core"),
        (lambda net, X, T: fastmlp.fit_many([net], X, T), "X: expected an array in memory, got dask.array.core"),
        (lambda net, X, T: fastmlp.MLPRegressor().fit(X, T), "X: expected an array in memory, got dask.array.core"),
        (lambda net, X, T: fastmlp.MLPClassifier().fit(X, T), "X: expected an array in memory, got dask.array.core"),
        (lambda net, X, T: HuMoments().fit(X), "X: expected an array in memory, got dask.array.core"),
        (lambda net, X, T: net.loss(X.compute(), T), "T: expected an array in memory, got dask.array.core.Array"),
        (
            lambda net, X, T: pickle.loads(pickle.dumps(net.objective(X, T))).value(net.params),
            "chunk 0: expected the process whose client has the chunks",
        ),
    ],
)
def test_what_goes_wrong_is_told_by_name(client, call, message):
    with pytest.raises((TypeError, ValueError, RuntimeError), match=message):
        call(network(), *arrays())


def test_a_cluster_without_workers(client):
    with elsewhere(0) as other, pytest.raises(ValueError, match="client: expected a cluster with workers, got none"):
        Chunks(*arrays(), client=other)


# ---- without a cluster ----


HERE = """
import sys
import numpy as np, fastmlp
assert not {"dask", "distributed", "pandas"} & set(sys.modules)
import dask.array as da
import dask.bag
X = np.linspace(-1, 1, 300)[:, None]
net, blocks = fastmlp.Network([1, 3, 1], rng=0), da.from_array(X, chunks=(100, 1))
assert net.loss(blocks, blocks**2) == net.loss(fastmlp.Chunks(X, X**2, rows=100))
assert (net(blocks).compute() == net(X)).all()
"""


def test_without_a_client_blocks_are_computed_here():
    subprocess.run([sys.executable, "-c", HERE], check=True)
