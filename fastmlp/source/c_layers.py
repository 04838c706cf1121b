"""The products of layers in C99: z = B(W, b, a), and back g = B' d, each a function of its own for each layer."""

from __future__ import annotations

from string import Template
from typing import NamedTuple

from fastmlp._types import Array
from fastmlp.model.convolution import AveragePool, Conv, MaxPool
from fastmlp.model.layers import Dense, Layer
from fastmlp.source import c_numbers

KINDS = (Dense, Conv, AveragePool, MaxPool)
LANES = 8  # units from which on their sums are taken side by side; of fewer, so many parts of each sum


BACKWARD = "static void ${net}_$name$number(const $real *restrict a, const $real *restrict d, $real *restrict g)"


class Part(NamedTuple):
    """A layer of the network to be written."""

    layer: Layer
    number: int  #: its place
    W: Array | None = None
    b: Array | None = None
    group: int = 0  #: number of W and b in the names of parameters


def constants(part: Part, net: str, dtype: str, layout: str) -> str:
    """Its W and b."""
    text = ""
    if part.W is not None:
        W = part.W.T if _by_columns(part.layer, layout) else part.W
        text += c_numbers.array(f"{net}_W{part.group}", W, dtype)
    if part.b is not None:
        text += c_numbers.array(f"{net}_b{part.group}", part.b, dtype)
    return text


def forward(part: Part, net: str, dtype: str, layout: str, wide: bool = False) -> str:
    """The function NET_layerL(a, z); `wide` sums in double what is of float."""
    sums = {"sum": "double", "cast": "(double)"} if wide else {"sum": "$real", "cast": ""}
    head = "/* layer $number, $what */\nstatic void ${net}_layer$number(const $real *restrict a, $sum *restrict z)"
    return _filled(f"{head}\n{{\n{_body(part, layout)[0]}}}\n", part, net, dtype, sums)


def backward(part: Part, net: str, dtype: str, layout: str) -> str:
    """The function NET_backL(a, d, g), with d = dy/dz of the layer and g = dy/da of the one before."""
    unused = "" if type(part.layer.kind) is MaxPool else "    (void)a;\n"
    declared, _, statements = _body(part, layout)[1].partition("\n")
    body = f"{declared}\n{unused}{statements}"
    return _filled(f"{BACKWARD.replace('$name', 'back')}\n{{\n{body}}}\n", part, net, dtype)


def gradient(part: Part, net: str, dtype: str, layout: str) -> str:
    """The function NET_gradientL(a, d, g): g = dy/dw of its parameters, W and b, row by row."""
    body = OUTER if isinstance(part.layer.kind, Dense) else _convolution("$W_of_g += d[$unit] * $a;", "gradient")
    return _filled(f"{BACKWARD.replace('$name', 'gradient')}\n{{\n{body}}}\n", part, net, dtype)


def _by_columns(layer: Layer, layout: str) -> bool:
    return layer.is_dense and layout == "columns" and layer.n_out >= LANES


def _body(part: Part, layout: str) -> tuple[str, str]:
    """Forward and backward, as templates; the first line declares."""
    kind = part.layer.kind
    if isinstance(kind, Dense):
        if _by_columns(part.layer, layout):
            return COLUMNS + COLUMNS_REST * (part.layer.n_in % 4 > 0), COLUMNS_BACK
        if layout == "columns" and part.layer.n_in >= 2 * LANES:
            return LANEWISE + LANEWISE_REST * (part.layer.n_in % LANES > 0) + LANEWISE_SUM, ROWS_BACK
        return ROWS, ROWS_BACK
    if isinstance(kind, Conv):
        return _convolution("sum += ${cast}$W * $a;", "sum"), _convolution("$a_back += $W * d[$unit];", "back")
    return (MEAN, MEAN_BACK) if isinstance(kind, AveragePool) else (LARGEST, LARGEST_BACK)


COLUMNS = """\
    int i, j;
    for (i = 0; i < $n; i++)
        z[i] = ${net}_b$group[i];
    for (j = 0; j + 4 <= $m; j += 4) {
        const $real *const w = ${net}_W$group + j * $n;
        const $sum p = a[j], q = a[j + 1], r = a[j + 2], s = a[j + 3];
        for (i = 0; i < $n; i++)
            z[i] += (p * w[i] + q * w[$n + i]) + (r * w[2 * $n + i] + s * w[3 * $n + i]);
    }
"""

# only where there is one: a loop of no turns makes gcc warn of turns beyond its end
COLUMNS_REST = """\
    for (; j < $m; j++)
        for (i = 0; i < $n; i++)
            z[i] += ${cast}a[j] * ${net}_W$group[j * $n + i];
"""

COLUMNS_BACK = """\
    int i, j;
    for (j = 0; j < $m; j++) {
        $real sum = 0.0$f;
        for (i = 0; i < $n; i++)
            sum += ${net}_W$group[j * $n + i] * d[i];
        g[j] = sum;
    }
"""

ROWS = """\
    int i, j;
    for (i = 0; i < $n; i++) {
        $sum sum = 0.0$f;
        for (j = 0; j < $m; j++)
            sum += ${cast}${net}_W$group[i * $m + j] * a[j];
        z[i] = sum + ${net}_b$group[i];
    }
"""

LANEWISE = """\
    int i, j, k;
    for (i = 0; i < $n; i++) {
        const $real *const w = ${net}_W$group + i * $m;
        $sum parts[$lanes] = {0.0$f}, sum = 0.0$f;
        for (j = 0; j + $lanes <= $m; j += $lanes)
            for (k = 0; k < $lanes; k++)
                parts[k] += ${cast}w[j + k] * a[j + k];
"""

LANEWISE_REST = """\
        for (; j < $m; j++)
            sum += ${cast}w[j] * a[j];
"""

LANEWISE_SUM = """\
        for (k = 0; k < $lanes; k++)
            sum += parts[k];
        z[i] = sum + ${net}_b$group[i];
    }
"""

ROWS_BACK = """\
    int i, j;
    for (j = 0; j < $m; j++)
        g[j] = 0.0$f;
    for (i = 0; i < $n; i++)
        for (j = 0; j < $m; j++)
            g[j] += ${net}_W$group[i * $m + j] * d[i];
"""

OUTER = """\
    int i, j;
    for (i = 0; i < $n; i++) {
        for (j = 0; j < $m; j++)
            g[i * $m + j] = d[i] * a[j];
        g[$n * $m + i] = d[i];
    }
"""

WINDOW = """\
    int k, y, x, c, p, q;
$before    for (k = 0; k < $maps; k++)
        for (y = 0; y < $out_height; y++)
            for (x = 0; x < $out_width; x++) {
$start                for (c = 0; c < $channels; c++)
                    for (p = 0; p < $rows; p++)
                        for (q = 0; q < $cols; q++) {
                            const int row = y * $step_y + p$up, col = x * $step_x + q$aside;
                            ${when}$statement
                        }
$end            }
"""


def _convolution(statement: str, way: str) -> str:
    """Both ways are the same loops."""
    start = {"sum": "                $sum sum = $bias;\n", "gradient": "$of_bias"}.get(way, "")
    end = "                z[$unit] = sum;\n" if way == "sum" else ""
    size = {"back": "$m", "gradient": "$n_params"}.get(way)
    before = f"    for (k = 0; k < {size}; k++)\n        g[k] = 0.0$f;\n" if size else ""
    return Template(WINDOW).safe_substitute(start=start, end=end, before=before, statement=statement)


POOL = """\
    for (c = 0; c < $maps; c++)
        for (y = 0; y < $out_height; y++)
            for (x = 0; x < $out_width; x++) {
                const int first = (c * $height + y * $rows) * $width + x * $cols;
$what            }
"""
OVER = """\
                for (p = 0; p < $rows; p++)
                    for (q = 0; q < $cols; q++)
                        $each
"""


def _pool(declared: str, before: str, start: str, each: str, end: str) -> str:
    what = start + (OVER.replace("$each", each) if each else "") + end
    return declared + before + POOL.replace("$what", what)


UNIT = "(c * $out_height + y) * $out_width + x"
ZEROS = "    for (c = 0; c < $m; c++)\n        g[c] = 0.0$f;\n"
FIRST_LARGEST = """\
if (!(a[first + p * $width + q] <= a[at])) /* nan too */
                            at = first + p * $width + q;"""
MEAN = _pool(
    "    int c, y, x, p, q;\n", "", "                $sum sum = 0.0$f;\n", "sum += a[first + p * $width + q];",
    f"                z[{UNIT}] = sum / ($rows * $cols);\n",
)  # fmt: skip
MEAN_BACK = _pool(
    "    int c, y, x, p, q;\n", ZEROS, "", f"g[first + p * $width + q] = d[{UNIT}] / ($rows * $cols);", ""
)
LARGEST = _pool(
    "    int c, y, x, p, q, at;\n", "", "                at = first;\n", FIRST_LARGEST,
    f"                z[{UNIT}] = a[at];\n",
)  # fmt: skip
LARGEST_BACK = _pool(
    "    int c, y, x, p, q, at;\n", ZEROS, "                at = first;\n", FIRST_LARGEST,
    f"                g[at] = d[{UNIT}];\n",
)  # fmt: skip


def _filled(template: str, part: Part, net: str, dtype: str, given: dict[str, str] | None = None) -> str:
    """The template with the numbers of a layer; again and again, as parts name others."""
    layer = part.layer
    numbers: dict[str, str | int] = dict(given or {})
    numbers |= {"n": layer.n_out, "m": layer.n_in, "n_params": layer.n_params, "lanes": LANES}
    numbers |= {"number": part.number, "group": part.group, "what": layer.phrase()}
    if layer.geometry:
        numbers |= _of_windows(part)
    for _ in range(3):
        template = Template(template).safe_substitute(c_numbers.TYPES[dtype], net=net, **numbers)
    return template


def _of_windows(part: Part) -> dict[str, str | int]:
    names = "channels height width maps out_height out_width rows cols step_y step_x above left n_biases local"
    numbers: dict[str, str | int] = dict(zip(names.split(), part.layer.geometry, strict=True))
    unit = "(k * $out_height + y) * $out_width + x"
    window = f"({unit})" if numbers["local"] else "k"
    weight = f"(({window} * $channels + c) * $rows + p) * $cols + q"
    which = {0: "", 1: "k"}.get(int(numbers["n_biases"]), unit)
    padded = part.layer.kind.padding == "same" if isinstance(part.layer.kind, Conv) else False
    numbers |= {
        "unit": unit,
        "bias": f"${{net}}_b$group[{which}]" if which else "0.0$f",
        "of_bias": f"                g[{part.layer.n_weights} + {which}] += d[{unit}];\n" if which else "",
        "W": f"${{net}}_W$group[{weight}]",
        "W_of_g": f"g[{weight}]",
        "a": "a[(c * $height + row) * $width + col]",
        "a_back": "g[(c * $height + row) * $width + col]",
        "up": f" - {numbers['above']}" if numbers["above"] else "",
        "aside": f" - {numbers['left']}" if numbers["left"] else "",
        "when": "if (row >= 0 && row < $height && col >= 0 && col < $width)\n" + 32 * " " if padded else "",
    }
    return numbers
