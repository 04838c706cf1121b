"""The command line: ``python -m fastmlp demo | --selftest | --config | --version``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import fastmlp


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; returns the exit status: 0 done, 1 failed, 2 not understood."""
    parser, demo_parser = _parsers()
    asked = parser.parse_args(arguments)
    if asked.config + asked.selftest + (asked.command is not None) != 1:
        parser.error("expected one of demo, --selftest, --config, --version")
    if asked.config:
        fastmlp.show_config()
        return 0
    if asked.selftest:
        from fastmlp import selftest

        return 0 if selftest.run() else 1
    from fastmlp import demo

    if not asked.no_plots:
        try:
            asked.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            demo_parser.error(f"argument --output: expected a folder, or a path where one can be made ({error})")
    demo.run(asked.output, pictures=not asked.no_plots)
    return 0


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    parser = argparse.ArgumentParser(prog="python -m fastmlp", description="Multi-layer perceptrons on CPUs.")
    parser.add_argument("--version", action="version", version=f"fastmlp {fastmlp.__version__}")
    parser.add_argument("--config", action="store_true", help="show versions, instruction set, OpenMP and threads")
    parser.add_argument("--selftest", action="store_true", help="check this build against formulas in NumPy")
    demo = parser.add_subparsers(dest="command", metavar="demo").add_parser(
        "demo",
        help="train on real data, compare with NumPy, draw two pictures",
        description="Train on handwritten digits and on yachts, compare with NumPy, draw two pictures.",
    )
    demo.add_argument("--no-plots", action="store_true", help="draw no pictures")
    demo.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="folder for the pictures (default: .)")
    return parser, demo


if __name__ == "__main__":
    sys.exit(main())
