"""Programs that a signal meets, each in a process of its own: networks kept busy, and the time to answer Ctrl-C."""

import subprocess
import sys
import textwrap

PRELUDE = """
import os, signal, statistics, threading, time
import numpy as np
import fastmlp

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it

def problem(layers, seconds, threads, call):
    "A network, and samples that keep it busy for so long, and rather longer."
    net = fastmlp.Network(layers, rng=0)
    n = 2_000
    while True:
        X = np.random.default_rng(0).normal(size=(n, layers[0]))
        T = np.zeros((n, layers[-1]))
        started = time.perf_counter()
        call(net, X, T, threads)
        elapsed = time.perf_counter() - started
        if elapsed > seconds:
            return net, X, T
        n = int(n * min(10, 1.5 * seconds / elapsed))

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
    "Seconds from the signal to KeyboardInterrupt; on a busy machine the shorter ones of the process itself."
    sent = []

    def send():
        time.sleep(after)
        sent.extend((time.perf_counter(), time.process_time()))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        call(*arguments)
        raise AssertionError("the call was over before the signal")
    except KeyboardInterrupt:
        return min(time.perf_counter() - sent[0], time.process_time() - sent[1])
    finally:
        thread.join()
"""


def run(program, *arguments):
    """Run a program after the prelude; what it prints."""
    command = [sys.executable, "-c", PRELUDE + textwrap.dedent(program), *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout.split()
