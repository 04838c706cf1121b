"""A comparison of this build with another one: all cells of `compare.py`, a process for each build, in turns.

    python bench/builds.py FOLDER [--rounds 10] [--operations ...] [--shapes ...] [--dtypes ...]

FOLDER is a checkout with its compiled modules. Ratios are FOLDER's time over ours, of the shortest of all rounds: above
1 is faster now. Cells below `LEAST` are measured once more, and then all their rounds count.
"""

import one_thread

if __name__ == "__main__":
    one_thread.restrict()  # before NumPy is imported

import argparse
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from timing import Job, interleave

HERE = Path(__file__).parents[1]
SECONDS = 0.05  # of each job in a round
LEAST = 0.97  # of a cell, after one repetition; all together: 1


class Build:
    """A process that times jobs with the library of one checkout."""

    def __init__(self, script: str, folder: Path) -> None:
        command = [sys.executable, str(Path(script).resolve()), "--work"]
        environment = os.environ | {"PYTHONPATH": str(folder.resolve())}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        self.shortest: dict[str, float] = {}

    def time(self, name: str) -> None:
        """A round of one job."""
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{name}: no time came back from a build; its complaint is above")
        self.shortest[name] = min(float(answer), self.shortest.get(name, math.inf))


def work(job: Callable[[str], Job]) -> None:
    """Be such a process: time the jobs whose names come in, line by line."""
    warnings.simplefilter("ignore")
    name = None
    for line in sys.stdin:
        if line != name:
            timed, name = job(line.rstrip("\n")), line
        print(interleave({name: timed}, SECONDS, least_rounds=3)[name].minimum, flush=True)


def cell(name: str) -> Job:
    """The job of a cell that is called as `names` does it."""
    import contest
    import peers
    import problems

    side, operation, shape, dtype = name.split()
    problem = problems.make(shape, dtype, problems.samples_of(operation, shape))
    return contest.job(operation, peers.load(side)(problem))


def names(operations: Iterable[str], shapes: Sequence[str], dtypes: Sequence[str]) -> list[str]:
    """All cells of these, of `Network` and of the objective."""
    import contest
    import problems
    from peers import OURS

    return [
        f"{side} {operation} {shape} {dtype}"
        for operation in operations
        for side in contest.contestants(operation, OURS)
        for shape in problems.shapes_of(operation)
        for dtype in problems.dtypes_of(operation)
        if shape in shapes and dtype in dtypes
    ]


def ratios(ours: Build, other: Build) -> dict[str, float]:
    """The other's shortest times over ours."""
    return {name: other.shortest[name] / seconds for name, seconds in ours.shortest.items()}


def turns(builds: Sequence[Build], wanted: Iterable[str], rounds: int) -> None:
    """Let the builds time each job in turn, so that all see the same machine."""
    for name in wanted:
        for i in range(rounds):
            for build in builds if i % 2 else reversed(builds):
                build.time(name)


def summary(found: dict[str, float]) -> str:
    """The geometric mean, and who is slower than allowed."""
    mean = math.exp(math.fsum(map(math.log, found.values())) / len(found))
    slow = [f"{name} {ratio:.2f}" for name, ratio in sorted(found.items(), key=lambda pair: pair[1]) if ratio < LEAST]
    return f"{len(found)} cells, geometric mean {mean:.3f}, below {LEAST}: {', '.join(slow) or 'none'}"


def main() -> None:
    """Measure, say each cell as it is done, then all together."""
    import contest
    import problems
    from report import duration

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--operations", nargs="+", default=list(contest.OPERATIONS), choices=list(contest.OPERATIONS))
    parser.add_argument("--shapes", nargs="+", default=list(problems.SHAPES), choices=list(problems.SHAPES))
    parser.add_argument("--dtypes", nargs="+", default=list(problems.DTYPES), choices=list(problems.DTYPES))
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(cell)
        return
    if options.folder is None:
        parser.error("FOLDER: expected the checkout to compare with")
    ours, other = Build(__file__, HERE), Build(__file__, options.folder)
    for name in names(options.operations, options.shapes, options.dtypes):
        turns([ours, other], [name], options.rounds)
        print(f"{name}: {duration(ours.shortest[name])}, {ratios(ours, other)[name]:.2f}", flush=True)
    turns([ours, other], [name for name, ratio in ratios(ours, other).items() if ratio < LEAST], 2 * options.rounds)
    print(summary(ratios(ours, other)))


if __name__ == "__main__":
    main()
