"""Write the bridge from the tables of kernels to Cython: one function of a fused type for each kernel.

    python src_c/bridge.py

The kernels are those of ops.tmpl.h, each of its parts a file of `fastmlp/_core/bridge`. Cython has no way to give a C
function a fused type, so that each kernel has to be written out: as a member of both tables, and as a function that
chooses between them. It translates all functions of a file that is cimported, used or not: hence several files.
"""

import keyword
import re
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
LIST = HERE / "ops.tmpl.h"
FOLDER = HERE.parent / "fastmlp" / "_core" / "bridge"
PART = re.compile(r"/\* ==== (\w+): ")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
KERNEL = re.compile(r"KERNEL\((\w+), (\w+), \((.*?)\)\)")
ARGUMENT = re.compile(r"(.*\W)(\w+)")  # type and name
TABLE = ("const void *", "ops")
WIDTH = 120
UNBREAKABLE = "\N{NO-BREAK SPACE}"

FILE = """\
# {part} of src_c/ops.tmpl.h, which documents them, as functions of a fused type; `ops` is the table of an
# instruction set and of the type at hand (kernels.pxd). Made by src_c/bridge.py: do not edit.

from cython cimport floating
{window}

cdef extern from "fmlp.h" nogil:
    ctypedef struct fmlp_ops_f32:
{single}

    ctypedef struct fmlp_ops_f64:
{double}


{functions}"""
WINDOW = """
from fastmlp._core.bridge.kernels cimport fmlp_window
"""
FUNCTION = """\
{declared}
    if floating is float:
{single}
    else:
{double}
"""


def parts():
    """Yield the name of each part of the list, and its kernels: result, name, arguments as pairs of type and name."""
    _, *pieces = PART.split(LIST.read_text(encoding="ascii"))
    for part, text in zip(pieces[::2], pieces[1::2], strict=True):
        listed = KERNEL.findall(" ".join(COMMENT.sub("", f"/* {text}").split()))
        yield part, [(result, name, list(in_cython(arguments))) for result, name, arguments in listed]


def in_cython(arguments):
    """Yield types and names: arrays of Python's side are of Py_ssize_t, and none of its keywords can be a name."""
    for each in arguments.split(", "):
        kind, name = ARGUMENT.fullmatch(each).groups()
        yield kind.replace("ptrdiff_t", "Py_ssize_t"), f"{name}_" if keyword.iskeyword(name) else name


def wrapped(line):
    """Break a line between the arguments in its last pair of parentheses, and align them."""
    text = line.replace(" ", UNBREAKABLE).replace(f",{UNBREAKABLE}", ", ")
    indent = " " * (line.rindex("(") + 1)
    return textwrap.fill(text, WIDTH, subsequent_indent=indent).replace(UNBREAKABLE, " ")


def declared(start, arguments, real, end=""):
    """Write a declaration from its start to its end, for that type in place of `real`."""
    listed = ", ".join(kind + name for kind, name in arguments)
    return wrapped(re.sub(r"\breal\b", real, f"{start}({listed}) noexcept nogil{end}"))


def member(result, name, arguments, real):
    """Write what the table of that type has for a kernel."""
    return declared(f"        {result} {name}", arguments, real)


def function(result, name, arguments):
    """Write the function of a fused type that calls the kernel of the table at hand."""
    start = f"        {'' if result == 'void' else 'return '}(<const fmlp_ops_{{}} *> ops).{name}"
    values = ", ".join(name for _, name in arguments)
    return FUNCTION.format(
        declared=declared(f"cdef inline {result} {name}", [TABLE, *arguments], "floating", ":"),
        single=wrapped(f"{start.format('f32')}({values})"),
        double=wrapped(f"{start.format('f64')}({values})"),
    )


def bridge(part, listed):
    """Write the file of that part."""
    windows = any("fmlp_window" in kind for *_, arguments in listed for kind, _ in arguments)
    return FILE.format(
        part=part,
        window=WINDOW if windows else "",
        single="\n".join(member(*kernel, "float") for kernel in listed),
        double="\n".join(member(*kernel, "double") for kernel in listed),
        functions="\n\n".join(function(*kernel) for kernel in listed),
    )


if __name__ == "__main__":
    for part, listed in parts():
        (FOLDER / f"{part}.pxd").write_text(bridge(part, listed), encoding="utf-8")
