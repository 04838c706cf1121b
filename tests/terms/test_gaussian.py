"""Weight decay: which parameters get which coefficient."""

import numpy as np
import pytest

from cases import network
from fastmlp import WeightDecay

NET = network([2, 3, 2])
ARCHITECTURE = NET._architecture


def by_group(penalty):
    diagonal = penalty.diagonal(ARCHITECTURE)
    return {name: diagonal[s].tolist() for name, s in NET.groups.items()}


def test_one_number_or_one_for_each_layer():
    assert by_group(WeightDecay(0.5)) == {"W1": [0.5] * 6, "b1": [0] * 3, "W2": [0.5] * 6, "b2": [0] * 2}
    expected = {"W1": [1.0] * 6, "b1": [0.1] * 3, "W2": [2.0] * 6, "b2": [0.1] * 2}
    assert by_group(WeightDecay([1.0, 2.0], biases=0.1)) == expected
    assert by_group(WeightDecay(np.array([1.0, 2.0]), biases=(0.1, 0.1))) == expected


def test_groups_by_name_columns_and_rows():
    assert by_group(WeightDecay({"W1": 0.3, "b2": 0.2})) == {
        "W1": [0.3] * 6,
        "b1": [0] * 3,
        "W2": [0] * 6,
        "b2": [0.2] * 2,
    }
    assert by_group(WeightDecay({"W1[:,0]": 1.0}))["W1"] == [1, 0, 1, 0, 1, 0]
    assert by_group(WeightDecay({"W2[1, :]": 1.0}))["W2"] == [0, 0, 0, 1, 1, 1]
    assert by_group(WeightDecay({"W2[1,2]": 1.0}))["W2"] == [0, 0, 0, 0, 0, 1]


def test_penalties_add_up():
    total = WeightDecay(0.5) + WeightDecay({"W1": 0.25}) + WeightDecay(biases=1.0)
    assert by_group(total) == {"W1": [0.75] * 6, "b1": [1] * 3, "W2": [0.5] * 6, "b2": [1] * 2}
    with pytest.raises(TypeError):
        WeightDecay(0.5) + 1


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"W3": 1.0}, "expected a group among W1, b1, W2, b2"),
        ({"W1[:,2]": 1.0}, "an index below 2"),
        ({"W1[-1,:]": 1.0}, "an index below 3"),
        ({"b1[0,:]": 1.0}, "expected one index of b1"),
        ([1.0, 2.0, 3.0], "one for each of 2 layers"),
    ],
)
def test_what_the_network_does_not_have_is_refused_on_use(weights, message):
    with pytest.raises(ValueError, match=message):
        WeightDecay(weights).diagonal(ARCHITECTURE)


@pytest.mark.parametrize("weights", [-1.0, [0.1, -0.2], {"W1": -1.0}, {"weights": 1.0}, float("nan"), {"W1": np.inf}])
def test_wrong_coefficients_are_refused_at_once(weights):
    with pytest.raises(ValueError, match="weights"):
        WeightDecay(weights)


def test_a_dict_names_its_biases_itself():
    with pytest.raises(ValueError, match="biases: expected none beside a dict"):
        WeightDecay({"W1": 1.0}, biases=0.5)
