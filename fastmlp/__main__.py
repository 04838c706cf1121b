"""The command line: ``python -m fastmlp demo | export | --selftest | --config | --version``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastmlp

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; returns the exit status: 0 done, 1 failed, 2 not understood."""
    parser, demo_parser, export_parser = _parsers()
    asked = parser.parse_args(arguments)
    if asked.config + asked.selftest + (asked.command is not None) != 1:
        parser.error("expected one of demo, export, --selftest, --config, --version")
    if asked.config:
        fastmlp.show_config()
        return 0
    if asked.selftest:
        from fastmlp import selftest

        return 0 if selftest.run() else 1
    if asked.command == "export":
        try:
            sys.stdout.write(_exported(asked))
        except (OSError, TypeError, ValueError, ImportError) as error:
            export_parser.error(str(error))
        return 0
    from fastmlp import demo

    if not asked.no_plots:
        try:
            asked.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            demo_parser.error(f"argument --output: expected a folder, or a path where one can be made ({error})")
    demo.run(asked.output, pictures=not asked.no_plots)
    return 0


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


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser, argparse.ArgumentParser]:
    parser = argparse.ArgumentParser(prog="python -m fastmlp", description="Multi-layer perceptrons on CPUs.")
    parser.add_argument("--version", action="version", version=f"fastmlp {fastmlp.__version__}")
    parser.add_argument("--config", action="store_true", help="show versions, instruction set, OpenMP and threads")
    parser.add_argument("--selftest", action="store_true", help="check this build against formulas in NumPy")
    commands = parser.add_subparsers(dest="command", metavar="demo | export")
    demo = commands.add_parser(
        "demo",
        help="train on real data, compare with NumPy, draw two pictures",
        description="Train on handwritten digits and on yachts, compare with NumPy, draw two pictures.",
    )
    demo.add_argument("--no-plots", action="store_true", help="draw no pictures")
    demo.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="folder for the pictures (default: .)")
    return parser, demo, _export_parser(commands)


def _export_parser(commands: Any) -> argparse.ArgumentParser:
    export: argparse.ArgumentParser = commands.add_parser(
        "export",
        help="write a network or a posterior out of its file as a program, a formula or a file for others",
        description="Write a network or a posterior out of its file as a program, a formula or a file for others.",
    )
    export.add_argument("model", type=Path, help="what net.save(path) or posterior.save(path) has written")
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
    return export


if __name__ == "__main__":
    sys.exit(main())
