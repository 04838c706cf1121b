"""Generated C, compiled as strictly as compilers can, against the networks."""

import ctypes
import itertools
import pickle
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import erfc

import fastmlp
from fastmlp import AveragePool, Conv, MaxPool, WeightDecay, to_c

STRICT = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wconversion", "-Wshadow", "-O2"]
COMPILERS = [each for each in ("gcc", "clang-19", "clang", "cc") if shutil.which(each)][:2]
DTYPES, LAYOUTS = ("float32", "float64"), ("columns", "rows")
HIDDEN = ("identity", "tanh", "logistic", "relu", "leaky_relu", "softplus", "elu", "silu", "gelu", "sin")
OUTPUTS = (*HIDDEN, "softmax", "exp")
MAPS = {
    "same, mean, largest": [(1, 12, 12), Conv(4, 5), AveragePool(2), Conv(3, 3, padding="same"), MaxPool(2), 7, 3],
    "signal": [(2, 17), Conv(3, 4, stride=2, padding="same", bias="position"), MaxPool(3), 2],
    "local": [(3, 8, 9), Conv(4, (3, 2), stride=(2, 1), shared=False, bias="position"), AveragePool((1, 2)), 4],
    "table": [(2, 9, 9), Conv(3, 3, bias=None, connections=[[True, False], [False, True], [True, True]]), 5],
    "pool first": [(2, 9), MaxPool(2), Conv(2, 2), 2],
}


@pytest.fixture
def compiled(tmp_path):
    """The functions of programs, by compilers in turn."""
    count = itertools.count()

    def load(text, compiler=None):
        number = next(count)
        source, library = tmp_path / f"{number}.c", tmp_path / f"{number}.so"
        source.write_text(text)
        compiler = compiler or COMPILERS[number % len(COMPILERS)]
        subprocess.run([compiler, *STRICT, "-shared", "-fPIC", source, "-lm", "-o", library], check=True)
        return ctypes.CDLL(str(library))

    return load


def called(function, X, *shapes, dtype=None):
    """Results of a function for each row."""
    X = np.ascontiguousarray(X, dtype)
    results = [np.full((len(X), *shape), np.nan, X.dtype) for shape in shapes]
    for n in range(len(X)):
        function(*[ctypes.c_void_p(each[n].ctypes.data) for each in (X, *results)])
    return results if len(results) > 1 else results[0]


def in_long_double(net, X):
    """Outputs by the formulas, in numbers of more digits."""
    forms = {
        "identity": lambda z: z, "tanh": np.tanh, "logistic": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.maximum(z, 0), "leaky_relu": lambda z: np.where(z > 0, z, np.float64(0.01) * z),
        "softplus": lambda z: np.maximum(z, 0) + np.log1p(np.exp(-abs(z))),
        "elu": lambda z: np.where(z < 0, np.expm1(z), z), "silu": lambda z: z / (1 + np.exp(-z)),
        "sin": np.sin, "exp": np.exp,
        "gelu": lambda z: z * erfc(-z.astype(np.float64) / np.sqrt(2.0)) / 2,
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    }  # fmt: skip
    a = X.astype(np.longdouble)
    for W, b, form in zip(net.weights, net.biases, (*net.hidden, net.output), strict=True):
        a = forms[form](a @ W.T.astype(np.longdouble) + b)
    return a


@pytest.mark.parametrize(
    ("quarter", "dtype", "layout"), [(k, *each) for k, each in enumerate(itertools.product(DTYPES, LAYOUTS))]
)
def test_every_activation_with_every_output(compiled, quarter, dtype, layout):
    """Programs of several networks may stand in one file; each pair is tried in one way."""
    nets = {}
    for hidden, output in list(itertools.product(HIDDEN, OUTPUTS))[quarter::4]:
        net = fastmlp.Network([5, 17, 9, 3], hidden=hidden, output=output, rng=len(nets))
        net.params = net.params + 0.1 * np.random.default_rng(len(nets)).normal(size=net.n_params)
        nets[f"{hidden}_{output}"] = net
    text = "".join(to_c(net, name=name, dtype=dtype, layout=layout, jacobian=True) for name, net in nets.items())
    library = compiled(text)
    X = np.random.default_rng(1).normal(size=(1000, 5)).astype(dtype).astype(np.float64)
    for name, net in nets.items():
        assert max(abs(layer.z).max() for layer in net.trace(X)) < 14
        Y, J = in_long_double(net, X), net.jacobian(X[:30])
        found = called(library[f"{name}_predict"], X, (3,), dtype=dtype)
        assert np.abs(found - Y).max() <= 8 * np.finfo(dtype).eps * np.abs(Y).max(), name
        y, slopes = called(library[f"{name}_jacobian"], X[:30], (3,), (3, 5), dtype=dtype)
        assert np.array_equal(y, found[:30])
        assert np.abs(slopes - J).max() <= {"float32": 1e-6, "float64": 1e-13}[dtype] * np.abs(J).max(), name


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("output", OUTPUTS)
def test_jacobian_of_one_layer(compiled, output, compiler):
    """Nothing lies between inputs and outputs; compilers warn of what they do not need."""
    net = fastmlp.Network([3, 2], output=output, rng=0)
    X = np.random.default_rng(0).normal(size=(50, 3))
    y, J = called(compiled(to_c(net, jacobian=True), compiler).net_jacobian, X, (2,), (2, 3))
    eps = np.finfo(float).eps
    assert np.abs(y - net(X)).max() < 8 * eps * np.abs(net(X)).max()
    assert np.abs(J - net.jacobian(X)).max() < 16 * eps * np.abs(net.jacobian(X)).max()


@pytest.mark.parametrize("dtype", DTYPES)
def test_jacobian_where_one_class_is_nearly_sure(compiled, dtype):
    """y_k (1 - y_k) keeps its digits where y_k is near 1."""
    net = fastmlp.Network([1, 2], output="softmax")
    net.params = [2.0, -1.0, 3.0, -3.0]
    X = np.linspace(0, 1, 20).astype(dtype).astype(float)[:, None]
    _, J = called(compiled(to_c(net, dtype=dtype, jacobian=True)).net_jacobian, X, (2,), (2, 1), dtype=dtype)
    assert np.abs(J / net.jacobian(X) - 1).max() < {"float32": 2e-6, "float64": 1e-13}[dtype]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("n", [7, 8, 12, 16, 20, 32])
def test_layers_with_and_without_a_rest(compiled, n, compiler):
    """Inputs are taken by fours and eights; a loop over no rest makes gcc warn of turns beyond the end."""
    net = fastmlp.Network([n, 20, n, 5, 1], rng=0)
    X = np.random.default_rng(0).normal(size=(50, n))
    y = called(compiled(to_c(net), compiler).net_predict, X, (1,))
    assert np.abs(y - net(X)).max() < 8 * np.finfo(float).eps * np.abs(net(X)).max()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MAPS)
def test_maps(compiled, name, dtype):
    net = fastmlp.Network(MAPS[name], output="softmax" if name == "table" else "identity", rng=0)
    net.params = net.params + 0.1 * np.random.default_rng(0).normal(size=net.n_params) * ~net.pruned
    X = np.random.default_rng(1).normal(size=(200, net.layers[0])).astype(dtype).astype(np.float64)
    library = compiled(to_c(net, dtype=dtype, jacobian=True))
    shape = (net.layers[-1],)
    y, J = called(library.net_jacobian, X, shape, (*shape, net.layers[0]), dtype=dtype)
    eps = np.finfo(dtype).eps
    assert np.abs(y - net(X)).max() < 8 * eps * np.abs(net(X)).max()
    assert np.abs(J - net.jacobian(X)).max() < 16 * eps * np.abs(net.jacobian(X)).max()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_of_the_data(compiled, scale, offset, dtype):
    """The network in standardised units is the answer; float keeps its digits however far from zero."""
    rng = np.random.default_rng(0)
    U = rng.normal(size=(200, 3))
    X, t = scale * (U + offset), 1e4 * np.sin(U[:, :1]) - 3e5
    net = fastmlp.Network([3, 6, 1], rng=0)
    net.fit(X, t, max_iter=30, tol=0.0, standardize=True)
    X = X.astype(dtype).astype(np.float64)
    inputs, targets = net.units
    own = fastmlp.Network([3, 6, 1])
    own.params = net._in_units(net.units)
    Y = targets.shift + targets.scale * own((X - inputs.shift) / inputs.scale)
    J = own.jacobian((X - inputs.shift) / inputs.scale) * targets.scale / inputs.scale
    y, found = called(compiled(to_c(net, dtype=dtype, jacobian=True)).net_jacobian, X, (1,), (1, 3), dtype=dtype)
    eps = np.finfo(dtype).eps
    far = eps * offset * np.abs(targets.scale).max() if dtype == "float64" else 0.0
    assert np.abs(y - Y).max() < 8 * eps * np.abs(Y).max() + far
    assert np.abs(found - J).max() < max(1e-6 if dtype == "float32" else 1e-13, eps * offset) * np.abs(J).max()


def posteriors():
    """By name, and inputs like those they have seen."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(80, 3))
    T = np.c_[np.sin(X[:, 0]) + 0.1 * rng.normal(size=80), X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=80)]
    net = fastmlp.Network([3, 6, 2], rng=1)
    for scale, offset in ((1.0, 0.0), (1e5, 1e5), (1e-6, 1.0)):
        seen = offset + scale * X
        yield f"evidence {scale}", fastmlp.fit_evidence(net.copy(), seen, 1e6 * T - 3e7), seen
    net.fit(X, T, penalty=WeightDecay(0.1))
    for hessian in ("ggn", "diagonal"):
        yield hessian, fastmlp.Laplace(net, X, T, penalty=WeightDecay(0.1), hessian=hessian), X
    for name, layers in (("signal", [(2, 9), Conv(3, 4, bias="position"), AveragePool(2), 1]),
                         ("table", [(2, 9), Conv(3, 4, connections=[[True, False], [False, True], [True, True]]), 1]),
                         ("local", [(2, 9), Conv(2, 4, shared=False, bias=None), MaxPool(2), 1])):  # fmt: skip
        net = fastmlp.Network(layers, rng=0)
        seen = 5 + rng.normal(size=(150, 18))
        t = np.sin(seen[:, 0]) + seen[:, 1] + 0.1 * rng.normal(size=150)
        net.fit(seen, t, penalty=WeightDecay(0.3), standardize=True)
        yield name, fastmlp.Laplace(net, seen, t, penalty=WeightDecay(0.3), standardize=True), seen
    for name, penalty in (("wide", WeightDecay(0.1, 0.1)), ("wide, by groups", WeightDecay([0.03, 0.3], 1.0))):
        net = fastmlp.Network([40, 6, 2], rng=0)
        seen = 1e4 * (2 + rng.normal(size=(15, 40)))
        T = 50 * np.c_[np.sin(seen[:, 0] / 1e4), seen[:, 1] / 1e4] + rng.normal(size=(15, 2))
        net.pruned = np.arange(net.n_params) % 9 == 0
        net.fit(seen, T, penalty=penalty, standardize=True)
        yield name, fastmlp.Laplace(net, seen, T, penalty=penalty, standardize=True), np.r_[seen, 3 * seen]


@pytest.mark.filterwarnings("ignore::fastmlp.PosteriorWarning", "ignore::fastmlp.ConvergenceWarning")
def test_standard_deviations(compiled):
    pruned, wide = [], []
    for name, posterior, X in posteriors():
        wide += [name] * ("net_wide_H" in to_c(posterior, std=True))
        pruned += list(getattr(posterior, "pruned", ()))
        K = posterior.network.layers[-1]
        for dtype, bound in zip(DTYPES, (1e-5, 1e-9), strict=True):
            seen = X[:40].astype(dtype).astype(np.float64)
            mean, variance = posterior.predict(seen)
            y, s = called(compiled(to_c(posterior, dtype=dtype, std=True)).net_std, seen, (K,), (K,), dtype=dtype)
            assert np.abs(s / np.sqrt(variance) - 1).max() < bound, (name, dtype)
            assert np.abs(y - mean).max() < 8 * np.finfo(dtype).eps * np.abs(mean).max()
    assert pruned  # whose covariance is singular
    assert wide == ["wide", "wide, by groups"]  # whose root is never formed


def test_estimators(compiled):
    from fastmlp.estimators import MLPClassifier, MLPRegressor

    rng = np.random.default_rng(0)
    X = 1e3 + 50 * rng.normal(size=(120, 2))
    y = 1e6 + 1e4 * np.sin(X[:, 0] / 50) + 1e3 * rng.normal(size=120)
    model = MLPRegressor(hidden_layer_sizes=(5,), activation="tanh", alpha="evidence", solver="lm", random_state=0).fit(
        X, y
    )
    library = compiled(to_c(model, name="price", std=True))
    mean, deviation = model.predict(X, return_std=True)
    found, s = called(library.price_std, X, (1,), (1,))
    assert np.allclose(found[:, 0], mean, rtol=1e-14)
    assert np.allclose(s[:, 0], deviation, rtol=1e-9)
    labels = np.digitize(X[:, 0], [970.0, 1030.0])
    for classes in (labels, labels > 0):
        model = MLPClassifier(
            hidden_layer_sizes=(4,), activation="tanh", solver="lbfgs", alpha=1.0, standardize=True, random_state=0
        ).fit(X, classes)
        K = model.network_.layers[-1]
        found = called(compiled(to_c(model)).net_predict, X, (K,))
        assert np.abs(found - model.predict_proba(X)[:, -K:]).max() < 1e-14


@pytest.mark.parametrize("compiler", COMPILERS)
def test_names_of_classes_and_features(compiled, compiler, tmp_path):
    """Whatever they are called, no comment, string or trigraph ends in them; a header has them for other files."""
    import pandas

    from fastmlp.estimators import MLPClassifier

    X = np.random.default_rng(0).normal(size=(200, 2))
    frame = pandas.DataFrame(X, columns=["flow in m/s */", "/* Größe ??/"])
    names = np.array(["a/*", 'b"*/', "é??/\\", "\n"])
    for k in (2, 4):
        y = np.sort(names[:k])[np.minimum((X[:, 0] > 0) + 2 * (X[:, 1] > 0), k - 1)]
        model = MLPClassifier(
            hidden_layer_sizes=(4,), activation="tanh", solver="lbfgs", alpha=1.0, random_state=0, max_iter=2000
        )
        model.fit(frame, y)
        text = to_c(model, tmp_path / "net.h", dtype="float32")
        library = compiled(text, compiler)
        found = [library.net_class(row.ctypes.data_as(ctypes.c_void_p)) for row in X.astype(np.float32)]
        called = (ctypes.c_char_p * k).in_dll(library, "net_classes")
        assert [called[each].decode() for each in found] == model.predict(frame).tolist()
        assert 'x[0] is "flow in m/s \\052/"' in text
        assert f"net_classes[{k}];" in (tmp_path / "net.h").read_text()
    several = MLPClassifier(hidden_layer_sizes=(4,), solver="lbfgs", alpha=1.0, random_state=0, max_iter=2000).fit(
        X, X > 0
    )
    assert "class" not in to_c(several)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_program_tries_itself(tmp_path, compiler, dtype):
    """With a header for others, and the sanitizer of undefined behaviour; a wrong constant is found."""
    net = fastmlp.Network([(1, 6, 6), Conv(2, 3), MaxPool(2), 8, 3], ["gelu", "sin"], "softmax", rng=0)
    text = to_c(net, tmp_path / "net.h", dtype=dtype, jacobian=True)
    real = {"float32": "float", "float64": "double"}[dtype]
    (tmp_path / "user.c").write_text(f"""
#include "net.h"
#include "net.h"
int main(void)
{{
    {real} x[36] = {{0}}, y[3], J[3 * 36];
    net_jacobian(x, y, J);
    net_predict(x, y);
    return !(y[0] + y[1] + y[2] > 0.999 && J[0] == J[0]);
}}
""")
    strict = [compiler, *STRICT, "-fsanitize=undefined", "-fno-sanitize-recover=all"]
    build = [*strict, tmp_path / "user.c", tmp_path / "net.c", "-lm", "-o", tmp_path / "user"]
    subprocess.run(build, check=True)
    subprocess.run([tmp_path / "user"], check=True)
    assert (tmp_path / "net.c").read_text() == text

    def tried(text):
        (tmp_path / "main.c").write_text(text)
        subprocess.run([*strict, "-DNET_MAIN", tmp_path / "main.c", "-lm", "-o", tmp_path / "main"], check=True)
        return subprocess.run([tmp_path / "main"], capture_output=True, text=True)

    assert tried(text).stdout == "net: 0 of 9 outputs are wrong\n"
    wrong = text.replace("net_b3[3] = {\n    ", "net_b3[3] = {\n    1 + ")
    assert wrong != text
    assert tried(wrong).returncode == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_program_tries_itself_where_terms_cancel(tmp_path, dtype):
    """Pairs of units whose outputs cancel up to a thousandth: only their sum's roundings can be right."""
    net = fastmlp.Network([2, 40, 1], rng=0)
    W, b, out, bias = (net.params[part] for part in net.groups.values())
    W[len(W) // 2 :], b[20:], out[20:] = W[: len(W) // 2], b[:20], 1e-3 - 1e3
    out[:20] = 1e3
    net.params = np.concatenate([W, b, out, bias])
    text = to_c(net, dtype=dtype)
    (tmp_path / "net.c").write_text(text)
    build = [COMPILERS[0], *STRICT, "-DNET_MAIN", tmp_path / "net.c", "-lm", "-o", tmp_path / "net"]
    subprocess.run(build, check=True)
    assert subprocess.run([tmp_path / "net"], capture_output=True).stdout == b"net: 0 of 3 outputs are wrong\n"
    (tmp_path / "net.c").write_text(text.replace("net_b2[1] = {\n    ", "net_b2[1] = {\n    1 + "))
    subprocess.run(build, check=True)
    assert subprocess.run([tmp_path / "net"]).returncode == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_program_tries_itself_where_its_network_is_used(tmp_path, dtype):
    """Of inputs of 1e-3 weights are large, and outputs of exp infinite far away."""
    net = fastmlp.Network([3, 4, 2], hidden="relu", output="exp", rng=0)
    net.params = net.params * np.where(np.arange(net.n_params) < 12, 1e4, 1.0)
    (tmp_path / "net.c").write_text(to_c(net, dtype=dtype))
    build = [COMPILERS[0], *STRICT, "-DNET_MAIN", tmp_path / "net.c", "-lm", "-o", tmp_path / "net"]
    subprocess.run(build, check=True)
    assert subprocess.run([tmp_path / "net"], capture_output=True).stdout == b"net: 0 of 6 outputs are wrong\n"
    net.params = np.full(net.n_params, 800.0)
    with pytest.raises(ValueError, match=r"^model: expected finite outputs at small inputs, got inf"):
        to_c(net)


def test_infinite_and_missing_inputs(compiled):
    """Nan stays nan, in every activation; the largest numbers do what they do here."""
    for dtype, hidden in itertools.product(DTYPES, HIDDEN):
        net = fastmlp.Network([1, 1, 1], hidden=hidden, dtype=dtype)
        net.params = [1, 0, 1, 0]
        function = compiled(to_c(net)).net_predict
        assert np.isnan(called(function, [[np.nan]], (1,), dtype=dtype)).all(), hidden
        far = np.array([[-1e4], [-120.0], [-90.0], [-0.0], [0.0], [90.0], [1e4]], dtype)
        expected, found = net(far), called(function, far, (1,))
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-33), hidden


def test_numbers_go_without_loss(compiled):
    """Every bit of a double, the smallest too."""
    net = fastmlp.Network([4, 1])
    net.params = [5e-324, np.nextafter(1, 2), -1 / 3, 1.7976931348623157e308, 0.0]
    found = called(compiled(to_c(net)).net_predict, np.eye(4), (1,))
    assert np.array_equal(found[:, 0], net.params[:4])


def test_threads_at_once(compiled):
    net = fastmlp.Network([8, 50, 50, 1], rng=0)
    X = np.random.default_rng(0).normal(size=(300, 8))
    function = compiled(to_c(net, jacobian=True)).net_jacobian
    alone = called(function, X, (1,), (1, 8))
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(lambda _: called(function, X, (1,), (1, 8)), range(8)):
            assert all(map(np.array_equal, together, alone))


def test_names_and_texts():
    net = fastmlp.Network([2, 3, 1], rng=0)
    text = to_c(net, name="Pump_7", jacobian=True)
    assert set(re.findall(r"^(?:void|static \w+(?: \w+)*) (\w+)[\[(]", text, re.M)) <= set(
        re.findall(r"Pump_7_\w+", text)
    ) | {"X", "Y"}
    assert to_c(pickle.loads(pickle.dumps(net)), name="Pump_7", jacobian=True) == text
    assert "net_jacobian" not in to_c(net)
    assert len(to_c(net, layout="rows")) < len(to_c(net)) + 1


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"name": "7up"}, ValueError, "name: expected at most 41 letters, digits and _, a letter first, got '7up'"),
        ({"name": "a b"}, ValueError, "name: expected"),
        ({"name": 3}, ValueError, "name: expected"),
        ({"dtype": "float16"}, ValueError, "dtype: expected"),
        ({"dtype": object()}, ValueError, "dtype: expected"),
        ({"layout": "C"}, ValueError, "layout: expected"),
        ({"jacobian": 1}, TypeError, "jacobian: expected"),
        ({"std": True}, ValueError, "std: expected False for a network without a posterior"),
        ({"max_bytes": 10}, ValueError, "max_bytes: expected at least 104 for the constants"),
    ],
)
def test_what_is_refused(options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        to_c(fastmlp.Network([2, 3, 1], rng=0), **options)


def test_what_cannot_be_written(tmp_path):
    net = fastmlp.Network([2, 3, 1], rng=0)
    with pytest.raises(TypeError, match="model: expected a Network, a posterior or a fitted estimator, got dict"):
        to_c({})
    with pytest.raises(TypeError, match=r"a fitted estimator, got MLPRegressor; call its fit$"):
        to_c(fastmlp.MLPRegressor())
    net.params = net.params * 1e40
    with pytest.raises(ValueError, match="dtype: expected a type that holds all constants, got float32, and net_W1"):
        to_c(net, dtype="float32")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 100))
    net = fastmlp.Network([100, 4, 1], rng=0)
    penalty = WeightDecay({"W1": 1.0, "b1": 1.0, "W2": 1.0, "b2": 0.0})
    net.fit(X, X[:, :1], penalty=penalty)
    wide = fastmlp.Laplace(net, X, X[:, 0], penalty=penalty, noise_precision=1.0)
    with pytest.raises(ValueError, match=r"std: expected a prior on each parameter, .* got 1 parameter without"):
        to_c(wide, std=True)
    classes = fastmlp.Network([2, 3, 1], output="logistic", rng=0)
    X, t = rng.normal(size=(40, 2)), (rng.random(40) > 0.5).astype(float)
    classes.fit(X, t, penalty=WeightDecay(1.0, 1.0))
    posterior = fastmlp.Laplace(classes, X, t, penalty=WeightDecay(1.0, 1.0))
    with pytest.raises(ValueError, match="std: expected a posterior of squared error, got one of binary_cross_entropy"):
        to_c(posterior, std=True)
    assert "net_predict" in to_c(posterior)
    with pytest.raises(OSError, match="nowhere"):
        to_c(classes, tmp_path / "nowhere" / "net.c")
