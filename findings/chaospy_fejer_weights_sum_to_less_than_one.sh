#!/usr/bin/env bash
# chaospy 4.3.21: the rule "fejer_2" is that of Clenshaw and Curtis without its end points; its weights do not sum to 1.
#
# Fejer's second rule has the same inner nodes and weights of its own, exact for polynomials. Here the weights of the rule with ends are
# kept, and the two ends are lost with their share, so that the mean of a constant is not the constant. The manual names
# Waldvogel's paper, which has the right weights, and its example shows weights that sum to 0.96.
# Guessed before the run: the mean of a constant exact, and of x^2 too from three nodes on.
# Seen (NumPy 2.4): uniform on (-1, 1): order 2: mean of 1 is 0.933, of x^2 0.267; order 3: 0.960 and 0.293; "fejer_1" is exact.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet chaospy==4.3.21 numpoly==1.3.9 numpy==2.4.6 scipy==1.17.1
cat >program.py <<'PROGRAM'
import chaospy
import numpy as np

uniform = chaospy.Uniform(-1, 1)
for order in (2, 3, 10):
    for rule in ("fejer_1", "fejer_2"):
        (x,), w = chaospy.generate_quadrature(order, uniform, rule=rule)
        print(f"{rule}, order {order}: mean of 1 is {w.sum():.4f}, of x^2 {w @ x**2:.4f}, right 0.3333")
        exact = np.linalg.solve(np.vander(x, increasing=True).T, [(1 - k % 2) / (k + 1) for k in range(len(x))])  # of all degrees it can
        assert np.isclose(exact.sum(), 1) and np.isclose(exact @ x**2, 1 / 3)
        assert np.allclose(w, exact) == (rule == "fejer_1")
        if rule == "fejer_2":
            (_, w_ends) = chaospy.generate_quadrature(order + 2, uniform, rule="clenshaw_curtis")
            np.testing.assert_allclose(w, w_ends[1:-1])
            assert w.sum() < 0.999
PROGRAM
env/bin/python program.py
