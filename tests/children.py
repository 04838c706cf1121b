"""Calls that may end the process, or never: made in the child of a fork, with little memory and little time."""

import os
import resource
import signal
import warnings

END = "\0"
ROOM = 2 << 30  # bytes that a child may take besides those that are in use
STARVED = 30  # times as long by the clock a call may take, where other programs hold the cores, before it hangs


def fork():
    """Python warns of it from 3.12 on, where there are threads, such as those of OpenMP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # JAX, if it is loaded, which the child does not touch
        return os.fork()


def outcomes(calls, seconds=20):
    """How each call ends: "result", or kind and text of its exception; the last entry is what has ended it early.

    All of them have so many seconds of processor time.
    """
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        os.close(reader)
        try:
            _limit(seconds)
            warnings.simplefilter("ignore")
            with open(writer, "w", encoding="utf-8") as pipe:
                for call in calls:
                    pipe.write(_ending(call) + END)
                    pipe.flush()  # so that the call that ends it is known by its place
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        endings = pipe.read().split(END)[:-1]
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        endings.append(f"killed by {signal.Signals(os.WTERMSIG(status)).name}")
    elif status:  # a sanitizer's, after its report
        endings.append(f"ended with status {os.WEXITSTATUS(status)}")
    return endings


def limit_memory(room=ROOM):
    """Refuse this process more memory than that, besides what is in use."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))


def _limit(seconds):
    limit_memory()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))  # a child begins at 0
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(STARVED * seconds)


def _ending(call):
    try:
        call()
    except Exception as error:
        kind = next(each for each in type(error).__mro__ if each.__module__ == "builtins")
        return f"{kind.__name__}: {error}"
    return "result"
