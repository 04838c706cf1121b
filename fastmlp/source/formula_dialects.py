"""The languages of `to_formula`: how each says h(z), and what may be a name in it.

Written so that nothing overflows, and that what is missing stays so: nan, or NULL. `{z}` is a name.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Dialect(NamedTuple):
    """A language, or what of it differs."""

    forms: dict[str, str]  #: h(z) by activation; `decay` is e^z of z <= 0
    most: Callable[[Sequence[str]], str] = lambda names: ""
    number: str = "{x}"  #: an input as a double: others would round, or mean something else by +
    ratio: str = "{} / {}"
    name: str = r"[^\W\d]\w*"  #: what may be one
    taken: frozenset[str] = frozenset()  #: names that mean something else


OWN = re.compile(r"u\d+|[zade]\d+_\d+|y\d+|most|total")  # names of lines

#: what no input may be called: their own words, and functions that are called
JAVASCRIPT_WORDS = """
arguments await break case catch class const continue debugger default delete do else enum eval export extends
false finally for function if implements import in instanceof interface let new null package private protected
public return static super switch this throw true try typeof var void while with yield Math Number Infinity NaN
undefined
"""
MATLAB_WORDS = """
break case catch classdef continue else elseif end for function global if otherwise parfor persistent return
spmd switch try while do endfunction endif endfor endwhile until unwind_protect tanh exp expm1 log1p erfc sin
abs max min double
"""
SQL_WORDS = """
all alter analyse analyze and anti any array as asc asof asymmetric authorization begin between binary both by case
cast check collate collation column commit concurrently constraint create cross current_catalog current_date
current_role current_schema current_time current_timestamp current_user default deferrable delete desc describe
distinct do drop else end escape except exists false fetch for foreign freeze from full grant group having if ilike
in index initially inner insert intersect into is isnull join key lateral leading left like limit localtime
localtimestamp natural not nothing notnull null offset on only or order outer over overlaps pivot placing
positional primary qualify references returning right row rows select semi session_user set show similar some
summarize symmetric system_user table tablesample then to trailing transaction trigger true union unique unpivot
update user using values variadic verbose view when where window with
"""

PYTHON = Dialect(
    {
        "tanh": "math.tanh({z})",
        "logistic": "1.0 / (1.0 + math.exp(min(-{z}, 709.0)))",
        "relu": "max({z}, 0.0)",
        "leaky_relu": "{z} if {z} > 0.0 else 0.01 * {z}",
        "softplus": "max({z}, 0.0) + math.log1p(math.exp(-abs({z})))",
        "elu": "{z} if {z} > 0.0 else math.expm1({z})",
        "silu": "{z} / (1.0 + math.exp(min(-{z}, 709.0)))",
        "gelu": "0.5 * {z} * math.erfc(-0.7071067811865476 * {z})",
        "sin": "math.sin({z})",
        "exp": "math.exp({z}) if {z} <= 709.782712893384 else {z} * math.inf",
        "decay": "math.exp({z})",
    },
    most=lambda names: f"max({', '.join(names)})" if len(names) > 1 else names[0],
    number="float({x})",
    taken=frozenset([*keyword.kwlist, "math", "float", "max", "min", "abs"]),
)

JAVASCRIPT = Dialect(
    {
        "tanh": "Math.tanh({z})",
        "logistic": "1 / (1 + Math.exp(-{z}))",
        "relu": "Math.max({z}, 0)",
        "leaky_relu": "{z} > 0 ? {z} : 0.01 * {z}",
        "softplus": "Math.max({z}, 0) + Math.log1p(Math.exp(-Math.abs({z})))",
        "elu": "{z} > 0 ? {z} : Math.expm1({z})",
        "silu": "{z} / (1 + Math.exp(-{z}))",
        "sin": "Math.sin({z})",
        "exp": "Math.exp({z})",
        "decay": "Math.exp({z})",
    },
    most=lambda names: f"Math.max({', '.join(names)})",
    number="Number({x})",
    taken=frozenset(JAVASCRIPT_WORDS.split()),
)

MATLAB = Dialect(
    {
        "tanh": "tanh({z})",
        "logistic": "1 ./ (1 + exp(-{z}))",
        "relu": "{z} .* ({z} > 0)",
        "leaky_relu": "{z} .* (0.01 + 0.99 * ({z} > 0))",
        "softplus": "{z} .* ({z} > 0) + log1p(exp(-abs({z})))",
        "elu": "{z} .* ({z} > 0) + expm1(min({z}, 0))",
        "silu": "{z} ./ (1 + exp(-{z}))",
        "gelu": "0.5 * {z} .* erfc(-0.7071067811865476 * {z})",
        "sin": "sin({z})",
        "exp": "exp({z})",
        "decay": "exp({z})",
    },
    most=lambda names: _nested("max({}, {})", names),
    number="double({x})",
    ratio="{} ./ {}",
    name="[A-Za-z][A-Za-z0-9_]{0,62}",
    taken=frozenset(MATLAB_WORDS.split()),
)

WITHIN = "CASE WHEN {z} < -700.0 THEN -700.0 WHEN {z} > 700.0 THEN 700.0 ELSE {z} END"  # PostgreSQL refuses e^-746
AWAY = "CASE WHEN ABS({z}) > 700.0 THEN 700.0 ELSE ABS({z}) END"
SQL = Dialect(
    {
        "tanh": "TANH({z})",
        "logistic": f"1.0 / (1.0 + EXP(-{WITHIN}))",
        "relu": "CASE WHEN {z} < 0.0 THEN 0.0 ELSE {z} END",
        "leaky_relu": "CASE WHEN {z} < 0.0 THEN 0.01 * {z} ELSE {z} END",
        "softplus": f"CASE WHEN {{z}} < 0.0 THEN 0.0 ELSE {{z}} END + 2.0 * ATANH(1.0 / (1.0 + 2.0 * EXP({AWAY})))",
        "elu": "CASE WHEN {z} < -700.0 THEN -1.0 WHEN {z} < 0.0 THEN TANH({z} / 2.0) * (EXP({z}) + 1.0) ELSE {z} END",
        "silu": f"{{z}} / (1.0 + EXP(-{WITHIN}))",
        "sin": "SIN({z})",
        "exp": "CASE WHEN {z} < -745.0 THEN 0.0 ELSE EXP({z}) END",
        "decay": "CASE WHEN {z} < -700.0 THEN 0.0 ELSE EXP({z}) END",
    },
    most=lambda names: f"(SELECT MAX(v) FROM (SELECT {' UNION ALL SELECT '.join(_first_named(names))}) AS m)",
    number="CAST({x} AS DOUBLE PRECISION)",
    name=r"([^\W\d]\w*\.)*[^\W\d]\w*",
    taken=frozenset(SQL_WORDS.split()),
)

CLIPPED = "IF({z}>-700,{z},-700)"
EXCEL = Dialect(
    {
        "tanh": "TANH({z})",
        "logistic": f"1/(1+EXP(-{CLIPPED}))",
        "relu": "IF({z}>0,{z},0)",
        "leaky_relu": "IF({z}>0,{z},0.01*{z})",
        "softplus": "IF({z}>0,{z},0)+2*ATANH(1/(1+2*EXP(IF(ABS({z})<700,ABS({z}),700))))",
        "elu": "IF({z}>0,{z},TANH({z}/2)*(EXP({z})+1))",
        "silu": f"{{z}}/(1+EXP(-{CLIPPED}))",
        "gelu": "{z}*NORMSDIST({z})",
        "sin": "SIN({z})",
        "exp": "EXP({z})",
        "decay": "EXP({z})",
    },
    name=r"((?:\w+|'[^']+')!)?(?:\$?[A-Z]{1,3}\$?[1-9]\d{0,6}|[^\W\d][\w.]{0,254}|\w*\[@?[^][#'@]+\])",
)

DIALECTS = {"python": PYTHON, "javascript": JAVASCRIPT, "matlab": MATLAB, "sql": SQL, "excel": EXCEL}


def _first_named(names: Sequence[str]) -> list[str]:
    return [f"{names[0]} AS v", *names[1:]]


def _nested(template: str, names: Sequence[str]) -> str:
    text = names[0]
    for name in names[1:]:
        text = template.format(text, name)
    return text
