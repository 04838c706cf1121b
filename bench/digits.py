"""What convolutions gain on handwritten digits, and what they cost: USPS, MNIST, and second-order training.

    python bench/digits.py ../shared/data/digits [--seeds 5] [--only usps mnist solvers]

The folder holds usps.npz, X_train (7291, 16, 16), y_train, X_test (2007, 16, 16), y_test, pixels from -1000 to 1000,
and mnist_5k2k.npz, X_train (5000, 28, 28) and X_test (2000, 28, 28), pixels from 0 to 255. Trainings are in float32 by
one thread; solvers are compared on the bundled digits in float64.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp import AveragePool, Conv
from fastmlp.datasets import load_digits
from fastmlp.invariance import RandomAffine

#: the network of 1989, where each map of its second layer sees eight of the first, and where it sees all of them
EIGHT = [[(i + j) % 12 < 8 for j in range(12)] for i in range(12)]
ZIP_OF_EIGHT, ZIP = (
    [(1, 16, 16), Conv(12, 5, 2, "same", "position"), Conv(12, 5, 2, "same", "position", connections=table), 30, 10]
    for table in (EIGHT, None)
)
LENET1 = [(1, 28, 28), Conv(4, 5), AveragePool(2), Conv(12, 5), AveragePool(2), 10]
SMALL = [(1, 8, 8), Conv(4, 3), AveragePool(2), 10]
AFFINE = RandomAffine(shift=1, rotation=10, scale=0.1, shear=0.15)


def load(path, low, high):
    """Training and test images, background 0 and ink 2, and labels."""
    with np.load(path) as data:
        train, test = ((2 * (data[f"X_{part}"] - low) / (high - low)).astype(np.float32) for part in ("train", "test"))
        return train, data["y_train"], test, data["y_test"]


def error(data, layers, seed, *, decay, epochs, batch_size=32, augment=None):
    """Wrong test digits after training by Adam, in percent."""
    X, T, test, truth = data
    net = fastmlp.Network(layers, output="softmax", dtype="float32", rng=seed)
    net.fit(
        X.reshape(len(X), -1), T, "adam", penalty=fastmlp.WeightDecay(decay), augment=augment, max_iter=epochs,
        batch_size=batch_size, learning_rate=fastmlp.schedules.cosine_decay(0.003, epochs), rng=seed, n_threads=1,
    )  # fmt: skip
    return 100 * np.mean(net(test.reshape(len(test), -1)).argmax(axis=1) != truth)


def show(name, layers, function, seeds):
    """A line: weights, mean and spread of the errors, and the time of a training."""
    net = fastmlp.Network(layers)
    n_params = net.n_params - int(net.pruned.sum())
    started = time.process_time()
    errors = [function(seed) for seed in range(seeds)]
    seconds = (time.process_time() - started) / seeds
    print(f"{name:46} {n_params:7}   {np.mean(errors):5.2f} +- {np.std(errors):4.2f} %   {seconds:6.2f} s", flush=True)


def usps(folder, seeds):
    """Dense and convolutional, as they are and augmented."""
    data = load(folder / "usps.npz", -1000, 1000)
    nets = {"256-40-10": [(1, 16, 16), 40, 10], "1989": ZIP_OF_EIGHT, "1989, second layer whole": ZIP}
    for name, layers in nets.items():
        for augment, epochs, decay in ((None, 50, 4.0), (AFFINE, 100, 1.0)):
            how = {"augment": augment, "epochs": epochs, "decay": decay}
            title = f"USPS, {name}, {epochs} epochs" + ", augmented" * (augment is not None)
            show(title, layers, lambda seed, layers=layers, how=how: error(data, layers, seed, **how), seeds)


def mnist(folder, seeds):
    """LeNet-1 beside dense networks, 5,000 digits."""
    data = load(folder / "mnist_5k2k.npz", 0, 255)
    shape = LENET1[0]
    for name, layers in (("784-256-128-10", [shape, 256, 128, 10]), ("LeNet-1", LENET1)):
        for augment, epochs, decay in ((None, 50, 1.0), (AFFINE, 100, 1.0)):
            how = {"augment": augment, "epochs": epochs, "decay": decay}
            title = f"MNIST, {name}, {epochs} epochs" + ", augmented" * (augment is not None)
            show(title, layers, lambda seed, layers=layers, how=how: error(data, layers, seed, **how), seeds)


def solvers(_folder, seeds):
    """One objective, several methods: which ends lower, and when."""
    digits = load_digits()
    X, T = digits.X[:1000] / 8, digits.T[:1000]
    penalty = fastmlp.WeightDecay(0.1)
    for method, how in (
        ("adam", {"max_iter": 500, "learning_rate": fastmlp.schedules.cosine_decay(0.01, 500)}),
        ("adam", {"max_iter": 2000, "learning_rate": fastmlp.schedules.cosine_decay(0.01, 2000)}),
        ("lbfgs", {"max_iter": 2000}),
        ("lm", {"max_iter": 100}),
    ):
        started = time.process_time()
        values = []
        for seed in range(seeds):
            net = fastmlp.Network(SMALL, output="softmax", rng=seed)
            net.fit(X, T, method, penalty=penalty, rng=seed, n_threads=1, **how)
            values.append(net.objective(X, T, penalty=penalty).value(net.params))
        seconds = (time.process_time() - started) / seeds
        title = f"digits, {method}, {how['max_iter']} steps or epochs"
        print(f"{title:46}    {np.mean(values):10.4f} +- {np.std(values):6.4f}   {seconds:6.2f} s", flush=True)


TABLES = {"usps": usps, "mnist": mnist, "solvers": solvers}


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of usps.npz and mnist_5k2k.npz")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    arguments = parser.parse_args()
    for name in arguments.only:
        TABLES[name](arguments.folder, arguments.seeds)


if __name__ == "__main__":
    main()
