"""``fastmlp demo``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """The command and its arguments."""
    demo = commands.add_parser(
        "demo",
        help="train on real data, compare with NumPy, draw two pictures",
        description="Train on handwritten digits and on yachts, compare with NumPy, draw two pictures.",
    )
    demo.add_argument("--no-plots", action="store_true", help="draw no pictures")
    demo.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="folder for the pictures (default: .)")
    demo.set_defaults(run=run, usage=demo)


def run(asked: argparse.Namespace) -> None:
    """Do it."""
    from fastmlp import demo

    if not asked.no_plots:
        try:
            asked.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            expected = "expected a folder, or a path where one can be made"
            raise ValueError(f"argument --output: {expected} ({error})") from None
    demo.run(asked.output, pictures=not asked.no_plots)
