"""What fuzzing has found, and files and calls of each kind to begin with; `__main__.py` says how to fuzz."""

import random
from pathlib import Path

import numpy as np
import pytest

from cases import RESUMABLE
from fuzz import calls, files

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted((CORPUS / "load").iterdir())
CALLS = sorted((CORPUS / "calls").iterdir())


def changed(content, size):
    """Some bytes changed, without any plan."""
    content = bytearray(content or b"\0")
    for _ in range(random.randrange(1, 4)):
        content[random.randrange(len(content))] = random.choice((0, 255, random.randrange(256)))
    return bytes(content[:size])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files(path):
    files.run(path.read_bytes())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_of_the_same_kind(path):
    random.seed(path.name)
    content = path.read_bytes()
    for seed in range(100):
        files.run(files.mutated(content, 16384, seed, changed))


@pytest.mark.parametrize("path", CALLS, ids=lambda path: path.name)
def test_calls(path):
    calls.run(path.read_bytes())


@pytest.mark.parametrize("name", calls.CALLS)
def test_calls_of_the_same_kind(name):
    first = list(calls.CALLS).index(name)
    for seed in range(30):
        rng = np.random.default_rng([first, seed])
        hostile = rng.random(64) < 0.2  # what is drawn seldom, more often
        calls.run(bytes([first]) + np.where(hostile, 255, rng.integers(256, size=64)).astype(np.uint8).tobytes())


def test_every_method_of_ours_is_called():
    assert set(calls.METHODS) >= {"auto", *RESUMABLE}
