"""Small models of tables, and rows to judge them by."""

import functools

import numpy as np

import fastmlp
from fastmlp.tables.columns import Column, Schema
from fastmlp.tables.model import TableModel

COLOURS = ("blue", "green", "red")
SCHEMA = Schema(
    (
        Column("speed", "number"),
        Column("place", "constant", ("Delft",)),
        Column("<script>alert(1)</script>", "category", COLOURS),
        Column("width & depth", "number"),
    ),
    Column("pr<i>ce", "number"),
)


def rows(n, seed=0):
    """Inputs of that schema and targets: speed^2, a level of each colour, no width."""
    rng = np.random.default_rng(seed)
    colour = rng.integers(0, 3, n)
    X = np.column_stack([rng.normal(size=n), colour[:, None] == np.arange(3), rng.normal(5, 2, n)]).astype(float)
    return X, X[:, 0] ** 2 + np.array([0.0, 1.0, 3.0])[colour] + 0.1 * rng.normal(size=n)


@functools.cache
def of_numbers(notes=("told <b>twice</b>",)):
    """A model with a posterior, its training rows, and rows kept back."""
    train, held = rows(80), rows(40, 1)
    posterior = fastmlp.fit_evidence(fastmlp.Network([5, 4, 1], rng=0), *train)
    settings = {"file": "a<b>.csv", "seed": 0}
    schema = SCHEMA.measured(*train)
    return TableModel(schema, posterior.network, posterior, posterior.noise_std[0], settings, notes), train, held


@functools.cache
def of_classes(n_classes=3):
    """Likewise of classes, which are told by two numbers, without a posterior."""
    schema = Schema(
        (Column("a", "number"), Column("b", "number")),
        Column("kind", "category", tuple(f"class {k} & <more>" for k in range(n_classes))),
    )
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40 * n_classes, 2))
    labels = np.argsort(np.argsort(X[:, 0] + 0.3 * rng.normal(size=len(X)))) // 40
    net = fastmlp.Network([2, 4, n_classes], output="softmax", rng=0)
    net.fit(X[::2], labels[::2], penalty=fastmlp.WeightDecay(weights=0.1), max_iter=200)
    return TableModel(schema, net, None, None, {}), (X[::2], labels[::2]), (X[1::2], labels[1::2])


def linear(weights, schema, noise=1.0):
    """A model without hidden units, these weights by coded column."""
    net = fastmlp.Network([len(weights), 1])
    net.params = [*weights, 0.0]
    return TableModel(schema, net, None, noise, {})
