"""Executors that tests bring: of processes, and ones of this process that do what a bad day does."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def processes(n=2):
    """Not forked: what the suite compares with (JAX, for one) has threads, of which no lock may be held then."""
    with ProcessPoolExecutor(n, multiprocessing.get_context("spawn")) as pool:
        yield pool


class Backwards:
    """Answers the last call first, some time after the first was submitted."""

    def __init__(self, seconds=0.05):
        self.calls, self.seconds = [], seconds

    def submit(self, function, *arguments):
        if not self.calls:
            threading.Timer(self.seconds, self.answer).start()
        future = Future()
        self.calls.append((future, function, arguments))
        return future

    def answer(self):
        while self.calls:
            future, function, arguments = self.calls.pop()
            future.set_running_or_notify_cancel()
            self.end(future, function, arguments)

    def end(self, future, function, arguments):
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)


class Losing(Backwards):
    """Has no answer to some of the calls."""

    def __init__(self, *lost):
        super().__init__()
        self.lost, self.number, self.shared = lost, 0, []

    def end(self, future, function, arguments):
        self.number += 1
        self.shared.append(arguments[2])
        if self.number in self.lost:
            future.set_exception(OSError("the line is dead"))
        else:
            super().end(future, function, arguments)


class Elsewhere(Backwards):
    """Workers of another build."""

    def end(self, future, function, arguments):
        caller, *others = arguments
        super().end(future, function, (caller._replace(version="0.0.9"), *others))


# ---- what workers are sent, which they import from here ----


class Bowl:
    """A term that is not weight decay, so that networks are trained one by one."""

    def value(self, params):
        return float(params @ params)

    def value_and_grad(self, params):
        return float(params @ params), 2 * params


class Broken(Bowl):
    def value_and_grad(self, params):
        if len(params) == 7:
            raise ZeroDivisionError("seven")
        return super().value_and_grad(params)


class Deadly(Bowl):
    def value_and_grad(self, params):
        if len(params) == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().value_and_grad(params)


def rate(epoch):
    return 0.01 / (1 + epoch)


class DeadlyOnce:
    """A sum in the midst of which a worker ends, once: at the chunk that begins with this number."""

    def __init__(self, first, marker):
        self.first, self.marker = first, marker

    def __call__(self, samples):
        if samples.X[0, 0] == self.first and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return samples.X.sum(axis=0)


def late(samples):
    raise TimeoutError("late")


def broken(block):
    raise ZeroDivisionError("in a block")
