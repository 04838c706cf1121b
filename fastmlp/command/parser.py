"""What is asked on the command line, and what comes of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import fastmlp
from fastmlp.command import demo, export, fit, predict, show

COMMANDS = (fit, predict, show, export, demo)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; returns the exit status: 0 done, 1 failed, 2 not understood."""
    parser, commands = _parsers()
    asked = parser.parse_args(arguments)
    if asked.config + asked.selftest + (asked.command is not None) != 1:
        parser.error(f"expected one of {', '.join(commands)}, --selftest, --config, --version")
    if asked.config:
        fastmlp.show_config()
        return 0
    if asked.selftest:
        from fastmlp import selftest

        return 0 if selftest.run() else 1
    try:
        asked.run(asked)
        sys.stdout.flush()
    except BrokenPipeError:  # of `fastmlp show model | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, TypeError, ValueError, ImportError) as error:
        if "usage" in asked:
            asked.usage.error(str(error))
        print(f"fastmlp {asked.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"fastmlp {asked.command}: interrupted, nothing is written", file=sys.stderr)
        return 130
    return 0


def _parsers() -> tuple[argparse.ArgumentParser, list[str]]:
    """The parser, and the names of its commands."""
    own = Path(sys.argv[0]).stem == "fastmlp"  # the script that is installed
    prog = "fastmlp" if own else "python -m fastmlp"
    parser = argparse.ArgumentParser(prog=prog, description="Multi-layer perceptrons on CPUs.")
    parser.add_argument("--version", action="version", version=f"fastmlp {fastmlp.__version__}")
    parser.add_argument("--config", action="store_true", help="show versions, instruction set, OpenMP and threads")
    parser.add_argument("--selftest", action="store_true", help="check this build against formulas in NumPy")
    names = [command.__name__.rpartition(".")[2] for command in COMMANDS]
    commands = parser.add_subparsers(dest="command", metavar=" | ".join(names))
    for command in COMMANDS:
        command.add_to(commands)
    return parser, names
