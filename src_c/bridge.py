"""Print kernels.pxd: the tables of kernels as Cython sees them, and one function of a fused type for each kernel.

    python bridge.py > ../fastmlp/_core/bridge/kernels.pxd

The kernels are those of ops.tmpl.h. Cython has no way to give a C function a fused type, so that each kernel has to be
written out: as a member of both tables, and as a function that chooses between them.
"""

import keyword
import re
import textwrap
from pathlib import Path

LIST = Path(__file__).parent / "ops.tmpl.h"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
KERNEL = re.compile(r"KERNEL\((\w+), (\w+), \((.*?)\)\)")
ARGUMENT = re.compile(r"(.*\W)(\w+)")  # type and name
TABLE = ("const void *", "ops")
WIDTH = 120
UNBREAKABLE = "\N{NO-BREAK SPACE}"

FILE = """\
# The dtype bridge: the C tables of src_c seen as functions of a fused type. Made by src_c/bridge.py: do not edit.
#
# Each function here is one kernel of the list (src_c/ops.tmpl.h documents it); `ops` points to the table of the
# chosen instruction set and of the type at hand. Above, functions are written once for both types; only entry points
# that Python calls look which one it is.

from cython cimport floating


cdef extern from "fmlp.h" nogil:
    enum:
        FMLP_PAD
        FMLP_PANEL
        FMLP_N_ACTIVATIONS
        FMLP_N_LOSSES
        FMLP_ACTIVATION_identity
        FMLP_LOSS_squared_error
    ctypedef struct fmlp_window:
        pass
    size_t fmlp_conv_room(const fmlp_window *window)
    const char *fmlp_activation_names[]
    const char *fmlp_loss_names[]
    const char *fmlp_loss_outputs[]

    ctypedef struct fmlp_ops_f32:
        size_t lanes
{single}

    ctypedef struct fmlp_ops_f64:
        size_t lanes
{double}

    ctypedef struct fmlp_isa:
        const char *name
        int usable() noexcept nogil
        const fmlp_ops_f32 *f32
        const fmlp_ops_f64 *f64
    const fmlp_isa fmlp_isas[]
    const int fmlp_n_isas


cdef inline size_t lanes(const void *ops, int itemsize) noexcept nogil:
    \"""Samples in one vector register.\"""
    return (<const fmlp_ops_f32 *> ops).lanes if itemsize == 4 else (<const fmlp_ops_f64 *> ops).lanes


# The table of an instruction set for float (itemsize 4) or double (8).
cdef const void *table(int isa, int itemsize) noexcept nogil


{functions}"""
FUNCTION = """\
{declared}
    if floating is float:
{single}
    else:
{double}
"""


def kernels():
    """Yield result, name, and arguments as pairs of type and name, of each kernel in the list."""
    text = " ".join(COMMENT.sub("", LIST.read_text(encoding="ascii")).split())
    for result, name, arguments in KERNEL.findall(text):
        yield result, name, [in_cython(*ARGUMENT.fullmatch(each).groups()) for each in arguments.split(", ")]


def in_cython(kind, name):
    """Translate an argument: arrays of Python's side are of Py_ssize_t, and none of its keywords can be a name."""
    return kind.replace("ptrdiff_t", "Py_ssize_t"), f"{name}_" if keyword.iskeyword(name) else name


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


def bridge():
    """Write the whole file."""
    listed = list(kernels())
    return FILE.format(
        single="\n".join(member(*kernel, "float") for kernel in listed),
        double="\n".join(member(*kernel, "double") for kernel in listed),
        functions="\n\n".join(function(*kernel) for kernel in listed),
    )


if __name__ == "__main__":
    print(bridge(), end="")
