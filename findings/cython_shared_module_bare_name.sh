#!/usr/bin/env bash
# Cython 3.3.1: a package's shared utility module enters sys.modules by its bare name too, where a user's module may be meant.
#
# `cython --generate-shared=shop/views.c` makes what all modules of `shop` have in common for memoryviews. Once any of
# them is imported, `import views` anywhere in the process gives shop's compiled module, and never looks for a file.
# Guessed before the run: only `shop.views` is listed, as for any other compiled module (`lines` is not listed).
# Seen: sys.modules has `views` and `shop.views`, the same module; the user's views.py is not imported.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet 'cython==3.3.1' 'setuptools==80.9.0'
mkdir shop
touch shop/__init__.py
cat >shop/lines.pyx <<'PROGRAM'
def total(double[::1] prices):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(prices.shape[0]):
        result += prices[i]
    return result
PROGRAM
cat >setup.py <<'PROGRAM'
from setuptools import Extension, setup

setup(name="shop", ext_modules=[Extension(f"shop.{name}", [f"shop/{name}.c"]) for name in ("lines", "views")])
PROGRAM
env/bin/cython -3 --generate-shared=shop/views.c
env/bin/cython -3 --shared=shop.views shop/lines.pyx
env/bin/python setup.py --quiet build_ext --inplace
echo 'PAGES = ["home"]' >views.py
cat >program.py <<'PROGRAM'
import sys
from array import array

import shop.lines

assert shop.lines.total(array("d", [1, 2])) == 3
print("listed:", sorted(name for name in sys.modules if name.split(".")[-1] in ("views", "lines")))
import views

print("import views gives", views.__name__, "with PAGES:", hasattr(views, "PAGES"))
assert views is sys.modules["shop.views"]
assert "lines" not in sys.modules
PROGRAM
env/bin/python program.py
