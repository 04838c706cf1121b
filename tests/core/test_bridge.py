"""The files of the dtype bridge are what `src_c/bridge.py` makes of the list of kernels."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bridge():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("bridge", ROOT / "src_c" / "bridge.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bridge_is_made_from_the_list_of_now(bridge):
    made = {path.stem: path.read_text(encoding="utf-8") for path in bridge.FOLDER.glob("*_ops.pxd")}
    assert made == {part: bridge.bridge(part, listed) for part, listed in bridge.parts()}, "python src_c/bridge.py"


def test_no_kernel_is_left_out(bridge):
    names = [name for _, listed in bridge.parts() for _, name, _ in listed]
    assert len(set(names)) == len(names) == bridge.LIST.read_text(encoding="utf-8").count("\nKERNEL(")


def test_every_kernel_has_the_arguments_of_the_list(bridge, tmp_path, monkeypatch):
    path = tmp_path / "ops.tmpl.h"
    path.write_text(
        "/* ==== some_ops: vectors,\n * of parameters ==== */\n"
        "/* y += lambda x; not KERNEL(void, gone, (int n)) */\n"
        "KERNEL(void, add, (size_t n, const ptrdiff_t *index, real lambda,\n"
        "                   const real *const *x, real *y))\n"
    )
    monkeypatch.setattr(bridge, "LIST", path)
    ((part, ((result, name, arguments),)),) = bridge.parts()
    assert (part, result, name) == ("some_ops", "void", "add")
    assert arguments[:2] == [("size_t ", "n"), ("const Py_ssize_t *", "index")]
    assert arguments[2:] == [("real ", "lambda_"), ("const real *const *", "x"), ("real *", "y")]


def test_lines_end_between_arguments(bridge):
    arguments = [(f"const real *const * {'x' * n}", str(n)) for n in range(1, 30)]
    lines = bridge.declared("    void f", arguments, "double").split("\n")
    assert all(len(line) <= bridge.WIDTH for line in lines)
    assert all(line.startswith(" " * len("    void f(") + "const double *const * x") for line in lines[1:])
    assert all(line.endswith(",") for line in lines[:-1])
