"""Tables that try each argument of every call have all: what annotations say is compared with what is reached."""

import pytest

import changing_calls
import changing_numbers
import test_integers
from changing import values
from given import annotated, reached

ARRAYS = r"ArrayLike|Precision\b|Chosen|Validation|Array \| None"
NAMED_ARRAYS = {"X", "T", "sample_weight", "y"}  # where an annotation says Any
INTEGERS = r"\bint\b(?!\])|Seed|Extent"
NUMBERS = r"\bfloat\b(?!\])"
NAMED_INTEGERS = {"n_threads", "layers", "shape", "input"}

NO_ARRAYS = {
    *((f"MLP{kind}.score", name) for kind in ("Regressor", "Classifier") for name in ("X", "y", "sample_weight")),
    # scikit-learn's, after `predict`
    ("Network.predict", "out"),  # has tests of its own beside the table
    ("plot.function", "X"), ("plot.function", "T"), ("plot.transformed", "X"),  # matplotlib's, or lists of them
}  # fmt: skip
NO_NUMBERS = {("MLPRegressor", "validation_fraction")}  # scikit-learn's
NO_INTEGERS = {("from_torch", "shape")}  # needs PyTorch


class Own(int):
    """A number that is no other one."""


def wanted(pattern, names):
    return {*annotated(pattern), *((call, argument) for call, argument in annotated(".") if argument in names)}


@pytest.mark.filterwarnings("ignore")
def test_every_array_is_one_that_changes_others():
    found = set()
    for call in changing_calls.CALLS.values():
        given = changing_calls.arguments_of(call, values(9, "float64"))
        found |= reached(lambda call=call, given=given: call(**given, dtype="float64"), list(given.values()))
    assert wanted(ARRAYS, NAMED_ARRAYS) - found == NO_ARRAYS


@pytest.mark.filterwarnings("ignore")
def test_every_number_is_one_that_changes_others():
    found, given = set(), values(9, "float64")
    for call, numbers in changing_numbers.CALLS.values():
        hooked = {name: changing_numbers.Real(value, None, id) for name, value in numbers.items()}
        found |= reached(lambda call=call, hooked=hooked: call(given["X"], given["T"], **hooked), list(hooked.values()))
    wanted_numbers = {pair for pair in wanted(NUMBERS, set()) if not pair[0].startswith("MLPClassifier")}
    assert wanted_numbers - found == NO_NUMBERS


@pytest.mark.filterwarnings("ignore")
def test_every_integer_is_tried_at_the_edges():
    n, found = Own(3), set()
    for call in test_integers.OPERATIONS.values():
        found |= reached(lambda call=call: call(n), [n])
    assert wanted(INTEGERS, NAMED_INTEGERS) - found == NO_INTEGERS
