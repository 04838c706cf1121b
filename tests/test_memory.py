"""Memory does not grow with the number of calls."""

import subprocess
import sys

PROGRAM = """
import resource
import numpy as np
import fastmlp

net = fastmlp.Network([8, 50, 50, 1], rng=0)
few, many = np.ones((1, 8)), np.ones((300, 8))
T = np.zeros(300)

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def calls(n):
    for i in range(n):
        net.predict(few)
        net.predict(many)
        if i % 20 == 0:
            net.loss_and_grad(many, T)
            net.trace(many[:5], T[:5])

calls(2_000)
before = resident()
calls(20_000)
print(resident() - before)
"""


def test_twenty_thousand_calls_of_predict_leave_no_memory_behind():
    run = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=200)
    assert int(run.stdout) < 300_000
