"""Target `load`: a network or posterior that saves and loads as itself, or a ModelFormatError, in little memory."""

import contextlib
import json
import random
import tempfile
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

import fastmlp
import fastmlp.bayes.posterior_files  # whose import takes more memory than a file may
from model_files import archive, seal

MEMORY_FILES = Path("/dev/shm")  # where waiting for the disk takes no time
folder = tempfile.TemporaryDirectory(dir=MEMORY_FILES if MEMORY_FILES.is_dir() else None)
PATH = Path(folder.name) / "net"

VALUES = (None, True, -1, 0, 1, 2, 3, 2**31, 2**63, 1e300, float("nan"), "", "tanh", "softmax", "float32", "1", [], {})


def run(content):
    """Load the file as it is, and with its checksum made right, so that what lies behind that is reached."""
    for each in (content, seal(content)):
        PATH.write_bytes(each)
        with little_memory(1_000_000 + 30 * len(each)):
            net = loaded()
        if net is not None:
            same(net)


def loaded():
    """The network, or None of a file that is none."""
    try:
        return fastmlp.load(PATH)
    except fastmlp.ModelFormatError as error:
        assert "expected" in str(error)  # noqa: PT017 - the form of all complaints
        return None


@contextlib.contextmanager
def little_memory(limit):
    """At most so many bytes at any time; tracing goes on if it was on, since turning it on and off loses memory."""
    if already := tracemalloc.is_tracing():
        tracemalloc.reset_peak()
    else:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield
        taken = tracemalloc.get_traced_memory()[1] - before
        assert taken < limit, f"{taken} bytes of memory, where {limit} are much"
    finally:
        if not already:
            tracemalloc.stop()


def same(found):
    """Saved and loaded again it is the same, and computes the same, if anything."""
    found.save(PATH)
    again = fastmlp.load(PATH)
    if not isinstance(found, fastmlp.Network):
        assert type(again) is type(found)
        net = getattr(found, "members", [found])[0].network
    else:
        net = found
        assert again == net
        assert again.units == net.units
    rows = np.zeros((2, net.layers[0]))
    assert np.array_equal(again.predict(rows), found.predict(rows), equal_nan=True)


def members(content):
    """Names and contents of what an archive holds, as far as it can be read."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as opened:
            return [(name, opened.read(name)) for name in opened.namelist()]
    except Exception:  # whatever: there is no archive
        return []


def mutated(content, max_size, seed, mutate):
    """A file of the same kind: one of its members changed, its JSON item by item, or its bytes; the checksum is right.

    `mutate` changes bytes, at random or by what is known to reach more of the code.
    """
    rng = random.Random(seed)
    parts = members(content)
    if not parts or rng.random() < 0.2:
        return seal(mutate(content, max_size))
    place = rng.randrange(len(parts))
    name, inner = parts[place]
    choice = rng.random()
    if choice < 0.1:
        parts.insert(rng.randrange(len(parts) + 1), parts.pop(place))
    elif choice < 0.2:
        parts[place] = (rng.choice(["manifest.json", "params.npy", "units.npy", "../x"]), inner)
    elif choice < 0.6 and name.endswith("json"):
        parts[place] = (name, edited(inner, rng))
    else:
        parts[place] = (name, mutate(inner, max_size // 2))
    return archive(*parts)[:max_size]


def edited(text, rng):
    """JSON with another value somewhere; as it is, if it is none."""
    try:
        whole = json.loads(text)
        where, found = whole, []
        while isinstance(where, (dict, list)) and where:
            key = rng.choice(list(where) if isinstance(where, dict) else range(len(where)))
            found.append((where, key))
            where = where[key]
        where, key = rng.choice(found)
        where[key] = rng.choice(VALUES)
        return json.dumps(whole).encode()
    except (ValueError, RecursionError, IndexError):
        return text
