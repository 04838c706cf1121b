"""``fastmlp export``: networks and posteriors as programs, formulas and files of others."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import fastmlp
from fastmlp.tables.model import TableModel

PROGRAMS = ("c", "fortran")
FORMULAS = ("python", "javascript", "matlab", "sql", "excel")
OF_PROGRAMS = ("name", "dtype", "jacobian", "std", "layout", "max_bytes")
#: what may be asked of each, by the names that functions give it
OPTIONS = {
    **dict.fromkeys(PROGRAMS, OF_PROGRAMS),
    **dict.fromkeys(FORMULAS, ("name", "inputs")),
    "onnx": (),
    "pmml": ("inputs",),
}


def add_to(commands: Any) -> None:
    """The command and its arguments."""
    export = commands.add_parser(
        "export",
        help="write a network or a posterior out of its file as a program, a formula or a file for others",
        description="Write a network or a posterior out of its file as a program, a formula or a file for others.",
    )
    export.add_argument("model", type=Path, help="what fastmlp fit, net.save(path) or posterior.save(path) has written")
    export.add_argument("--to", choices=tuple(OPTIONS), required=True, help="what to write")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (default: it is printed)")
    export.add_argument("--name", help="what functions begin with (default: net)")
    programs = export.add_argument_group("c, fortran")
    programs.add_argument("--dtype", help="float32 or float64 (default: that of the network)")
    programs.add_argument("--jacobian", action="store_true", default=None, help="write the Jacobian too")
    programs.add_argument("--std", action="store_true", default=None, help="standard deviations too, of a posterior")
    programs.add_argument("--layout", help='"columns" (default) for vector instructions, "rows" for small machines')
    programs.add_argument("--max-bytes", type=int, metavar="N", help="the largest size of all constants")
    formulas = export.add_argument_group(", ".join([*FORMULAS, "pmml"]))
    formulas.add_argument(
        "--inputs", type=lambda names: names.split(","), metavar="A,B,...", help="what inputs are called"
    )
    export.set_defaults(run=run, usage=export)


def run(asked: argparse.Namespace) -> None:
    """Do it."""
    sys.stdout.write(_exported(asked))


def _exported(asked: argparse.Namespace) -> str:
    """What is to be printed, if it goes to no file."""
    given = {name: getattr(asked, name) for name in ("inputs", *OF_PROGRAMS) if getattr(asked, name) is not None}
    for name in given:
        if name not in OPTIONS[asked.to]:
            raise ValueError(f"argument --{name.replace('_', '-')}: expected none for --to {asked.to}, which lacks it")
    if asked.to == "onnx" and asked.output is None:
        raise ValueError("argument --output: expected a file for --to onnx, as -o net.onnx, got none")
    if asked.output is not None and asked.output.exists() and asked.output.samefile(asked.model):
        raise ValueError(f"argument --output: expected another file than that of the model, got {asked.output}")
    model: Any = fastmlp.load(asked.model)
    if isinstance(model, TableModel):
        model = model.network if model.posterior is None else model.posterior
    net: Any = getattr(model, "network", model)
    if asked.to == "onnx":
        fastmlp.to_onnx(net, asked.output)
        return ""
    if asked.to == "pmml":
        text = fastmlp.to_pmml(net, asked.output, **given)
    elif asked.to in PROGRAMS:
        text = (fastmlp.to_c if asked.to == "c" else fastmlp.to_fortran)(model, asked.output, **given)
    else:
        text = fastmlp.to_formula(model, asked.to, asked.output, **given)
    return "" if asked.output is not None else text if text.endswith("\n") else f"{text}\n"
