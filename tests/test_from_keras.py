"""Files that Keras wrote as networks: the outputs that it computed, and what is refused by name."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.bridges.keras import files, hdf5

FOLDER = Path(__file__).parent / "data" / "keras"
EXPECTED = np.load(FOLDER / "expected.npz")
MODELS = {
    "functional.keras": "Network([3, 4, 3], hidden='tanh', output='softmax', loss='cross_entropy', dtype='float32')",
    "images.keras": "Network([(2, 6, 5), Conv(3, (3, 2), padding='same'), MaxPool(2), 2], hidden='relu', "
    "output='identity', loss='squared_error', dtype='float32')",
    "double.keras": "Network([2, 3, 2], hidden='silu', output='logistic', loss='squared_error', dtype='float64')",
    "signals.h5": "Network([(2, 9), Conv(3, 4, stride=2), AveragePool(3), 1], hidden='elu', output='exp', "
    "loss='poisson', dtype='float32')",
    "nested.keras": "Network([2, 3, 1], hidden='gelu', output='identity', loss='squared_error', dtype='float32')",
}


def rows(X):
    """In the order channel, row, column."""
    return np.moveaxis(X, -1, 1).reshape(len(X), -1)


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_those_that_keras_computed(name):
    net = fastmlp.from_keras(FOLDER / name)
    assert repr(net) == MODELS[name]
    X, Y = EXPECTED[f"{name} X"], EXPECTED[f"{name} Y"]
    assert net(rows(X)) == pytest.approx(Y, rel=2e-6, abs=float(2e-7 * np.abs(Y).max()))  # computed in float32 there


@pytest.mark.parametrize("name", ["nested.keras", "functional.keras", "images.keras"])
def test_weights_without_a_normalization_beside_them_are_the_same_to_the_bit(name):
    net = fastmlp.from_keras(FOLDER / name)
    kernel = EXPECTED[f"{name} {len([key for key in EXPECTED if key.startswith(name)]) - 4}"]
    W = net.weights[-1]
    if name == "images.keras":  # behind Flatten of (3, 2, 3), channels last
        kernel = kernel.reshape(3, 2, 3, -1).transpose(2, 0, 1, 3).reshape(W.shape[::-1])
        first = EXPECTED[f"{name} 0"]
        assert np.array_equal(net.weights[0], first.transpose(3, 2, 0, 1))
    assert np.array_equal(W, kernel.T)


# ---- models that are a little different: the files of Keras with other JSON ----


def members(name):
    with zipfile.ZipFile(FOLDER / name) as opened:
        return {each: opened.read(each) for each in opened.namelist()}


def zipped(path, contents, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as opened:
        for name, content in contents.items():
            opened.writestr(name, content)
    return path


def edited(tmp_path, edit, name="functional.keras"):
    """The file with a changed config.json."""
    contents = members(name)
    config = json.loads(contents["config.json"])
    edit(config)
    contents["config.json"] = json.dumps(config)
    return zipped(tmp_path / "model.keras", contents)


def layer(config, number, **items):
    config["config"]["layers"][number]["config"].update(items)


def entry(model, number, **items):
    model["config"]["layers"][number].update(items)


def of_layer(number, **items):
    return lambda config: layer(config, number, **items)


def of_entry(number, **items):
    return lambda model: entry(model, number, **items)


OWN = {"module": "builtins", "class_name": "function", "config": "tanh", "registered_name": "function"}
LEAKY = {"module": "keras.layers", "class_name": "LeakyReLU", "config": {"negative_slope": 0.2}}
POLICY = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
REFUSED = {
    "leaky_relu": (of_layer(2, activation="leaky_relu"), "'z', got leaky_relu, whose slope is 0.2; .*=0.01"),
    "leaky layer": (of_layer(2, activation=LEAKY), "negative_slope 0.01 in layer LeakyReLU 'z', got 0.2"),
    "selu": (of_layer(2, activation="selu"), "an activation of linear, .* in layer Dense 'z', got selu"),
    "own function": (of_layer(2, activation=OWN), "an activation of .* in layer Dense 'z', got a function"),
    "lambda": (of_layer(2, activation={"value": ["4wEA", None, None]}), "layer Dense 'z', got a function"),
    "hidden softmax": (of_layer(2, activation="softmax"), "in a hidden layer in layer Dense 'z', got softmax"),
    "hidden exp": (of_layer(2, activation="exponential"), "in a hidden layer in layer Dense 'z', got exp"),
    "mixed": (of_layer(2, dtype=POLICY), "dtype float32 or float64 in layer Dense 'z', got mixed_float16"),
    "two types": (of_layer(2, dtype="float64"), "dtype float32 as before in layer Dense 'z', got float64"),
    "class": (of_entry(2, class_name="LSTM"), "in layer LSTM 'z', got LSTM"),
    "own class": (of_entry(2, module="mine", registered_name="mine>Dense"), "Keras' own in layer Dense 'z', got mine"),
    "registered": (of_entry(2, registered_name="mine>Dense"), "Keras' own in layer Dense 'z'"),
    "lora": (of_layer(2, lora_rank=4), "plain weights in layer Dense 'z'"),
    "units": (of_layer(2, units=10**18), r"z .* shape \(3, 1000000000000000000\) in .* got float32, \(3, 4\)"),
    "no units": (of_layer(2, units=True), "units of at least 1 in layer Dense 'z', got True"),
    "no bias": (of_layer(2, use_bias=False), "1 arrays of z .* got 2"),
    "axes": (of_layer(1, axis=[1, 2]), "axis -1 or None in layer Normalization 'b'"),
    "mean": (of_layer(1, mean=[1.0, 2.0], variance=[1.0]), "one for each of 3 channels in layer Normalization 'b'"),
    "variance": (of_layer(1, mean=[1.0], variance=[-1.0]), "variances of at least 0 in layer Normalization 'b'"),
    "inputs": (of_layer(0, batch_shape=[None, 4]), r"of b .* shape \(4\) in .* got float32, \(3,\)"),
    "image": (of_layer(0, batch_shape=[None, 2, 3]), "Flatten before it in layer Dense 'z'"),
    "endless": (of_layer(0, batch_shape=[None, 2**70]), "of b "),
    "twice": (of_layer(2, name="a"), "comes twice"),
    "branches": (of_entry(3, inbound_nodes=[]), "one after the other, with one input to 'a' in layer Functional"),
    "no layers": (lambda config: config["config"].update(layers=[]), "a list of layers in layer Functional"),
    "two inputs": (
        lambda config: config["config"].update(input_layers=[["measured", 0, 0], ["other", 0, 0]]),
        "one of input_layers in layer Functional",
    ),
    "beside": (lambda config: config["config"].update(output_layers=["z", 0, 0]), "others beside them: a"),
    "subclass": (lambda config: config.update(class_name="Mine"), "Keras' own in layer Mine 'functional'"),
    "no config": (of_entry(2, config=None), "layers with class_name and config"),
}  # fmt: skip


@pytest.mark.parametrize("edit", REFUSED)
def test_what_has_no_counterpart_is_refused_by_name(edit, tmp_path):
    change, message = REFUSED[edit]
    with pytest.raises(ValueError, match=f"^path: expected .*{message}") as error:
        fastmlp.from_keras(edited(tmp_path, change))
    assert len(str(error.value)) < 1000


HUGE = 10**400  # an integer of JSON that no float is
NOT_NUMBERS = {
    "mean": of_layer(1, mean=HUGE, variance=1.0),
    "in a list": of_layer(1, mean=[1.0, HUGE, 1.0], variance=1.0),
    "as an array": of_layer(1, mean={"class_name": "__numpy__", "config": {"value": HUGE}}, variance=1.0),
    "no array": of_layer(1, mean={"class_name": "__numpy__", "config": 5}, variance=1.0),
    "slope": of_layer(2, activation={"class_name": "LeakyReLU", "config": {"negative_slope": HUGE}}),
    "alpha": of_layer(2, activation={"class_name": "ELU", "config": {"alpha": {"config": 5}}}),
    "history": of_entry(3, inbound_nodes={"class_name": "__keras_tensor__", "config": {"keras_history": 5}}),
    "no history": of_entry(3, inbound_nodes={"class_name": "__keras_tensor__", "config": 5}),
    "a long name": lambda config: config["config"].update(output_layers=["y" * 10**6, 0, 0]),
}


@pytest.mark.parametrize("edit", NOT_NUMBERS)
def test_other_values_in_the_place_of_numbers_and_names_are_refused(edit, tmp_path):
    with pytest.raises(ValueError, match=r"^path: expected .* in layer ") as error:
        fastmlp.from_keras(edited(tmp_path, NOT_NUMBERS[edit]))
    assert len(str(error.value)) < 1000


def test_a_lambda_layer_is_refused_and_never_run():
    with pytest.raises(ValueError, match=r"^path: expected Dense, .* in layer Lambda 'twice', got Lambda$"):
        fastmlp.from_keras(FOLDER / "lambda.keras")


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu", "softplus", "elu", "silu", "swish", "gelu", "linear"])
def test_activations_have_our_names(name, tmp_path):
    net = fastmlp.from_keras(edited(tmp_path, of_layer(2, activation=name)))
    assert net.hidden == ({"sigmoid": "logistic", "swish": "silu", "linear": "identity"}.get(name, name),)


def test_outputs_and_losses_are_told_or_come_from_the_model(tmp_path):
    linear = edited(tmp_path, of_layer(3, activation="linear"))
    assert fastmlp.from_keras(linear).loss_name == "squared_error"
    net = fastmlp.from_keras(linear, output="softmax")
    X = EXPECTED["functional.keras X"]
    assert net(X) == pytest.approx(EXPECTED["functional.keras Y"], rel=1e-5)
    with pytest.raises(ValueError, match=r"^output: expected None or softmax, .* got 'identity'"):
        fastmlp.from_keras(FOLDER / "functional.keras", output="identity")
    assert fastmlp.from_keras(FOLDER / "double.keras", loss="binary_cross_entropy").loss_name == "binary_cross_entropy"


def test_inverted_and_scalar_normalizations_are_folded(tmp_path):
    X = EXPECTED["functional.keras X"].astype(float)
    mean, variance = np.array([1.0, 2.0, -3.0]), np.array([0.25, 4.0, 0.0])

    def normalized(Z, **items):
        net = fastmlp.from_keras(edited(tmp_path, of_layer(1, mean=[0.0], variance=[1.0])))
        given = fastmlp.from_keras(edited(tmp_path, of_layer(1, **items)))
        assert given(X) == pytest.approx(net(Z), rel=1e-5)

    normalized(np.sqrt(variance) * X + mean * (variance > 0) + (1e-7 * X + mean) * (variance == 0),
               mean=list(mean), variance=list(variance), invert=True)  # fmt: skip
    normalized((X - 2.0) / 3.0, mean=2.0, variance=9.0, axis=[])
    array = {"class_name": "__numpy__", "config": {"value": list(mean), "dtype": "float64"}}
    normalized(X - mean, mean=array, variance=[1.0])


# ---- hostile and damaged files ----


def test_members_are_bounded_before_they_are_read(tmp_path):
    contents = members("functional.keras")
    bomb = contents | {"model.weights.h5": bytes(10**8)}
    with pytest.raises(ValueError, match=r"^path: expected at most \d+ bytes of model\.weights\.h5 .* got 100000000"):
        fastmlp.from_keras(zipped(tmp_path / "bomb.keras", bomb, zipfile.ZIP_DEFLATED))
    bomb = contents | {"config.json": b" " * 10**7}
    with pytest.raises(ValueError, match=r"^path: expected at most \d+ bytes of config\.json"):
        fastmlp.from_keras(zipped(tmp_path / "bomb.keras", bomb, zipfile.ZIP_DEFLATED))
    many = contents | {f"{number:040}": b"" for number in range(60_000)}
    with pytest.raises(ValueError, match="a zip of a few members"):
        fastmlp.from_keras(zipped(tmp_path / "many.keras", many))
    net = fastmlp.from_keras(zipped(tmp_path / "packed.keras", contents, zipfile.ZIP_DEFLATED))
    assert net == fastmlp.from_keras(FOLDER / "functional.keras")


def test_members_have_one_name_each(tmp_path):
    contents = members("functional.keras")
    for name in ("config.json", "model.weights.h5"):
        left = {f"../{each}" if each == name else each: content for each, content in contents.items()}
        with pytest.raises(ValueError, match=rf"^path: expected one {re.escape(name)} in"):
            fastmlp.from_keras(zipped(tmp_path / "other.keras", left))
    path = zipped(tmp_path / "twice.keras", contents)
    with zipfile.ZipFile(path, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("config.json", "{}")
    with pytest.raises(ValueError, match=r"^path: expected one config\.json"):
        fastmlp.from_keras(path)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[]", '{"class_name": 1}', "", "\udcff", '{"class_name": "Sequential"}']
)
def test_layers_in_other_json_are_refused(text, tmp_path):
    contents = members("functional.keras") | {"config.json": text.encode(errors="surrogateescape")}
    with pytest.raises(ValueError, match=r"^path: expected"):
        fastmlp.from_keras(zipped(tmp_path / "model.keras", contents))


def in_lists(config):
    nodes = []
    for _ in range(800):
        nodes = [nodes]
    entry(config, 3, inbound_nodes=nodes)


def in_models(config):
    for _ in range(200):
        config["config"]["layers"] = [{"class_name": "Sequential", "config": dict(config["config"])}]


@pytest.mark.parametrize("edit", [in_lists, in_models])
def test_deep_nesting_is_refused(edit, tmp_path):
    with pytest.raises(ValueError, match=r"^path: expected"):
        fastmlp.from_keras(edited(tmp_path, edit))


HOSTILE = {
    "external_link.keras": "a group, of names in the file only, got none",
    "soft_link.keras": "0, got a link",
    "external_storage.keras": "in one piece, in the file and uncompressed",
    "virtual.keras": "in one piece, in the file and uncompressed",
    "huge.keras": "in one piece, in the file and uncompressed",
    "packed.keras": "in one piece, in the file and uncompressed",
    "unwritten.keras": r"48 bytes of an array of shape \(3, 4\)",
    "integers.keras": "arrays of z of float32 or float64 .* got other numbers",
    "not_finite.keras": "arrays of z with finite numbers",
    "group.keras": "an array, got none",
    "nothing.keras": "arrays of z .*0, got nothing",
    "misnamed.keras": r"numbers of z in layers/dense, got those of \['a'\]",
    "newest.keras": "format version 0, as h5py writes by default, got 3",
    "linked.h5": "arrays of conv1d .* names in the file only",
    "elsewhere.h5": "arrays of dense_3 .* got nothing",
    "weights.h5": r"got weights alone; model.save\('model.keras'\) writes both",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_only_arrays_of_the_file_itself_are_read(name, tmp_path, monkeypatch):
    with zipfile.ZipFile(FOLDER / "hostile.zip") as opened:
        opened.extractall(tmp_path)  # beside what links and storage lead to
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"^path: expected .*{HOSTILE[name]}"):
        fastmlp.from_keras(name)


def test_an_array_of_many_names_takes_no_more_memory_than_the_file():
    content = members("functional.keras")["model.weights.h5"]
    root = hdf5.opened(content)
    dataset = root.member("layers").member("dense").member("vars").member("0").dataset
    for _ in range(len(content) // 48):
        dataset.read(root.file)
    with pytest.raises(hdf5.DamagedError, match="numbers of their own"):
        dataset.read(root.file)


def test_groups_without_an_end_are_refused():
    content = bytearray(members("functional.keras")["model.weights.h5"])
    tree = content.index(b"TREE")
    content[tree + 32 : tree + 40] = tree.to_bytes(8, "little")  # its own first branch
    with pytest.raises(hdf5.DamagedError, match="with an end"):
        _ = hdf5.opened(bytes(content)).members
    root = hdf5.opened(bytes(content))
    root.file._steps = 0
    with pytest.raises(hdf5.DamagedError, match="each part of the file once"):
        _ = root.members


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.keras"
    whole = (FOLDER / "functional.keras").read_bytes()
    for content in (b"", b"PK", b"PK\3\4" + bytes(100), b"\x89HDF\r\n\x1a\n", b"pickle", whole[:-30], whole[:5000]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"^path: expected") as error:
            fastmlp.from_keras(path)
        assert str(path) in str(error.value)
    for other in (tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"none|directory"):
            fastmlp.from_keras(other)


MUTATE = """
import io, random, resource, sys, warnings, zipfile, fastmlp
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
warnings.simplefilter("error")
draws, source, target = random.Random(0), Path(sys.argv[1]), Path(sys.argv[2])
content = source.read_bytes()
members = {}
if source.suffix == ".keras":
    with zipfile.ZipFile(source) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}

def damaged(content):
    changed = bytearray(content)
    for _ in range(draws.randint(1, 4)):
        changed[draws.randrange(len(changed))] = draws.choice((draws.randrange(256), draws.choice(b"0123456789[]{},.")))
    if draws.random() < 0.1:
        del changed[draws.randrange(len(changed)) :]
    return bytes(changed)

for _ in range(1500):
    if members and draws.random() < 0.8:
        name = draws.choice(("config.json", "model.weights.h5"))
        with zipfile.ZipFile(target, "w") as opened:
            for each, kept in members.items():
                opened.writestr(each, damaged(kept) if each == name else kept)
    else:
        target.write_bytes(damaged(content))
    try:
        fastmlp.from_keras(target)
    except ValueError as error:
        assert str(error).startswith(("path: ", "layers: ", "output: ")), error
"""


@pytest.mark.parametrize("name", ["functional.keras", "images.keras", "signals.h5"])
def test_bytes_changed_at_random_are_errors_at_most(name, tmp_path):
    arguments = [str(FOLDER / name), str(tmp_path / "model")]
    subprocess.run([sys.executable, "-c", MUTATE, *arguments], check=True, timeout=250)


def test_a_file_that_is_too_large_is_said_to_be_so(monkeypatch):
    monkeypatch.setattr(files, "MAX_FILE", 100)
    with pytest.raises(ValueError, match=r"^path: expected a file of at most 100 bytes, got \d{4,}$"):
        fastmlp.from_keras(next(FOLDER.glob("*.keras")))
