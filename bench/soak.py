"""Mixed work by eight Python threads, and forks meanwhile, for minutes: nothing wrong, nothing that grows.

Usage: python bench/soak.py [--minutes 5] [--threads 8] [--seed 0]

Each piece of work is done once alone. Then all threads do pieces by chance, on shared networks, each by one or two
threads of OpenMP, and are replaced by new ones after a while; the main thread forks, and the children do some pieces
too. Every result has to have the bits of the first one. Memory of the first quarter is compared with that of the last;
descriptors and threads, which come and go with the work, while nobody works, before and after: one more is a leak, on
a loaded machine too. In between, half of the time there are no more threads than the workers and their teams are. The
exit status is 1 if anything was wrong, raised, hung, crashed or grew. For Linux.

What calls BLAS is left out in the children, but for one at the end, when no thread is at work: a fork copies the lock
that OpenBLAS takes for its buffers as it is, so that `A @ B` of NumPy alone hangs in one child of some hundreds. And
matrices are so small that its own threads do nothing: a fork during such a product, of NumPy alone, may never return.
"""

import argparse
import faulthandler
import os
import pickle
import random
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import fastmlp

SHIFT = 300  # pieces of work that a thread does before a new one takes its place
PIECES_OF_A_CHILD = 4
TEAM = 2  # threads of OpenMP, the one that calls among them, at most
HANGS = 60  # seconds
REST = 10  # seconds in which threads that have been joined are gone
ROOM = 8e6  # bytes of growth that are put down to malloc, whose arenas go to other threads from shift to shift
EXPECTED = (fastmlp.ForkWarning, fastmlp.ConvergenceWarning, fastmlp.PosteriorWarning, DeprecationWarning)

DECAY = fastmlp.WeightDecay(3.0, 3.0)


class Problem:
    """A network that all share, and data: enough of them for two threads, few for what forms matrices."""

    def __init__(self, dtype: str, folder: str) -> None:
        rng = np.random.default_rng(0)
        self.net = fastmlp.Network([4, 12, 2], dtype=dtype, rng=0)
        self.small = fastmlp.Network([4, 3, 2], dtype=dtype, rng=0)  # no product by threads of BLAS: see above
        self.X = rng.normal(size=(3000, 4)).astype(dtype)
        self.T = (np.sin(self.X[:, :2]) + 0.1 * rng.normal(size=(3000, 2))).astype(dtype)
        self.few = self.X[:150], self.T[:150]
        self.direction = rng.normal(size=self.net.n_params).astype(dtype)
        self.path = Path(folder, f"{dtype}.fastmlp")  # which everybody replaces
        self.posterior = self.laplace(1)

    def fitted(self, method: str, n_threads: int, **options: Any) -> tuple[Any, ...]:
        """Parameters and objective."""
        result = self.net.copy().fit(self.X, self.T, method, max_iter=3, rng=0, n_threads=n_threads, **options)
        return result.x, result.fun

    def many(self, n_threads: int) -> list[Any]:
        """Parameters of three networks trained at once."""
        nets = [fastmlp.Network([4, 5, 2], dtype=self.net.dtype, rng=seed) for seed in range(3)]
        return [run.x for run in fastmlp.fit_many(nets, *self.few, max_iter=5, n_threads=n_threads)]

    def swept(self, n_threads: int) -> list[Any]:
        """Losses and parameters of two sizes."""
        found = fastmlp.sweep(*self.few, [2, 4], 2, 0.2, max_iter=5, rng=0, n_threads=n_threads)
        return [part for run in found.runs for part in (run.validation_loss, run.params)]

    def laplace(self, n_threads: int) -> fastmlp.Laplace:
        """A posterior."""
        precisions = {"prior_precision": 1.0, "noise_precision": 10.0}
        return fastmlp.Laplace(self.net, *self.few, n_threads=n_threads, **precisions)

    def evidence(self, n_threads: int) -> tuple[Any, ...]:
        """Parameters, and what the evidence has found."""
        net = fastmlp.Network([4, 3, 2], dtype=self.net.dtype, rng=0)
        found = fastmlp.fit_evidence(net, *self.few, max_iter=3, rng=0, n_threads=n_threads)
        return found.params, found.log_evidence, *found.predict(self.few[0])

    def learned(self, n_threads: int) -> tuple[Any, ...]:
        """What a posterior of few parameters predicts that has been given some more samples."""
        precisions = {"prior_precision": 1.0, "noise_precision": 10.0}
        own = fastmlp.Laplace(self.small, *self.few, n_threads=n_threads, **precisions)
        return own.updated(self.X[:20], self.T[:20]).predict(self.few[0])

    def deleted(self, n_threads: int) -> tuple[Any, ...]:
        """What pruning says of each weight, and a path of two deletions."""
        options = {"penalty": DECAY, "noise_precision": 10.0, "n_threads": n_threads}
        found = fastmlp.saliencies(self.small, *self.few, **options)
        path = fastmlp.prune(self.small, *self.few, n_params=self.small.n_params - 2, max_iter=3, **options)
        return found.rise, path.network(-1).params

    def saved(self) -> tuple[Any, ...]:
        """Parameters from a file, which may be another thread's or child's."""
        self.net.save(self.path)
        return (fastmlp.load(self.path).params,)

    def pickled(self) -> tuple[Any, ...]:
        """Parameters and predictions after pickling."""
        net, posterior = pickle.loads(pickle.dumps((self.net, self.posterior)))
        return net.params, *posterior.predict(self.few[0])


WORK: dict[str, Callable[[Problem, int], Sequence[Any]]] = {
    "one row": lambda p, n: (p.net.predict(p.X[:1]),),
    "predict": lambda p, n: (p.net.predict(p.X, n_threads=n),),
    "loss_and_grad": lambda p, n: p.net.loss_and_grad(p.X, p.T, n_threads=n),
    "jacobian": lambda p, n: (p.net.jacobian(p.X, n_threads=n), p.net.jacobian(p.few[0], "params", n_threads=n)),
    "hessp": lambda p, n: (p.net.hessp(p.X, p.T, p.direction, n_threads=n),),
    "hessian": lambda p, n: (p.net.hessian(p.X, p.T, n_threads=n),),
    "fit lm": lambda p, n: p.fitted("lm", n),
    "fit lbfgs": lambda p, n: p.fitted("lbfgs", n),
    "fit adam": lambda p, n: p.fitted("adam", n, batch_size=500),
    "fit_many": lambda p, n: p.many(n),
    "sweep": lambda p, n: p.swept(n),
    "Laplace": lambda p, n: (*p.laplace(n).predict(p.few[0]), p.posterior.sample(3, rng=0)),
    "fit_evidence": lambda p, n: p.evidence(n),
    "updated": lambda p, n: p.learned(n),
    "prune": lambda p, n: p.deleted(n),
    "importances": lambda p, n: (
        fastmlp.importances(p.small, *p.few, penalty=DECAY, n_threads=n).sensitivity,
        fastmlp.lekprofile(p.net, p.few[0], n_threads=n).y,
    ),
    "save, load": lambda p, n: p.saved(),
    "pickle": lambda p, n: p.pickled(),
}
BLAS = ("Laplace", "fit_evidence", "updated", "prune", "importances", "pickle")


def bits(parts: Sequence[Any]) -> list[bytes]:
    """What has to be the same."""
    return [np.asarray(part).tobytes() for part in parts]


class State(NamedTuple):
    """What must not grow."""

    resident: int
    descriptors: int
    threads: int


def state() -> State:
    """Of this process, now."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return State(resident, len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")))


class Soak:
    """Pieces of work, what came out when each was done alone, and what has gone wrong since."""

    def __init__(self, folder: str) -> None:
        problems = {dtype: Problem(dtype, folder) for dtype in ("float64", "float32")}
        self.pieces = [(name, dtype, problems[dtype]) for name in WORK for dtype in problems]
        self.alone = {(name, dtype): bits(WORK[name](problem, 1)) for name, dtype, problem in self.pieces}
        self.done: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.states: list[State] = []
        self.rest = self.after = state()
        self.limit = 0
        self.over = threading.Event()
        self.lock = threading.Lock()

    def piece(self, chance: random.Random, left_out: Sequence[str] = ()) -> tuple[str, str | None]:
        """Do one by chance; its name, and what is wrong with it."""
        name, dtype, problem = chance.choice([each for each in self.pieces if each[0] not in left_out])
        try:
            same = bits(WORK[name](problem, 1 + chance.randrange(TEAM))) == self.alone[name, dtype]
        except Exception as error:
            return name, f"{name}, {dtype}: {type(error).__name__}: {error}"
        return name, None if same else f"{name}, {dtype}: other bits"

    def shift(self, seed: float) -> None:
        """What a thread does."""
        chance = random.Random(seed)
        for _ in range(SHIFT):
            if self.over.is_set():
                return
            name, wrong = self.piece(chance)
            with self.lock:
                self.done[name] += 1
                self.wrong.update([wrong] if wrong else [])

    def fork(self, seed: float, n_pieces: int = PIECES_OF_A_CHILD, left_out: Sequence[str] = BLAS) -> None:
        """Have some pieces done by a child."""
        child = os.fork()
        if child == 0:
            faulthandler.register(signal.SIGALRM, chain=True)  # says where it is
            signal.alarm(HANGS)
            chance, status = random.Random(seed), 1
            try:
                wrongs = [wrong for _ in range(n_pieces) if (wrong := self.piece(chance, left_out)[1])]
                print(*wrongs, sep="\n", end="", file=sys.stderr, flush=True)
                status = bool(wrongs)
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ended = {0: None, 1: "a child was wrong", -signal.SIGALRM: "a child hung"}.get(status, f"a child: {status}")
        with self.lock:
            self.done["children"] += 1
            self.wrong.update([ended] if ended else [])

    def run(self, seconds: float, n_threads: int, seed: int = 0, period: float = 0.25) -> None:
        """All of it: threads, forks, and samples of the state."""
        chance, threads = random.Random(seed), []
        self.rest = state()
        self.limit = self.rest.threads + n_threads * TEAM
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            threads = [thread for thread in threads if thread.is_alive()]
            for _ in range(n_threads - len(threads)):
                threads.append(threading.Thread(target=self.shift, args=(chance.random(),), daemon=True))
                threads[-1].start()
            self.fork(chance.random())
            self.states.append(state())
            time.sleep(period)
        self.over.set()
        for thread in threads:
            thread.join(HANGS)
            self.wrong.update(["a thread hung"] if thread.is_alive() else [])
        self.after = at_rest(self.rest)
        self.fork(chance.random(), n_pieces=5 * len(self.pieces), left_out=())

    def growth(self) -> list[str]:
        """What there is more of than there should be."""
        first, last = quarters(self.states)
        compared = {
            "resident": (first.resident, last.resident, ROOM),
            "descriptors": (self.rest.descriptors, self.after.descriptors, 0),
            "threads": (self.rest.threads, self.after.threads, 0),
        }
        found = [f"{name} grew from {old} to {new}" for name, (old, new, room) in compared.items() if new > old + room]
        if last.threads > self.limit:
            found.append(f"threads: {last.threads} half of the time, {self.limit} with all teams of all workers")
        return found


def at_rest(before: State) -> State:
    """When all that have been joined are gone, or those that stay do not go."""
    deadline = time.monotonic() + REST
    while (now := state()).threads > before.threads and time.monotonic() < deadline:
        time.sleep(0.05)
    return now


def quarters(states: Sequence[State]) -> tuple[State, State]:
    """Medians of the first and the last one."""

    def typical(part: Sequence[State]) -> State:
        return State(*(int(median(each)) for each in zip(*part, strict=True)))

    length = -(-len(states) // 4)
    return typical(states[:length]), typical(states[-length:])


def report(soak: Soak) -> str:
    """A short table."""
    seen = (soak.rest, *quarters(soak.states), soak.after)
    done = [f"| {name} | {count} |" for name, count in soak.done.most_common()]
    rows = {
        "resident, MB": [f"{each.resident / 1e6:.1f}" for each in seen],
        "descriptors": [str(each.descriptors) for each in seen],
        "threads": [str(each.threads) for each in seen],
    }
    grown = [f"| {name} | " + " | ".join(numbers) + " |" for name, numbers in rows.items()]
    heads = ["| | before | first quarter | last quarter | after |", "|---|---|---|---|---|"]
    return "\n".join(["| work | times |", "|---|---|", *done, "", *heads, *grown])


def main() -> int:
    """Run, print, and tell by the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    warnings.simplefilter("error")
    for category in EXPECTED:
        warnings.simplefilter("ignore", category)
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(folder)
        soak.run(60 * asked.minutes, asked.threads, asked.seed)
    wrong = [f"{count} times {what}" for what, count in soak.wrong.most_common()]
    wrong += soak.growth()
    print(report(soak), "", *(wrong or ["nothing wrong, nothing grew"]), sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
