"""Programs that a signal meets, each in a process of its own: networks kept busy, and the time to answer Ctrl-C."""

import subprocess
import sys
import textwrap

PRELUDE = """
import math, os, signal, statistics, threading, time
import numpy as np
import fastmlp

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it

def least(started):
    "Seconds since then; on a busy machine the shorter ones of the process itself."
    return min(now - then for now, then in zip(clocks(), started))

def clocks():
    return time.perf_counter(), time.process_time()

def problem(layers, seconds, threads, call):
    "A network, and samples that keep it busy for so long, and rather longer: a quarter of them is tried."
    net = fastmlp.Network(layers, rng=0)
    n, elapsed = 1_000, 0.0
    while elapsed < seconds / 4:
        n *= 2
        X = np.random.default_rng(0).normal(size=(n, layers[0]))
        T = np.zeros((n, layers[-1]))
        started = clocks()
        call(net, X, T, threads)
        elapsed = least(started)
    copies = (math.ceil(1.5 * seconds / elapsed), 1)
    return net, np.tile(X, copies), np.tile(T, copies)

def predict(net, X, T, threads):
    return net.predict(X, n_threads=threads)

def loss_and_grad(net, X, T, threads):
    return net.loss_and_grad(X, T, n_threads=threads)

def jacobian(net, X, T, threads):
    return net.jacobian(X, n_threads=threads)

def hessp(net, X, T, threads):
    return net.hessp(X, T, np.ones(net.n_params), n_threads=threads)

def products(net, X, T, threads):
    return net.hessp(X, T, np.eye(net.n_params), n_threads=threads)

def along(net, X, T, threads):
    objective = net.objective(X, T, penalty=fastmlp.TangentPropagation("inputs", 0.1), n_threads=threads)
    return objective.hess(objective.x0)

def hessian(net, X, T, threads):
    return net.hessian(X, T, n_threads=threads)

def gauss_newton(net, X, T, threads):
    return net.hessian(X, T, "ggn", n_threads=threads)

def trace(net, X, T, threads):
    return net.trace(X, T)

def answer(call, *arguments, after):
    "Seconds from the signal to KeyboardInterrupt."
    sent = []

    def send():
        time.sleep(after)
        sent.extend(clocks())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        call(*arguments)
        raise AssertionError("the call was over before the signal")
    except KeyboardInterrupt:
        return least(sent)
    finally:
        thread.join()
"""


def run(program, *arguments):
    """Run a program after the prelude; what it prints."""
    command = [sys.executable, "-c", PRELUDE + textwrap.dedent(program), *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout.split()
