"""Properties that are computed once."""

import functools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import fastmlp
from fastmlp._cached import cached_property


class Counted:
    """A property that counts how often it is computed, and one that waits for company."""

    together = threading.Barrier(2, timeout=30)

    def __init__(self):
        self.computed = 0

    @cached_property
    def once(self):
        """What it is."""
        self.computed += 1
        return self.computed

    @cached_property
    def met(self):
        self.together.wait()
        return True


def test_it_is_computed_once_until_it_is_forgotten():
    thing = Counted()
    assert (thing.once, thing.once, thing.computed) == (1, 1, 1)
    del thing.once
    assert thing.once == 2


def test_it_is_a_property_of_functools_kind():
    assert isinstance(Counted.once, functools.cached_property)
    assert Counted.once.__doc__ == "What it is."


def test_threads_do_not_wait_for_those_that_are_inside():
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda thing: thing.met, (Counted(), Counted()))) == [True, True]


@pytest.mark.parametrize("path", sorted(Path(fastmlp.__file__).parent.rglob("*.py")), ids=lambda path: path.name)
def test_nothing_takes_the_one_with_a_lock(path):
    assert path.name == "_cached.py" or not re.search(r"functools.*\bcached_property", path.read_text())
