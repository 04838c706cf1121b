"""Networks in .mat files, which GNU Octave and SciPy have written: NETLAB's structs, constants of MATLAB's genFunction.

tests/data/mat/README.md has the versions and the script. NETLAB's files hold what its own `mlp` made, and what `mlpfwd`
gave. MATLAB's layout is tested as it is documented, by formulas in Octave: there was no MATLAB.
"""

import contextlib
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

import fastmlp
from fastmlp.bridges.mat import files

FOLDER = Path(__file__).parent / "data" / "mat"
RNG = np.random.default_rng(0)
CONSTANTS = {"IW1_1": RNG.normal(size=(4, 3)), "b1": RNG.normal(size=(4, 1)), "LW2_1": RNG.normal(size=(2, 4)),
             "b2": RNG.normal(size=(2, 1))}  # fmt: skip
X = RNG.normal(size=(6, 3))


def saved(folder, compress=True, **variables):
    path = folder / "some.mat"
    scipy.io.savemat(path, variables, do_compression=compress)
    return path


def plain(X, constants=CONSTANTS):
    """By the formula, with tanh."""
    hidden = np.tanh(X @ np.transpose(constants["IW1_1"]) + np.ravel(constants["b1"]))
    return hidden @ constants["LW2_1"].T + np.ravel(constants["b2"])


# ---- files of other systems ----


@pytest.mark.parametrize(
    ("name", "layers", "output"),
    [
        ("linear", [3, 4, 2], "identity"),
        ("logistic", [3, 4, 2], "logistic"),
        ("softmax", [3, 4, 2], "softmax"),
        ("v6", [3, 4, 1], "identity"),
        ("glm", [3, 2], "softmax"),
    ],
)
def test_a_network_of_netlab_gives_here_what_it_gave_there(name, layers, output):
    path = FOLDER / f"netlab-{name}.mat"
    net, there = fastmlp.from_mat(path), scipy.io.loadmat(path)
    assert list(net.layers) == layers
    assert (net.output, set(net.hidden) <= {"tanh"}, net.dtype) == (output, True, np.float64)
    assert net(there["X"]) == pytest.approx(there["y"], rel=1e-14, abs=1e-15)
    w1 = there["net"]["w1"][0, 0]
    assert np.array_equal(net.weights[0], w1.T)


@pytest.mark.parametrize(("variable", "outputs"), [("nets(2)", "y1"), ("model.net", "y2"), ("cells{2}", "y3")])
def test_one_of_several_networks_is_named_as_in_matlab(variable, outputs):
    path = FOLDER / "netlab-several.mat"
    there = scipy.io.loadmat(path)
    assert fastmlp.from_mat(path, variable=variable)(there["X"]) == pytest.approx(there[outputs], rel=1e-14, abs=1e-15)
    names = r"'nets\(1\)', 'nets\(2\)', 'model.net', 'cells\{2\}'"
    with pytest.raises(ValueError, match=rf"^variable: expected one of {names}, as the file has several"):
        fastmlp.from_mat(path)
    with pytest.raises(ValueError, match=r"^variable: expected one of nets\(1\), .* got 'nets\(3\)'"):
        fastmlp.from_mat(path, variable="nets(3)")


def test_constants_of_genfunction_take_and_give_raw_units():
    path = FOLDER / "genfunction.mat"
    there = scipy.io.loadmat(path)
    net = fastmlp.from_mat(path, hidden="tanh", output="identity")
    assert net(there["X"]) == pytest.approx(there["Y"], rel=1e-13)
    deep = FOLDER / "genfunction-deep.mat"
    there = scipy.io.loadmat(deep)
    net = fastmlp.from_mat(deep, hidden=["tanh", "logistic"], output="softmax")
    assert list(net.layers) == [4, 3, 2, 3]
    assert not net.weights[0][:, [1, 3]].any()  # of inputs that removeconstantrows has left out
    assert net(there["X"]) == pytest.approx(there["Y"], rel=1e-14)


# ---- by the layout ----


def test_maps_are_folded_one_after_the_other(tmp_path):
    """mapstd, then mapminmax, of inputs; the other way round of targets."""
    mean, sd = np.array([100.0, -3.0, 1e-3]), np.array([20.0, 0.5, 1e-4])
    std = {"xoffset": mean[:, None], "gain": 1 / sd[:, None], "ymean": 0.0}
    minmax = {"xoffset": -np.ones((3, 1)), "gain": [[0.5], [2], [3]], "ymin": -1.0}
    back = {"xoffset": [[5.0], [7.0]], "gain": [[0.1], [4.0]], "ymean": 0.5}
    path = saved(tmp_path, **CONSTANTS, x1_step1=std, x1_step2=minmax, y1_step1=back)
    raw = X * sd + mean
    z = (((raw - mean) / sd) + 1) * [0.5, 2, 3] - 1
    expected = (plain(z) - 0.5) / [0.1, 4.0] + [5.0, 7.0]
    assert fastmlp.from_mat(path, hidden="tanh", output="identity")(raw) == pytest.approx(expected, rel=1e-12)


def test_older_functions_have_a_variable_for_each_field(tmp_path):
    old = {"x1_step1_xoffset": [[1.0], [2.0], [3.0]], "x1_step1_gain": [[2.0], [0.5], [1.0]], "x1_step1_ymin": -1.0}
    net = fastmlp.from_mat(saved(tmp_path, **CONSTANTS, **old), hidden="tanh", output="identity")
    assert net(X) == pytest.approx(plain((X - [1, 2, 3]) * [2, 0.5, 1] - 1), rel=1e-13)


def test_inputs_that_were_left_out_have_weights_of_zero(tmp_path):
    for keep in ({"keep": [[1.0, 2.0, 4.0]], "xrows": 5}, {"keep": [[1], [2], [4]], "remove": [[3, 5]]}):
        net = fastmlp.from_mat(saved(tmp_path, **CONSTANTS, x1_step1=keep), hidden="tanh", output="identity")
        wide = np.insert(X, [2, 3], 1e6, axis=1)
        assert net(wide) == pytest.approx(plain(X), rel=1e-14)


@pytest.mark.parametrize("compress", [False, True])
def test_constants_may_be_in_a_struct_single_or_without_biases(tmp_path, compress):
    less = {
        "IW1_1": np.float32(CONSTANTS["IW1_1"]),
        "b1": CONSTANTS["b1"].T,
        "LW2_1": CONSTANTS["LW2_1"],
        "b2": [[0, 0]],
    }
    path = saved(tmp_path, compress, a=1, model={"constants": less, "text": "héllo"})
    net = fastmlp.from_mat(path, hidden="tanh", output="identity")
    assert net.dtype == np.float64
    assert net(X) == pytest.approx(plain(X, less), rel=1e-13)
    assert np.array_equal(net.weights[0], less["IW1_1"].astype(float))
    del less["b2"]
    path = saved(tmp_path, compress, **less, other=less)
    assert fastmlp.from_mat(path, variable="", hidden="tanh", output="identity") == net
    with pytest.raises(ValueError, match=r"^variable: expected one of '', 'other'"):
        fastmlp.from_mat(path, hidden="tanh", output="identity")


@pytest.mark.parametrize("compress", [False, True])
def test_files_are_read_as_scipy_reads_them(tmp_path, compress):
    numbers = {name: np.array([[1, 0, 3]], name) for name in ("int8", "uint8", "int16", "uint32", "float32", "float64")}
    path = saved(tmp_path, compress, **numbers, empty=np.zeros((0, 3)), cube=np.arange(24.0).reshape(2, 3, 4))
    read, theirs = files.read(path), scipy.io.loadmat(path)
    for name, array in read.items():
        assert np.array_equal(array, theirs[name])
    strange = {"z": np.array([[1j]]), "sparse": scipy.sparse.eye(3).tocsc(), "cell": np.array([[1, "b"]], dtype=object),
               "t": np.array([[True]]), "s": {"a": {"b": "c"}},
               "several": np.array([[(1,), (2,)]], [("f", object)])}  # fmt: skip
    read = files.read(saved(tmp_path, compress, **strange))
    assert [read[name].kind for name in ("z", "sparse")] == ["complex numbers", "a sparse array"]
    assert read["cell"].items[1] == "b"
    assert (read["t"].dtype, read["s"]) == (bool, {"a": {"b": "c"}})
    assert [each["f"].tolist() for each in read["several"].items] == [[[1]], [[2]]]


def test_files_of_processors_with_the_other_order_of_bytes(tmp_path):
    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)

    def matrix(name, values):
        head = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 1, len(values))) + element(1, name)
        return element(14, head + element(9, struct.pack(f">{len(values)}d", *values)))

    path = tmp_path / "big.mat"
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\1\0MI" + matrix(b"IW1_1", [2.0, 3.0]) + matrix(b"b1", [0.5]))
    assert fastmlp.from_mat(path, output="identity").params.tolist() == [2, 3, 0.5]


# ---- what is refused ----


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("hdf5", r"HDF5 \(version 7.3\); in MATLAB or Octave, save\('-v7'"),
        ("text", "a text file of Octave"),
        ("v4", "an older"),
    ],
)
def test_other_versions_are_refused_with_what_to_do(name, got):
    with pytest.raises(ValueError, match=rf"^path: expected a MAT-file.* got .*{got}"):
        fastmlp.from_mat(FOLDER / f"{name}.mat")


ROW = {"xoffset": [[0.0, 0.0, 0.0]], "gain": [[1.0, 1.0, 1.0]]}
BAD = {
    "no network": ({"a": 1.0}, "a struct of NETLAB, with w1 and b1, or constants IW1_1 and b1, got none"),
    "another connection": (CONSTANTS | {"LW2_2": 1.0}, r"connections from each layer to the next.* got LW2_2"),
    "a cascade": (CONSTANTS | {"IW2_1": np.ones((2, 3))}, "got IW2_1"),
    "a bias too many": (CONSTANTS | {"b3": 1.0}, "got b3"),
    "a bias too short": (CONSTANTS | {"b1": [[1.0, 2.0]]}, r"4 numbers b1, got shape \(1, 2\)"),
    "a text": (CONSTANTS | {"b1": "abcd"}, "numbers b1, got str"),
    "nan": (CONSTANTS | {"b1": np.full((4, 1), np.nan)}, r"b1: expected finite numbers, got nan"),
    "complex": (CONSTANTS | {"IW1_1": np.ones((4, 3)) * 1j}, "numbers IW1_1, got complex"),
    "a cube": (CONSTANTS | {"IW1_1": np.ones((4, 3, 2))}, r"a matrix IW1_1, got shape \(4, 3, 2\)"),
    "no base": (CONSTANTS | {"x1_step1": ROW}, "x1_step1 with xoffset, gain and ymin"),
    "pca": (CONSTANTS | {"x1_step1": {"transform": np.eye(3)}}, "got transform"),
    "gain 0": (CONSTANTS | {"x1_step1": ROW | {"gain": [[0, 1, 1]], "ymin": -1}}, "x1_step1.gain other than 0"),
    "a number": (CONSTANTS | {"x1_step1": 3.0}, "a struct x1_step1"),
    "kept, of how many": (CONSTANTS | {"x1_step1": {"keep": [[1, 2, 4]]}}, "x1_step1.xrows, the number of inputs"),
    "kept, behind the last": (CONSTANTS | {"x1_step1": {"keep": [[1, 2, 4]], "xrows": 3}}, "some of 3 inputs"),
    "kept, of billions": (CONSTANTS | {"x1_step1": {"keep": [[1, 2, 4]], "xrows": 2.0**40}}, "some of 1099511627776"),
    "targets left out": (CONSTANTS | {"y1_step1": {"keep": [[1, 2]], "xrows": 3}}, "of inputs.*got keep, xrows"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_constants_that_are_no_network_are_refused(tmp_path, name):
    variables, expected = BAD[name]
    with pytest.raises(ValueError, match=rf"^path: .*{expected}"):
        fastmlp.from_mat(saved(tmp_path, **variables), hidden="tanh", output="identity")


def test_matrices_that_do_not_fit_each_other_are_refused(tmp_path):
    path = saved(tmp_path, **CONSTANTS | {"LW2_1": np.ones((2, 3))})
    with pytest.raises(ValueError, match=r"^path: expected weights of 4 inputs, as many as units before, got 3"):
        fastmlp.from_mat(path, hidden="tanh", output="identity")


def test_activations_are_asked_for_where_constants_do_not_tell(tmp_path):
    path = saved(tmp_path, **CONSTANTS, y1_step1={"xoffset": [[0, 0]], "gain": [[1, 1]], "ymin": -1})
    with pytest.raises(ValueError, match=r"^hidden: expected activations of 1 hidden layers, .*'tanh' is tansig"):
        fastmlp.from_mat(path, output="identity")
    with pytest.raises(ValueError, match=r"^output: expected the activation of the outputs, which constants do not"):
        fastmlp.from_mat(path, hidden="tanh")
    with pytest.raises(ValueError, match=r"^output: expected 'identity' behind which y1_step1 is folded, got 'tanh'"):
        fastmlp.from_mat(path, hidden="tanh", output="tanh")
    for name in ("hidden", "output"):
        with pytest.raises(ValueError, match=rf"^{name}: expected None, as NETLAB's structs tell it, got 'tanh'"):
            fastmlp.from_mat(FOLDER / "netlab-linear.mat", **{name: "tanh"})


def test_structs_of_netlab_that_are_no_perceptron_are_refused(tmp_path):
    own = {"w1": np.ones((3, 2)), "b1": np.ones((1, 2)), "outfn": "linear"}
    with pytest.raises(ValueError, match=r"^path: expected type mlp or glm of a NETLAB struct, got 'rbf'"):
        fastmlp.from_mat(saved(tmp_path, net=own | {"type": "rbf"}))
    with pytest.raises(ValueError, match=r"^path: expected outfn linear, logistic, softmax .* got 'exp'"):
        fastmlp.from_mat(saved(tmp_path, net=own | {"type": "glm", "outfn": "exp"}))
    with pytest.raises(ValueError, match=r"^path: expected numbers w2, got none"):
        fastmlp.from_mat(saved(tmp_path, net=own | {"type": "mlp"}))


# ---- damage ----


@pytest.mark.parametrize("name", ["netlab-v6", "netlab-several", "genfunction-deep"])
def test_damaged_files_give_value_errors(tmp_path, name):
    whole, draws, path = (FOLDER / f"{name}.mat").read_bytes(), random.Random(0), tmp_path / "damaged.mat"
    opened = uncompressed(whole)
    for n in range(400):
        data = bytearray(whole if n % 4 == 0 else opened)
        for _ in range(draws.choice([1, 1, 4])):
            data[draws.randrange(len(data))] = draws.choice([0, 1, 14, 127, 255, draws.randrange(256)])
        path.write_bytes(data[: draws.choice([len(data), draws.randrange(len(data))])])
        with contextlib.suppress(ValueError):
            fastmlp.from_mat(path, hidden="tanh", output="identity")


def uncompressed(data):
    parts, at = [data[:128]], 128
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        end = at + 8 + size + (0 if kind == 15 else -size % 8)
        parts.append(zlib.decompress(data[at + 8 : at + 8 + size]) if kind == 15 else data[at:end])
        at = end
    return b"".join(parts)


def test_what_a_header_claims_is_not_believed(tmp_path, monkeypatch):
    path = saved(tmp_path, False, s=np.zeros((1, 1), [("a", object)]), b1=1.0)
    data = path.read_bytes()
    at = data.index(struct.pack("<IIii", 5, 8, 1, 1)) + 8
    path.write_bytes(data[:at] + struct.pack("<ii", 1, 2**12) + data[at + 8 :])
    with pytest.raises(ValueError, match=r"^path: expected structs of shape \(1, 4096\)"):
        fastmlp.from_mat(path)
    bomb = zlib.compress(bytes(1 << 20), 9)
    path.write_bytes(data[:128] + struct.pack("<II", 15, len(bomb)) + bomb)
    monkeypatch.setattr(files, "LARGEST", 1 << 16)
    with pytest.raises(ValueError, match=r"^path: expected at most 65536 bytes in a MAT-file, got more behind"):
        fastmlp.from_mat(path)
    path.write_bytes(bytes(1 << 17))
    with pytest.raises(ValueError, match=r"^path: expected a file of at most 65536 bytes, got 131072"):
        fastmlp.from_mat(path)


def test_structs_within_structs_have_an_end(tmp_path):
    inner = {"a": 1.0}
    for _ in range(40):
        inner = {"a": inner}
    with pytest.raises(ValueError, match=r"^path: expected at most .* arrays, 32 within each other"):
        fastmlp.from_mat(saved(tmp_path, s=inner))
    with pytest.raises(FileNotFoundError):
        fastmlp.from_mat(tmp_path / "none.mat")
