"""Which arguments of public calls something has reached: seen by the interpreter's own hook, not by what tables say."""

import contextlib
import inspect
import operator
import re
import sys

import fastmlp
from test_every_call import calls


def _functions():
    """What runs when a public call is made, and the names that the call has."""
    found = {}
    for name in calls():
        thing = operator.attrgetter(name)(fastmlp)
        function = inspect.unwrap(thing.__init__ if inspect.isclass(thing) else thing)
        if hasattr(function := getattr(function, "__func__", function), "__code__"):
            found.setdefault(function.__code__, []).append(name)
    return found


FUNCTIONS = _functions()


def reached(run, marks):
    """Pairs ("Network.fit", "X") of calls, made by `run`, whose argument was one of the marks, or held one of them.

    An error ends `run`, and is not its caller's.
    """
    pairs = set()

    def look(frame, event, _):
        if event == "call" and frame.f_code in FUNCTIONS:
            for argument, value in frame.f_locals.items():
                if any(each is mark for each in _parts(value) for mark in marks):
                    pairs.update((name, argument) for name in FUNCTIONS[frame.f_code])

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        with contextlib.suppress(Exception):
            run()
    finally:
        sys.setprofile(before)
    return pairs


def _parts(value):
    yield value
    if type(value) in (tuple, list):
        for each in value:
            yield from _parts(each)
    elif type(value) is dict:
        for each in value.values():
            yield from _parts(each)


def annotated(pattern):
    """Pairs of calls and arguments whose annotations say one of these words."""
    for name in calls():
        for argument, parameter in inspect.signature(operator.attrgetter(name)(fastmlp)).parameters.items():
            if re.search(pattern, str(parameter.annotation)):
                yield name, argument
