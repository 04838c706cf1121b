"""Files of safetensors as networks: those that PyTorch and Flax wrote, in any order of names, and damaged ones."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastmlp

FOLDER = Path(__file__).parent / "data" / "safetensors"
EXPECTED = np.load(FOLDER / "expected.npz")
RNG = np.random.default_rng(0)
TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "uint16": "BF16"}


def parts(tensors):
    """The header and the numbers that the format has for these arrays."""
    header, data = {}, b""
    for name, array in tensors.items():
        content = np.ascontiguousarray(array).tobytes()
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": TYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
        data += content
    return header, data


def file(tmp_path, header, data):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + content + data)
    return path


def layers(*names, dtype="float32", width=3, words=("weight", "bias")):
    state = {}
    for name in names:
        state[f"{name}.{words[0]}"] = RNG.normal(size=(width, width)).astype(dtype)
        state[f"{name}.{words[1]}"] = RNG.normal(size=width).astype(dtype)
    return state


@pytest.mark.parametrize(
    ("name", "hidden", "output", "dtype", "tolerance"),
    [
        ("torch", "tanh", "identity", "float32", 2e-7),
        ("double", "tanh", "identity", "float64", 1e-15),
        ("bfloat16", "tanh", "identity", "float32", 2e-7),
        ("flax", "silu", "softmax", "float32", 2e-7),
    ],
)
def test_outputs_are_those_of_the_library_that_wrote_the_file(name, hidden, output, dtype, tolerance):
    net = fastmlp.from_safetensors(FOLDER / f"{name}.safetensors", hidden, output)
    assert net.dtype == dtype
    assert net(EXPECTED["X"]) == pytest.approx(EXPECTED[name], abs=tolerance)


@pytest.mark.parametrize("name", ["0", "net.0", "fc1", "Dense_0", "blocks/0/lin/1"])
@pytest.mark.parametrize("shuffled", [sorted, lambda names: sorted(names, reverse=True)])
def test_layers_are_in_the_order_of_their_numbers(name, shuffled, tmp_path):
    names = [re.sub(r"\d+$", str(number), name) for number in (0, 2, 10, 9007199254740993)]
    state = layers(*names)
    net = fastmlp.from_safetensors(file(tmp_path, *parts({each: state[each] for each in shuffled(state)})), "tanh")
    assert all(np.array_equal(W, state[f"{each}.weight"]) for W, each in zip(net.weights, names, strict=True))
    assert all(np.array_equal(b, state[f"{each}.bias"]) for b, each in zip(net.biases, names, strict=True))


@pytest.mark.parametrize("prefix", ["", "net."])
def test_layers_within_others_are_in_the_place_of_these(prefix, tmp_path):
    """As in a Sequential within a Sequential."""
    names = [f"{prefix}{each}" for each in ("0", "2.0", "2.3.1", "2.10", "10")]
    state = layers(*names)
    net = fastmlp.from_safetensors(file(tmp_path, *parts({each: state[each] for each in sorted(state)})), "tanh")
    assert all(np.array_equal(W, state[f"{each}.weight"]) for W, each in zip(net.weights, names, strict=True))


def test_other_names_need_an_order(tmp_path):
    state = layers("out", "body", "input")
    path = file(tmp_path, *parts(state))
    with pytest.raises(ValueError, match=r"^order: expected the names .* of 'out' \(3, 3\), 'body' \(3, 3\), 'input'"):
        fastmlp.from_safetensors(path, "tanh")
    net = fastmlp.from_safetensors(path, "tanh", order=["input", "body", "out"])
    assert np.array_equal(net.weights[0], state["input.weight"])
    for order in (["input", "body"], ["input", "body", "body"], ["input", "body", "tail"], "out"):
        with pytest.raises((TypeError, ValueError), match=r"^order: expected .*got"):
            fastmlp.from_safetensors(path, "tanh", order=order)
    with pytest.raises(ValueError, match=r"^hidden: expected the activations of 2 hidden layers, got None"):
        fastmlp.from_safetensors(path, order=["input", "body", "out"])


def test_kernels_have_inputs_in_rows(tmp_path):
    state = {"0.kernel": RNG.normal(size=(3, 2)), "1.weight": RNG.normal(size=(4, 2))}
    net = fastmlp.from_safetensors(file(tmp_path, *parts(state)), "tanh")
    assert net.layers == (3, 2, 4)
    assert np.array_equal(net.weights[0], state["0.kernel"].T)
    assert not net.biases[0].any()


def test_narrow_types_are_widened_exactly(tmp_path):
    halves = RNG.normal(size=(2, 3)).astype(np.float16)
    upper = (RNG.normal(size=2).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    net = fastmlp.from_safetensors(file(tmp_path, *parts({"0.weight": halves, "0.bias": upper})))
    assert net.dtype == np.float32
    assert np.array_equal(net.weights[0], halves)
    assert np.array_equal(net.biases[0], (upper.astype(np.uint32) << 16).view(np.float32))
    mixed = fastmlp.from_safetensors(file(tmp_path, *parts({"0.weight": halves, "0.bias": np.ones(2)})))
    assert mixed.dtype == np.float64
    assert np.array_equal(mixed.weights[0], halves)


HEADER, DATA = parts({"0.weight": np.ones((2, 3)), "0.bias": np.ones(2)})


def changed(name, **items):
    return {each: said | (items if each == name else {}) for each, said in HEADER.items()}


NESTED = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
EMPTY = b'"0.bias":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}'
TWICE = b"{" + EMPTY + b"," + EMPTY + b"}"


@pytest.mark.parametrize(
    ("header", "data", "got"),
    [
        (HEADER, DATA[:-1], "64 bytes of data .* got 63"),
        (HEADER, DATA + b"\0", "64 bytes of data .* got 65"),
        (changed("0.bias", data_offsets=[40, 56]), DATA, "0.bias .* begin at byte 48 of the data, got 40"),
        (changed("0.bias", data_offsets=[56, 72]), DATA + bytes(8), "0.bias .* begin at byte 48 of the data, got 56"),
        (changed("0.bias", data_offsets=[48, 72]), DATA + bytes(8), "16 bytes of 0.bias"),
        (changed("0.bias", data_offsets=[64, 48]), DATA, "where 0.bias"),
        (changed("0.bias", data_offsets=[48, 64, 64]), DATA, "where 0.bias"),
        (changed("0.bias", data_offsets=[48.0, 64.0]), DATA, "where 0.bias"),
        (changed("0.bias", shape=[-2]), DATA, "shape .*0.bias"),
        (changed("0.bias", shape=[True, 2]), DATA, "shape .*0.bias"),
        (changed("0.bias", shape=[2**63, 2**63, 2**63]), DATA, "shape .*0.bias"),
        (changed("0.weight", shape=[2**33, 2**33]), DATA, "bytes of 0.weight"),
        (changed("0.bias", shape=[1] * 9), DATA, "shape .*0.bias"),
        (changed("0.bias", dtype="I64"), DATA, "types F64, F32, F16, BF16 in 0.bias .* got 'I64'"),
        (changed("0.bias", dtype=["F64"]), DATA, "types .* in 0.bias"),
        (changed("0.bias", more=1), DATA, "dtype, shape and data_offsets of 0.bias"),
        (HEADER | {"x" * 1001: {}}, DATA, "names of at most 1000 letters"),
        ({"__metadata__": {}}, b"", "matrices NAME.weight or NAME.kernel in .* got none"),
        (changed("0.bias", shape=[1, 2]), DATA, r"shape \(2,\) of 0.bias .* got \(1, 2\)"),
        ({"0.W": HEADER["0.weight"], "0.bias": HEADER["0.bias"]}, DATA, "matrices"),
        ({"0.weight": HEADER["0.weight"], "1.bias": HEADER["0.bias"]}, DATA, "weights .* got 1.bias"),
        (changed("0.weight", shape=[3, 2]), DATA, r"shape \(3,\) of 0.bias"),
        (HEADER, DATA[:8] + np.array(np.nan).tobytes() + DATA[16:], "finite numbers in 0.weight"),
        (b"[]", b"", "names of tensors"),
        (b"{}", b"", "matrices"),
        (b"{\xff}", b"", "JSON"),
        (b'{"a":', b"", "JSON"),
        (NESTED, b"", "JSON"),
        (TWICE, b"", "twice"),
        (b"", b"", "header of 2"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_named(header, data, got, tmp_path):
    path = file(tmp_path, header, data)
    with pytest.raises(ValueError, match=f"^path: .*{got}") as error:
        fastmlp.from_safetensors(path)
    assert str(path) in str(error.value)
    assert len(str(error.value)) < 2000


@pytest.mark.parametrize("length", [0, 1, 10**6, 2**22 + 1, 2**63, 2**64 - 1])
def test_a_header_longer_than_the_file_is_refused_unread(length, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b"{}")
    with pytest.raises(ValueError, match=r"^path: expected a file of safetensors, whose header of 2 to \d+ bytes"):
        fastmlp.from_safetensors(path)
    path.write_bytes(b"\1\2\3")
    with pytest.raises(ValueError, match=r"^path: expected a file of safetensors, whose header"):
        fastmlp.from_safetensors(path)


def test_layers_that_do_not_fit_each_other_are_named(tmp_path):
    state = {"0.weight": np.ones((4, 3)), "1.weight": np.ones((2, 5))}
    with pytest.raises(ValueError, match=r"^path: expected 4 inputs in 1\.weight of .*, got 5"):
        fastmlp.from_safetensors(file(tmp_path, *parts(state)), "tanh")
    state = {"0.weight": np.ones((4, 3)), "0.kernel": np.ones((3, 4))}
    with pytest.raises(ValueError, match=r"^path: expected one matrix of 0 in .*0\.weight and 0\.kernel"):
        fastmlp.from_safetensors(file(tmp_path, *parts(state)))
    with pytest.raises(ValueError, match=r"^order: .*'fc\.1' \(3, 3\), 'fc\.01' \(3, 3\), got None"):
        fastmlp.from_safetensors(file(tmp_path, *parts(layers("fc.1", "fc.01"))), "tanh")


def test_only_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"^path: expected a regular file, got a pipe"):
        fastmlp.from_safetensors(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"net|none|directory"):
            fastmlp.from_safetensors(path)
    with pytest.raises(TypeError, match=r"^path: expected a str or path-like, got 3"):
        fastmlp.from_safetensors(3)


MUTATE = """
import random, resource, sys, warnings, fastmlp
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
warnings.simplefilter("error")
draws, content = random.Random(int(sys.argv[2])), Path(sys.argv[1]).read_bytes()
target = Path(sys.argv[3])
for _ in range(2000):
    damaged = bytearray(content)
    for _ in range(draws.randint(1, 3)):
        place = draws.randrange(len(damaged) if draws.random() < 0.5 else 300)
        damaged[place] = draws.randrange(256) if draws.random() < 0.5 else draws.choice(b'0123456789[]{},:".FB')
    if draws.random() < 0.3:
        del damaged[draws.randrange(len(damaged)) :]
    target.write_bytes(damaged)
    try:
        fastmlp.from_safetensors(target, "tanh")
    except ValueError as error:
        assert str(error).startswith(("path: ", "order: ", "hidden: "))
"""


@pytest.mark.parametrize("name", ["torch", "bfloat16"])
def test_bytes_changed_at_random_are_errors_at_most(name, tmp_path):
    arguments = [str(FOLDER / f"{name}.safetensors"), "0", str(tmp_path / "net")]
    subprocess.run([sys.executable, "-c", MUTATE, *arguments], check=True, timeout=200)
