"""Convolutional networks beside PyTorch, JAX and ONNX Runtime: one thread, all in one run, in turns.

    python bench/convolution.py [--seconds 5] [--dtype float32] [--no-compile]

LeNet-1 is [(1, 28, 28), Conv(4, 5), AveragePool(2), Conv(12, 5), AveragePool(2), 10]. Peers that are not installed are
passed over. Before anything is timed, losses and outputs are compared.
"""

import one_thread

if __name__ == "__main__":
    one_thread.restrict()  # before NumPy is imported

import argparse
import importlib.util
from typing import Any

import numpy as np

from peak import Peak
from report import duration, environment, number, table
from timing import Job, interleave, repeat

SAMPLES, FEW, BATCH = 1024, 32, 32
MAPS = (16, 32)  # of a convolution of 5x5 on 14x14, behind one of 1x1, so that all three products are formed
BETWEEN = f"convolution {MAPS[0]} to {MAPS[1]}, all products"
#: multiply-adds of a sample forward: conv 1, conv 2, dense
LENET = (4 * 24 * 24 * 25, 12 * 8 * 8 * 100, 10 * 192)
#: and of its gradient: nothing goes back to the inputs
GRADIENT = 2 * LENET[0] + 3 * LENET[1] + 3 * LENET[2]

Jobs = dict[str, Job]
Data = tuple[np.ndarray, np.ndarray]


def lenet(dtype: str) -> Any:
    """The network that all have."""
    import fastmlp
    from fastmlp import AveragePool, Conv

    layers = [(1, 28, 28), Conv(4, 5), AveragePool(2), Conv(12, 5), AveragePool(2), 10]
    return fastmlp.Network(layers, output="softmax", dtype=dtype, rng=0)


def ours(net: Any, X: np.ndarray, T: np.ndarray) -> dict[str, Jobs]:
    """Our jobs by what is done."""
    import fastmlp

    few, labels = X[:FEW].copy(), T[:FEW].copy()
    one = X[:1].copy()
    maps = fastmlp.Network(
        [(MAPS[0], 14, 14), fastmlp.Conv(MAPS[0], 1), fastmlp.Conv(MAPS[1], 5)], dtype=net.dtype, rng=0
    )
    images = np.random.default_rng(1).normal(size=(BATCH, maps.layers[0])).astype(net.dtype)
    targets = np.ones((BATCH, maps.layers[-1]), net.dtype)
    return {
        f"gradient, N = {SAMPLES}": {"fastmlp": repeat(net.loss_and_grad, X, T)},
        f"gradient, N = {FEW}": {"fastmlp": repeat(net.loss_and_grad, few, labels)},
        "Adam, an epoch": {
            "fastmlp": lambda n: [net.copy().fit(X, T, "adam", max_iter=n, rng=0) for _ in range(n > 0)]
        },
        "one image": {"fastmlp": repeat(net.predict, one)},
        BETWEEN: {"fastmlp": repeat(maps.loss_and_grad, images, targets)},
    }


def torch_jobs(net: Any, X: np.ndarray, T: np.ndarray, compiled: bool) -> dict[str, Jobs]:
    """PyTorch's: eager, channels last, compiled."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    kind = getattr(torch, net.dtype.name)

    def module() -> Any:
        own = nn.Sequential(
            nn.Conv2d(1, 4, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(4, 12, 5), nn.Tanh(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(192, 10),
        ).to(kind)  # fmt: skip
        parts = [part for pair in zip(net.weights, net.biases, strict=True) for part in pair]
        with torch.no_grad():
            for parameter, values in zip(own.parameters(), parts, strict=True):
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
        return own

    images = torch.from_numpy(X.reshape(-1, 1, 28, 28))
    labels = torch.from_numpy(T.astype(np.int64))
    last = torch.channels_last
    variants = {
        "torch": (module(), images),
        "torch, channels last": (module().to(memory_format=last), images.to(memory_format=last)),
    }
    if compiled:
        variants["torch, compiled"] = (torch.compile(module()), images)
    jobs: dict[str, Jobs] = {}
    for name, (own, inputs) in variants.items():
        for count in (SAMPLES, FEW):
            gradient = torch_gradient(torch, own, inputs[:count], labels[:count])
            jobs.setdefault(f"gradient, N = {count}", {})[name] = repeat(gradient)
        jobs.setdefault("Adam, an epoch", {})[name] = torch_epochs(torch, own, inputs, labels)
        jobs.setdefault("one image", {})[name] = repeat(torch.inference_mode()(own), inputs[:1])
        check(name, float(torch_gradient(torch, own, inputs, labels)().detach()), net.loss(X, T))
    for name, form in (("torch", torch.contiguous_format), ("torch, channels last", last)):
        maps = nn.Sequential(nn.Conv2d(MAPS[0], MAPS[0], 1), nn.Tanh(), nn.Conv2d(*MAPS, 5)).to(kind)
        inputs = torch.randn(BATCH, MAPS[0], 14, 14, dtype=kind).to(memory_format=form)
        targets = torch.ones(BATCH, MAPS[1], 10, 10, dtype=kind).to(memory_format=form)
        error = torch_gradient(torch, maps.to(memory_format=form), inputs, targets, nn.functional.mse_loss)
        jobs.setdefault(BETWEEN, {})[name] = repeat(error)
    return jobs


def torch_gradient(torch: Any, module: Any, inputs: Any, targets: Any, loss_of: Any = None) -> Any:
    """Sum of losses, cross entropies by default; gradients are left in the parameters."""
    loss_of = loss_of or torch.nn.functional.cross_entropy

    def gradient() -> Any:
        for parameter in module.parameters():
            parameter.grad = None
        loss = loss_of(module(inputs), targets, reduction="sum")
        loss.backward()
        return loss

    return gradient


def torch_epochs(torch: Any, module: Any, inputs: Any, labels: Any) -> Job:
    """Epochs of the fused Adam, in a new order each."""

    def job(n: int) -> None:
        adam = torch.optim.Adam(module.parameters(), fused=True)
        before = [parameter.detach().clone() for parameter in module.parameters()]
        for _ in range(n):
            for rows in torch.randperm(len(inputs)).split(BATCH):
                adam.zero_grad()
                torch.nn.functional.cross_entropy(module(inputs[rows]), labels[rows]).backward()
                adam.step()
        with torch.no_grad():
            for parameter, values in zip(module.parameters(), before, strict=True):
                parameter.copy_(values)

    return job


def jax_jobs(net: Any, X: np.ndarray, T: np.ndarray) -> dict[str, Jobs]:
    """JAX's, jitted."""
    import jax
    from jax import lax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    form = ("NCHW", "OIHW", "NCHW")

    def pool(a: Any) -> Any:
        n, c, h, w = a.shape
        return a.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))

    def logits(params: Any, images: Any) -> Any:
        (W1, b1), (W2, b2), (W3, b3) = params
        a = images
        for W, b in ((W1, b1), (W2, b2)):
            z = lax.conv_general_dilated(a, W, (1, 1), "VALID", dimension_numbers=form) + b[:, None, None]
            a = pool(jnp.tanh(z))
        return a.reshape(len(a), -1) @ W3.T + b3

    def loss(params: Any, images: Any, labels: Any) -> Any:
        z = logits(params, images)
        return (jax.nn.logsumexp(z, axis=1) - z[jnp.arange(len(z)), labels]).sum()

    params = [(jnp.array(W), jnp.array(b)) for W, b in zip(net.weights, net.biases, strict=True)]
    images, labels = jnp.array(X.reshape(-1, 1, 28, 28)), jnp.array(T)
    both, outputs = jax.jit(jax.value_and_grad(loss)), jax.jit(lambda p, x: jax.nn.softmax(logits(p, x)))
    check("jax", float(both(params, images, labels)[0]), net.loss(X, T))
    one = images[:1]
    return {
        f"gradient, N = {SAMPLES}": {"jax": repeat(lambda: jax.block_until_ready(both(params, images, labels)))},
        f"gradient, N = {FEW}": {
            "jax": repeat(lambda a=images[:FEW], t=labels[:FEW]: jax.block_until_ready(both(params, a, t)))
        },
        "one image": {"jax": repeat(lambda: jax.block_until_ready(outputs(params, one)))},
    }


def onnx_jobs(net: Any, X: np.ndarray) -> dict[str, Jobs]:
    """ONNX Runtime's prediction of one image; it has no convolution of doubles."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    names = [name + str(number) for number in (1, 2, 3) for name in "Wb"]
    parts = [np.ascontiguousarray(part) for pair in zip(net.weights, net.biases, strict=True) for part in pair]
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "W1", "b1"], ["z1"]), node("Tanh", ["z1"], ["a1"]),
        node("AveragePool", ["a1"], ["p1"], **pool),
        node("Conv", ["p1", "W2", "b2"], ["z2"]), node("Tanh", ["z2"], ["a2"]),
        node("AveragePool", ["a2"], ["p2"], **pool), node("Flatten", ["p2"], ["f"]),
        node("Gemm", ["f", "W3", "b3"], ["z3"], transB=1), node("Softmax", ["z3"], ["y"], axis=1),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes, "lenet", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 28, 28])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(part, name) for part, name in zip(parts, names, strict=True)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    one = X[:1].reshape(1, 1, 28, 28).copy()
    check("onnx", float(session.run(None, {"x": one})[0][0, 0]), float(net(X[:1])[0, 0]))
    return {"one image": {"onnx": repeat(lambda: session.run(None, {"x": one}))}}


def check(name: str, value: float, expected: float) -> None:
    """Refuse a contestant that computes something else."""
    if not abs(value - expected) < 1e-3 * abs(expected):
        raise ValueError(f"{name}: expected {expected}, got {value}")


def row(title: str, jobs: Jobs, seconds: float, peak: Peak) -> dict[str, str]:
    """A line of the table."""
    timings = interleave({**jobs, "peak": peak.run}, seconds)
    own = timings.pop("fastmlp").minimum
    rate = peak.flops / timings.pop("peak").minimum
    peers = sorted((timing.minimum / own, name) for name, timing in timings.items())
    share = 2 * GRADIENT * SAMPLES / own / rate if title == f"gradient, N = {SAMPLES}" else None
    return {
        "what": title, "fastmlp": duration(own), "% of peak": "" if share is None else f"{100 * share:.0f}",
        "peers' times over ours": ", ".join(f"{name} {number(ratio)}" for ratio, name in peers),
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each line")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out, which needs a C++ compiler")
    arguments = parser.parse_args()
    net, rng = lenet(arguments.dtype), np.random.default_rng(0)
    X, T = rng.normal(size=(SAMPLES, 784)).astype(arguments.dtype), rng.integers(0, 10, SAMPLES)
    parts = [ours(net, X, T)]
    if importlib.util.find_spec("torch"):
        parts.append(torch_jobs(net, X, T, not arguments.no_compile))
    if importlib.util.find_spec("jax"):
        parts.append(jax_jobs(net, X, T))
    if arguments.dtype == "float32" and importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        parts.append(onnx_jobs(net, X))
    peak = Peak(net.dtype.itemsize)
    titles = list(parts[0])
    rows = [
        row(title, {name: job for part in parts for name, job in part.get(title, {}).items()}, arguments.seconds, peak)
        for title in titles
    ]
    print(table([{"": name, " ": value} for name, value in environment().items()]), table(rows), sep="\n\n")


if __name__ == "__main__":
    main()
