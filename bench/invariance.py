"""What tangents, augmentation and blurred inputs gain on handwritten digits (USPS), and what they cost.

    python bench/invariance.py ../shared/data/digits/usps.npz

The file holds X_train (7291, 16, 16), y_train, X_test (2007, 16, 16), y_test; pixels from -1000 to 1000. Epochs are
timed turn by turn, in processor time; FASTMLP_NUM_THREADS=1 keeps drawing on one thread too.
"""

import argparse
import os
import time

import numpy as np
from scipy.ndimage import gaussian_filter

import fastmlp
from fastmlp.invariance import Elastic, RandomAffine, augmented, tangents
from report import number
from timing import interleave

AFFINE = RandomAffine(shift=1, rotation=10, scale=0.1, shear=0.15)
ELASTIC = RandomAffine(shift=0.7, rotation=8, scale=0.1, shear=0.1) + Elastic(alpha=12, sigma=3)
DECAY = fastmlp.WeightDecay(0.1)
CHANGES = {"plain": None, "affine": AFFINE, "affine and elastic": ELASTIC}
KINDS = ("shift", "rotation", "scale", "shear")
FEW = {  # what is done about 320 rows, or 100
    "plain": {},
    "tangents of logits": {"strength": 0.03},
    "tangents of outputs": {"strength": 0.03, "of": "outputs"},
    "blurred": {"blur": True},
    "blurred, tangents of logits": {"blur": True, "strength": 0.03},
    "blurred, tangents of outputs": {"blur": True, "strength": 0.03, "of": "outputs"},
    "12 augmented copies": {"copies": 12},
    "20 augmented copies": {"copies": 20},
    "40 augmented copies": {"copies": 40},
}


def load(path):
    """Training and test images with pixels from 0 (paper) to 1 (ink), and labels."""
    with np.load(path) as data:
        train, test = (((data[f"X_{part}"] / 1000 + 1) / 2).astype(np.float32) for part in ("train", "test"))
        return train, data["y_train"], test, data["y_test"]


def balanced(labels, n, rng):
    """So many rows, as many of each digit."""
    return np.concatenate([rng.choice(np.flatnonzero(labels == digit), n // 10, replace=False) for digit in range(10)])


def blurred(images):
    """Smoothed by a Gaussian of one pixel."""
    return gaussian_filter(images, (0, 1, 1), mode="constant")


def flat(images):
    """Images as rows."""
    return images.reshape(len(images), -1)


def few(data, n, seed, *, copies=0, blur=False, strength=0.0, of="logits"):
    """Error of 256-30-10, trained by L-BFGS on n rows, in percent."""
    X, T, test, truth = data
    rows = balanced(T, n, np.random.default_rng(0))
    X, T, weight, penalty = X[rows], T[rows], None, DECAY
    if copies:
        X, T, weight = augmented(X, T, AFFINE, copies, rng=seed)
    X, test = (blurred(X), blurred(test)) if blur else (X, test)
    if strength:
        tau = tangents(flat(X), X.shape[1:], KINDS, sigma=0.5 if blur else 0.9)
        penalty = penalty + fastmlp.TangentPropagation(tau, strength, of=of)
    net = fastmlp.Network([256, 30, 10], output="softmax", dtype="float32", rng=seed)
    net.fit(flat(X), T, "lbfgs", penalty=penalty, sample_weight=weight, max_iter=200)
    return 100 * np.mean(net(flat(test)).argmax(axis=1) != truth)


def many(data, seed, augment, epochs):
    """Error of 256-40-10, trained by Adam on all rows, in percent."""
    X, T, test, truth = data
    net = fastmlp.Network([256, 40, 10], output="softmax", dtype="float32", rng=seed)
    rate = fastmlp.schedules.cosine_decay(0.003, epochs)
    net.fit(flat(X), T, "adam", augment=augment, max_iter=epochs, learning_rate=rate, rng=seed)
    return 100 * np.mean(net(flat(test)).argmax(axis=1) != truth)


def epoch(data, dtype, augment):
    """Job of an epoch of Adam of 256-40-10 on all rows, minibatches as usual, on one thread."""
    X, T = flat(data[0]).astype(dtype), data[1]

    def job(n):
        net = fastmlp.Network([256, 40, 10], output="softmax", dtype=dtype, rng=0)
        net.fit(X, T, "adam", augment=augment, max_iter=1 + n, rng=0, n_threads=1)

    return job


def show_epochs(data, seconds):
    """Lines: epochs with changes, in epochs without; and what drawing takes for an image."""
    for dtype in ("float32", "float64"):
        jobs = {name: epoch(data, dtype, change) for name, change in CHANGES.items()}
        times = {name: timing.minimum for name, timing in interleave(jobs, seconds).items()}
        for name, time_of in times.items():
            each = 1e6 * (time_of - times["plain"]) / len(data[0])
            ratio = number(time_of / times["plain"])
            print(f"an epoch, {dtype}, {name:20} {1e3 * time_of:6.1f} ms, {ratio} plain, {number(each)} us an image")
    print("load", *(f"{load:.1f}" for load in os.getloadavg()))


def show(name, function, seeds):
    """A line: mean and spread of the errors, and the time of a training."""
    started = time.process_time()
    errors = [function(seed) for seed in range(seeds)]
    seconds = (time.process_time() - started) / seeds
    print(f"{name:44} {np.mean(errors):6.2f} +- {np.std(errors):4.2f} %   {seconds:7.2f} s", flush=True)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="usps.npz")
    parser.add_argument("--seeds", type=int, default=5, help="0: epochs only")
    parser.add_argument("--seconds", type=float, default=20.0, help="for the epochs of a number type")
    arguments = parser.parse_args()
    data = load(arguments.path)
    show_epochs(data, arguments.seconds)
    if not arguments.seeds:
        return
    for n in (320, 100):
        for name, options in FEW.items():
            show(f"{n} rows, L-BFGS, {name}", lambda seed, n=n, o=options: few(data, n, seed, **o), arguments.seeds)
    for name, augment in CHANGES.items():
        for epochs in (25, 100):
            show(f"7291 rows, Adam, {epochs} epochs, {name}", lambda seed, a=augment, e=epochs: many(data, seed, a, e),
                 arguments.seeds)  # fmt: skip


if __name__ == "__main__":
    main()
