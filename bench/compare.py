"""The table of ratios: every contestant at every operation, shape and number type, interleaved, in one run.

python bench/compare.py                                      everything; minutes
python bench/compare.py --shapes S1 --operations gradient    one line of it
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import one_thread


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", nargs="+", help="names in contest.py; default: all")
    parser.add_argument("--shapes", nargs="+", help="names in problems.py; default: all that the operation takes")
    parser.add_argument("--dtypes", nargs="+", help="float64, float32; default: both")
    parser.add_argument("--peers", nargs="*", help="names in peers/__init__.py; default: all that are installed")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each cell of the table, at least (1)")
    parser.add_argument("--rounds", type=int, default=5, help="of each cell, at least (5)")
    parser.add_argument("--samples", type=int, help="cut the problems to so many samples")
    parser.add_argument("--threads", type=int, default=1, help="of ours; then real time counts, and all CPUs (1)")
    parser.add_argument("--no-extras", action="store_true", help="leave out import times, two threads, two programs")
    parser.add_argument("--markdown", type=Path, help="write the tables there too")
    parser.add_argument("--json", type=Path, help="write all figures there")
    return parser.parse_args(argv)


def main() -> None:
    options = arguments()
    extras = {} if options.no_extras else measure_extras(options.seconds)  # these want all CPUs
    one_thread.restrict(bind=options.threads == 1)
    # only now: what these import counts CPUs
    import contention
    import report
    import startup
    import threads

    cells = run(options)
    title = "\n".join(f"{name}: {value}" for name, value in report.environment().items())
    if options.samples:
        title += f"\nproblems cut to {options.samples} samples"
    sections = [
        ("All cells: a peer's time over ours; goals are for the fastest peer", report.lines(cells)),
        ("Training besides its epochs", report.setups(cells)),
        ("Fastest peer over ours, float64 / float32", report.summary(cells)),
    ]
    if extras:
        sections += [
            ("Two threads: how many times as fast, float64 / float32", threads.rows(extras["threads"])),
            ("Two programs", contention.rows(extras["contention"])),
            ("Import", startup.rows(extras["startup"])),
        ]
    text = "\n\n".join([title, *(f"## {name}\n\n{report.table(rows)}" for name, rows in sections if rows)])
    print(f"\n{text}")
    if options.markdown:
        options.markdown.write_text(text + "\n")
    if options.json:
        records = {"environment": report.environment(), "cells": [report.record(cell) for cell in cells], **extras}
        options.json.write_text(json.dumps(records, indent=1))


def run(options: argparse.Namespace) -> list:
    """All cells that are asked for; a line on each, as it is done, goes to stderr."""
    import time

    from threadpoolctl import threadpool_limits

    import contest
    import problems
    import report
    from peers import OURS, PEERS
    from peers.ours import Fastmlp

    Fastmlp.n_threads = options.threads
    names = [*OURS, *chosen(options.peers, PEERS)]
    clock = {} if options.threads == 1 else {"clock": time.perf_counter}
    cells = []
    for operation in chosen(options.operations, contest.OPERATIONS):
        for shape in taken(options.shapes, problems.SHAPES, problems.shapes_of(operation)):
            for dtype in taken(options.dtypes, problems.DTYPES, problems.dtypes_of(operation)):
                try:
                    with threadpool_limits(1):
                        cell = contest.measure(
                            operation, shape, dtype, names, options.seconds, options.rounds, options.samples, **clock
                        )
                except contest.Disagreement as problem:
                    print(f"{operation} {shape} {dtype}: NOT TIMED: {problem}", file=sys.stderr, flush=True)
                    continue
                cells.append(cell)
                times = ", ".join(f"{name} {report.duration(t.median)}" for name, t in cell.timings.items())
                print(f"{operation} {shape} {dtype}: {times}", file=sys.stderr, flush=True)
    return cells


def chosen(names: list[str] | None, known: Iterable[str]) -> list[str]:
    """The names given, or all; SystemExit on one that nobody knows."""
    for name in names or ():
        if name not in known:
            raise SystemExit(f"{name}: expected one of {', '.join(known)}")
    return list(known) if names is None else names


def taken(names: list[str] | None, known: Iterable[str], possible: Sequence[str]) -> list[str]:
    """Those of the chosen names that are possible for an operation."""
    return [name for name in chosen(names, known) if name in possible]


def measure_extras(seconds: float) -> dict:
    """Import times, two threads against one, two programs against one, in processes of their own."""
    import startup

    def figures(script: str, *options: str) -> object:
        program = [sys.executable, str(Path(__file__).parent / script), *options]
        return json.loads(subprocess.run(program, capture_output=True, text=True, check=True).stdout)

    threads = figures("threads.py", str(seconds / 4))
    return {"threads": threads, "contention": figures("contention.py"), "startup": startup.measure()}


if __name__ == "__main__":
    main()
