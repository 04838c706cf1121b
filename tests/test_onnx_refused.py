"""ONNX models that are no networks, damaged or hostile: errors that name what is wrong, and nothing read elsewhere."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto

import fastmlp
from onnx_cases import CONSTANTS, DENSE, LAST, V, W, hand_made, network

# ---- what is not read ----

REFUSED = {
    r"got Mish in node the_Mish \(Mish\)": [*DENSE, ("Mish", ["z"], "h"), LAST],
    r"expected one of identity.*by node the_Selu|got Selu in node the_Selu": [*DENSE, ("Selu", ["z"], "h"), LAST],
    r"gelu but for 0\.0005, by node the_Gelu": [*DENSE, ("Gelu", ["z"], "h", {"approximate": "tanh"}), LAST],
    r"one number for all units.*the_PRelu": [*DENSE, ("PRelu", ["z", "b"], "h"), LAST],
    r"no map behind the last activation, got node the_Mul": [*DENSE, ("Tanh", ["z"], "h"), ("Mul", ["h", "b"], "y")],
    r"a layer before each activation, got node the_Tanh \(Tanh\) before the first layer": [
        ("Tanh", ["x"], "x2"),
        ("MatMul", ["x2", "W"], "h"),
        LAST,
    ],
    r"functions of the sums of one layer": [
        *DENSE,
        ("Tanh", ["z"], "a"),
        ("MatMul", ["a", "S"], "c"),
        ("Add", ["a", "c"], "h"),
        LAST,
    ],
    r"transA 0 in node the_Gemm": [("Gemm", ["x", "W", "b"], "y", {"transA": 1})],
    r"a constant matrix": [("MatMul", ["x", "x"], "y")],
    r"got 'nowhere', which is defined later or nowhere": [("MatMul", ["x", "nowhere"], "y")],
    r"which is defined later": [("Add", ["late", "b"], "z"), ("MatMul", ["x", "W"], "late"), ("Identity", ["z"], "y")],
    r"one definition of each name, got 'z' again": [*DENSE, ("Tanh", ["z"], "z"), ("MatMul", ["z", "V"], "y")],
    r"one output of numbers, got 'y'": [("MatMul", ["x", "W"], "z")],
    r"a matrix for samples of shape \(3,\)": [("MatMul", ["x", "V"], "y")],
    r"at most 67108864 numbers": [
        *[("Concat", [f"c{i}", f"c{i}"], f"c{i + 1}", {"axis": 0}) for i in range(60)],
        ("Identity", ["c60"], "y"),
    ],
    r"hidden layers of one of .*got exp before the_MatMul": [*DENSE, ("Exp", ["z"], "h"), LAST],
    r"expected a layer with weights": [("Identity", ["x"], "y")],
    r"float32 or float64 in node the_Cast \(Cast\), got another type, 10": [
        *DENSE,
        ("Cast", ["z"], "half", {"to": TensorProto.FLOAT16}),
        ("Cast", ["half"], "h", {"to": TensorProto.DOUBLE}),
        LAST,
    ],
    r"nothing that computes with classes in node the_MatMul": [
        *DENSE,
        ("Cast", ["z"], "whole", {"to": TensorProto.INT64}),
        ("Cast", ["whole"], "h", {"to": TensorProto.DOUBLE}),
        LAST,
    ],
    r"all columns of samples in node the_ArrayFeatureExtractor .*, got some of them": [
        *DENSE,
        ("ArrayFeatureExtractor", ["z", "two"], "h"),
        LAST,
    ],
    r"nothing that computes with classes in node the_Mul": [
        *DENSE,
        ("ArgMax", ["z"], "best", {"axis": 1}),
        ("Mul", ["best", "far"], "y"),
    ],
    r"another function, by node the_Clip": [*DENSE, ("Clip", ["z", "minus", "far"], "h"), LAST],
    r"another function, by nodes .*the_Where": [
        *DENSE,
        ("Abs", ["z"], "a"),
        ("Less", ["a", "small"], "is_small"),
        ("Where", ["is_small", "zero", "z"], "h"),
        LAST,
    ],
    r"another function, by nodes .*the_Sin": [
        *DENSE,
        ("Mul", ["z", "often"], "t"),
        ("Sin", ["t"], "s"),
        ("Add", ["z", "s"], "h"),
        LAST,
    ],
    r"numbers made by nodes": [
        *[("Concat", [f"c{i}", f"c{i}"], f"c{i + 1}", {"axis": 0}) for i in range(22)],
        *[("Neg", ["c22"], f"d{i}") for i in range(9)],
        ("MatMul", ["x", "W"], "y"),
    ],
    r"a constant of numbers in node the_Constant \(Constant\), got nothing": [
        ("Constant", [], "c"),
        ("MatMul", ["x", "W"], "y"),
    ],
    r"at most 32 axes": [("Reshape", ["x", "axes"], "t"), ("MatMul", ["t", "W"], "y")],
    r"got Q{200} in node the_Q{196} \(Q{200}\)$": [("Q" * 10**6, ["x"], "y")],
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_network_is_refused_by_node_and_operator(message):
    more = {
        "S": np.ones((4, 4)), "c0": np.ones(3), "far": np.float64(100.0), "minus": np.float64(-100.0),
        "small": np.float64(0.03), "zero": np.float64(0.0), "often": np.float64(40 * np.pi),
        "axes": np.full(40, 2**62), "two": np.array([0, 1]),
    }  # fmt: skip
    model = hand_made(*REFUSED[message], constants=CONSTANTS | more, opset=20)
    with pytest.raises(ValueError, match=f"^model: .*({message})"):
        fastmlp.from_onnx(model)


def test_half_precision_and_mixed_types_are_refused():
    for constant, name in ((W.astype(np.float16), "FLOAT16"), (W.astype(np.int64), "int64")):
        with pytest.raises(ValueError, match=f"model: .*float32 or float64.*{name}"):
            fastmlp.from_onnx(hand_made(("MatMul", ["x", "W"], "y"), constants={"W": constant}))
    model = hand_made(
        ("MatMul", ["x", "W"], "h"), ("MatMul", ["h", "V"], "y"), constants={"W": W, "V": V.astype(np.float32)}
    )
    with pytest.raises(ValueError, match="weights of one type"):
        fastmlp.from_onnx(model)


@pytest.mark.parametrize("model", [None, 3, b"bytes", np.ones(3), fastmlp.Network([1, 1])])
def test_other_things_are_refused(model):
    with pytest.raises(TypeError, match=r"model: expected a path or an onnx\.ModelProto, got"):
        fastmlp.from_onnx(model)


# ---- damaged and hostile files ----


def test_damaged_files_are_named(tmp_path):
    content = fastmlp.to_onnx(network([3, 4, 2])).SerializeToString()
    path, rng, ended = tmp_path / "net.onnx", np.random.default_rng(0), []
    for trial in range(300):
        damaged = bytearray(content[: rng.integers(len(content))] if trial % 3 == 0 else content)
        for _ in range(trial % 5):
            if damaged:
                damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            fastmlp.from_onnx(path)
        except ValueError as error:
            ended.append(str(error))
    assert len(ended) > 100
    assert all(each.startswith(("model: ", "layers: ")) for each in ended)
    path.write_bytes(rng.bytes(1000))
    with pytest.raises(ValueError, match="model: expected a file of ONNX"):
        fastmlp.from_onnx(path)


def test_tensors_that_lie_about_their_size_are_refused():
    for dims in ((2**40, 2**20), (2**62, 4), (-3, 4), (3, 5), [2**62] * 40):
        model = hand_made(("MatMul", ["x", "W"], "y"), constants={"W": W})
        tensor = model.graph.initializer[0]
        del tensor.dims[:]
        tensor.dims.extend(dims)
        with pytest.raises(ValueError, match=r"^model: expected .* in tensor 'W'"):
            fastmlp.from_onnx(model)


def test_inputs_of_any_size_are_refused():
    model = hand_made(("Flatten", ["x"], "rows"), ("MatMul", ["rows", "W"], "y"), constants={"W": W})
    shape = model.graph.input[0].type.tensor_type.shape
    del shape.dim[:]
    for extent in (1, 1, 20_000, 20_000):
        shape.dim.add(dim_value=extent)
    with pytest.raises(ValueError, match="model: expected an input of at most 8388608 numbers, got"):
        fastmlp.from_onnx(model)


def test_metadata_that_claim_another_size_cost_nothing():
    net = fastmlp.Network([(1, 8, 8), fastmlp.AveragePool(8), 1], rng=0)
    model = fastmlp.to_onnx(net)
    for each in model.metadata_props:
        each.value = each.value.replace("8", "16000")
    with pytest.raises(ValueError, match=r"model: expected constants in node Gather_2 \(Gather\), got samples"):
        fastmlp.from_onnx(model)


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="model: expected a regular file, got a pipe"):
        fastmlp.from_onnx(tmp_path / "pipe")


@pytest.fixture
def external(tmp_path):
    """A model in a folder, whose weights are in another file."""
    folder = tmp_path / "models"
    folder.mkdir()
    model = hand_made(("MatMul", ["x", "W"], "y"), constants={"W": W})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    (folder / "weights.bin").write_bytes(b"12345678" + W.tobytes())

    def written(**entries):
        del tensor.external_data[:]
        for key, value in ({"location": "weights.bin", "offset": 8, "length": W.nbytes} | entries).items():
            tensor.external_data.add(key=key, value=str(value))
        onnx_path = folder / "net.onnx"
        onnx_path.write_bytes(model.SerializeToString())
        return onnx_path

    return written


def test_weights_beside_the_file_are_read(external):
    assert np.array_equal(fastmlp.from_onnx(external()).weights[0], W.T)


@pytest.mark.parametrize(
    "entries",
    [
        {"location": "../secret"}, {"location": "/etc/hostname"}, {"location": "link"}, {"location": ""},
        {"location": "none"}, {"location": "."}, {"length": 8}, {"offset": 10**12}, {"offset": -8}, {"offset": "x"},
    ],
)  # fmt: skip
def test_weights_are_read_from_the_folder_of_the_model_only(external, entries, tmp_path):
    (tmp_path / "secret").write_bytes(W.tobytes() * 2)
    (tmp_path / "models" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=r"^model: expected .* in tensor 'W'"):
        fastmlp.from_onnx(external(**entries))


def test_weights_beside_a_model_in_memory_are_refused(external):
    model = onnx.load(external(), load_external_data=False)
    with pytest.raises(ValueError, match="give the path of the model"):
        fastmlp.from_onnx(model)


def test_a_file_is_not_read_time_after_time(external):
    model = onnx.load(external(), load_external_data=False)
    tensor = model.graph.initializer[0]
    for number in range(3):
        copy = model.graph.initializer.add()
        copy.CopyFrom(tensor)
        copy.name, copy.dims[0] = f"W{number}", 2**27
    path = external()
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"model: expected at most 2147483648 bytes of numbers in files beside it"):
        fastmlp.from_onnx(path)
