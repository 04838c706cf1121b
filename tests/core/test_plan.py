"""The rules for blocks, slots and threads depend on the samples and the network only."""

import pytest

import fastmlp
from cases import network, plan

SAMPLES = [0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500, 1000, 4097, 100_000]


def parts(layers, n):
    return network(layers)._architecture.plan.describe(n)


@pytest.mark.parametrize("layers", [[1, 1], [8, 50, 50, 1], [784, 256, 10]])
@pytest.mark.parametrize("n", SAMPLES)
def test_slots_cover_all_samples_once(layers, n):
    p = parts(layers, n)
    assert 1 <= p["n_slots"] <= 64
    assert p["n_slots"] * p["rows"] >= n
    assert (p["n_slots"] - 1) * p["rows"] < max(n, 1)
    assert p["block"] <= min(128, p["rows"])
    assert p["ld"] % 16 == 0
    assert p["ld"] >= p["block"]


def test_small_work_is_one_slot():
    assert parts([1, 3, 1], 100)["n_slots"] == 1


@pytest.mark.parametrize(
    ("layers", "n", "n_slots", "rows"),
    [
        ([8, 50, 50, 1], 128, 1, 128),
        ([8, 50, 50, 1], 200, 3, 67),
        ([8, 50, 50, 1], 100_000, 61, 1664),
        ([784, 256, 10], 128, 1, 128),
        ([784, 256, 10], 300, 2, 150),
        ([784, 256, 10], 5000, 10, 512),
    ],
)
def test_slots_are_small_shares_for_small_networks_and_large_ones_for_large(layers, n, n_slots, rows):
    p = parts(layers, n)
    assert (p["n_slots"], p["rows"]) == (n_slots, rows)


@pytest.mark.parametrize("layers", [[8, 50, 50, 1], [10, 256, 10], [784, 256, 10]])
def test_more_samples_never_have_fewer_slots(layers):
    slots = [parts(layers, n)["n_slots"] for n in range(1, 700)]
    assert slots == sorted(slots)


def test_partial_gradients_stay_below_the_limit():
    net = network([1000, 2000, 10])
    n_slots = net._architecture.plan.describe(10**6)["n_slots"]
    assert n_slots * net.n_params <= max(2**24, 4 * net.n_params)


def test_wide_layers_get_smaller_blocks():
    assert parts([10, 255, 1], 10_000)["block"] == 128
    assert parts([10, 256, 1], 10_000)["block"] == 64
    assert parts([784, 256, 10], 10_000)["block"] == 128  # the parameters leave the caches themselves


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 10, 48, 49, 96, 97, 256, 1000])
@pytest.mark.parametrize("n", SAMPLES)
def test_strips_keep_a_layer_and_its_neighbour_near_or_are_as_narrow_as_tiles(width, n, dtype):
    net = network([3, width, 1], dtype=dtype)
    p, itemsize = net._architecture.plan.describe(n), net.dtype.itemsize
    assert min(n, 1) <= p["strip"] <= p["block"]
    if p["strip"] < p["block"]:  # no narrower than need be
        assert 2 * width * 2 * p["strip"] * itemsize > 24 << 10
        assert p["strip"] * itemsize >= 256
    assert p["strip"] * itemsize <= 256 or 2 * width * p["strip"] * itemsize <= 24 << 10


def test_an_unknown_instruction_set_is_refused():
    with pytest.raises(ValueError, match="FASTMLP_ISA"):
        plan([1, 1], "tanh", "squared_error", 8, isa="mmx")


@pytest.mark.parametrize(("channels", "block"), [(1, 64), (4, 64), (8, 32), (16, 16), (1000, 16)])
def test_wide_maps_get_smaller_blocks(channels, block):
    layers = [(1, 28, 28), fastmlp.Conv(channels, 5), fastmlp.AveragePool(2), 10]
    for n in (64, 1000):
        assert parts(layers, n)["block"] == min(block, parts(layers, n)["rows"])
