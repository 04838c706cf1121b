"""Numbers in C99: literals that are read as the same bits, and h and h' of the activations.

Compilers may use vector instructions for loops over `exp` and `tanh` only if they see what these do; so those are
here, as few lines, right to about an ulp. What is rarer comes from math.h.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from string import Template
from typing import NamedTuple

import numpy as np

from fastmlp._types import Array

PER_LINE = 6

#: by type: what C calls it, the ending of its literals and functions, its bytes, the integers that have its bits, how
#: many of these are mantissa, the exponent of 1, the smallest x of e^x, ln 2 in two parts, of which the first has zeros
#: at its end, the terms of Taylor's series
TYPES: dict[str, dict[str, str | int]] = {
    "float32": {
        "real": "float", "f": "f", "bits": "uint32_t", "size": 4, "mantissa": 23, "bias": 127, "lowest": "-87.0f",
        "ln2_high": "0x1.62e4p-1f", "ln2_low": "0x1.7f7d1cp-20f", "terms": 7,
    },
    "float64": {
        "real": "double", "f": "", "bits": "uint64_t", "size": 8, "mantissa": 52, "bias": 1023, "lowest": "-708.0",
        "ln2_high": "0x1.62e42feep-1", "ln2_low": "0x1.a39ef35793c76p-33", "terms": 13,
    },
}  # fmt: skip


def literal(value: float, dtype: str) -> str:
    """A number of this type, in hexadecimal digits, as `float.hex`; without zeros at the end."""
    mantissa, _, exponent = float(value).hex().partition("p")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}p{exponent}{TYPES[dtype]['f']}"


def rounded(value: float, dtype: str) -> str:
    """The literal of the number of this type that is nearest."""
    return literal(float(np.dtype(dtype).type(value)), dtype)


def array(name: str, values: Array, dtype: str) -> str:
    """A constant array of these numbers, row by row."""
    with np.errstate(over="ignore"):
        typed = np.asarray(values, dtype).ravel()
    if not np.isfinite(typed).all():
        size = np.abs(values).max()
        raise ValueError(f"dtype: expected a type that holds all constants, got {dtype}, and {name} of {size:.3g}")
    numbers = [literal(each, dtype) for each in typed]
    lines = [", ".join(numbers[at : at + PER_LINE]) for at in range(0, len(numbers), PER_LINE)]
    joined = ",\n    ".join(lines)
    return f"static const {TYPES[dtype]['real']} {name}[{len(numbers)}] = {{\n    {joined}}};\n"


def integers(name: str, values: Array) -> str:
    """Likewise, of 32 bits."""
    joined = ", ".join(map(str, np.asarray(values).ravel().tolist()))
    lines = "\n    ".join(textwrap.wrap(joined, 100))
    return f"static const int32_t {name}[{values.size}] = {{\n    {lines}}};\n"


def quoted(text: str) -> str:
    """The characters of a string, all of them printable ASCII, and none that a comment or a trigraph takes amiss."""
    plain = (chr(each) if 32 <= each < 127 and chr(each) not in '"\\?*' else f"\\{each:03o}" for each in text.encode())
    return f'"{"".join(plain)}"'


def strings(name: str, values: tuple[str, ...]) -> str:
    """An array of strings, which other files see."""
    joined = ",\n    ".join(map(quoted, values))
    return f"const char *const {name}[{len(values)}] = {{\n    {joined}}};\n"


class Function(NamedTuple):
    """A function of one number, and the others that it calls."""

    text: str
    calls: tuple[str, ...] = ()


def _of_z(body: str, *calls: str) -> Function:
    """`body` tells the result at z; nan stays nan."""
    lines = "\n".join(f"    {line.strip()}" for line in body.strip().splitlines())
    return Function(f"static inline $real ${{net}}_$name($real z)\n{{\n{lines}\n}}\n", calls)


FUNCTIONS = {
    "reduced": Function("""\
/* x <= 0 as n ln 2 + r with |r| <= ln(2) / 2: returns e^r - 1, by Taylor's series, and 2^n, by its bits */
static inline $real ${net}_reduced($real x, $real *power)
{
    union { $real value; $bits bits; } two;
    const $real within = x < $lowest ? $lowest : x; /* nan stays */
    const int n = (int)((x > $lowest ? x : $lowest) * 0x1.715476p+0$f - 0.5$f);
    const $real r = (within - ($real)n * $ln2_high) - ($real)n * $ln2_low;
    two.bits = ($bits)(n + $bias) << $mantissa;
    *power = two.value;
    return r + r * r * ($series);
}
"""),
    "decay": Function("""\
/* e^x for x <= 0 */
static inline $real ${net}_decay($real x)
{
    $real power, rest = ${net}_reduced(x, &power);
    return power + power * rest;
}
""", ("reduced",)),
    "decay_less_1": Function("""\
/* e^x - 1 for x <= 0 */
static inline $real ${net}_decay_less_1($real x)
{
    $real power, rest = ${net}_reduced(x, &power);
    return (power - 1.0$f) + power * rest;
}
""", ("reduced",)),
    "tanh": _of_z("""\
        const $real t = ${net}_decay_less_1(-2.0$f * fabs$f(z));
        return copysign$f(t / (2.0$f + t), z);""", "decay_less_1"),
    "tanh_slope": _of_z("""\
        const $real e = ${net}_decay(-2.0$f * fabs$f(z));
        return 4.0$f * e / ((1.0$f + e) * (1.0$f + e));""", "decay"),
    "logistic": _of_z("""\
        const $real e = ${net}_decay(-fabs$f(z));
        return (z < 0.0$f ? e : 1.0$f) / (1.0$f + e);""", "decay"),
    "logistic_slope": _of_z("""\
        const $real e = ${net}_decay(-fabs$f(z));
        return e / ((1.0$f + e) * (1.0$f + e));""", "decay"),
    "relu": _of_z("return z < 0.0$f ? 0.0$f : z;"),
    "relu_slope": _of_z("return z > 0.0$f ? 1.0$f : z < 0.0$f ? 0.0$f : z;"),
    "leaky_relu": _of_z("return z > 0.0$f ? z : 0.01$f * z;"),
    "leaky_relu_slope": _of_z("return z > 0.0$f ? 1.0$f : z <= 0.0$f ? 0.01$f : z;"),
    "softplus": _of_z("return (z < 0.0$f ? 0.0$f : z) + log1p$f(${net}_decay(-fabs$f(z)));", "decay"),
    "softplus_slope": _of_z("return ${net}_logistic(z);", "logistic"),
    "elu": _of_z("return z < 0.0$f ? ${net}_decay_less_1(z < 0.0$f ? z : 0.0$f) : z;", "decay_less_1"),
    "elu_slope": _of_z("return ${net}_decay(z < 0.0$f ? z : 0.0$f);", "decay"),
    "silu": _of_z("return z * ${net}_logistic(z);", "logistic"),
    "silu_slope": _of_z("return ${net}_logistic(z) * (1.0$f + z * ${net}_logistic(-z));", "logistic"),
    "gelu": _of_z("return 0.5$f * z * erfc$f(-z * $root_half);"),
    "gelu_slope": _of_z("""\
        return 0.5$f * erfc$f(-z * $root_half) + z * $normal * exp$f(-0.5$f * z * z);"""),
    "sin": _of_z("return sin$f(z);"),
    "sin_slope": _of_z("return cos$f(z);"),
    "exp": _of_z("return exp$f(z);"),
    "exp_slope": _of_z("return exp$f(z);"),
}  # fmt: skip


def functions(names: list[str], net: str, dtype: str) -> str:
    """The text of these functions, and before each of them what it calls."""
    root_half, normal = (rounded(each, dtype) for each in (math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)))
    constants = {"root_half": root_half, "normal": normal, "series": _series(dtype)}
    texts = [
        Template(FUNCTIONS[name].text).substitute(TYPES[dtype], net=net, name=name, **constants)
        for name in dict.fromkeys(each for name in names for each in _with_callees(name))
    ]
    return "\n".join(texts)


def _with_callees(name: str) -> Iterator[str]:
    for each in FUNCTIONS[name].calls:
        yield from _with_callees(each)
    yield name


def _series(dtype: str) -> str:
    """The sum over n >= 2 of r^(n - 2) / n!, after Horner."""
    n = int(TYPES[dtype]["terms"])
    text = rounded(1 / math.factorial(n), dtype)
    for k in range(n - 1, 1, -1):
        text = f"{rounded(1 / math.factorial(k), dtype)} + r * ({text})"
    return text
