"""Numbers that several solvers go by, the compiled ones and those in Python: each is said here, once."""

ACCEPT = 1e-4  # a step is made if the objective falls by more than this share of what was promised
NEAR = 0.02  # a promise of less, as a share of the objective, asks for the Hessian in place of the Gauss-Newton matrix
#: differences of the objective that mean nothing, as a share of it, by the bytes of the network's numbers
NOISE = {8: 1e-13, 4: 1e-6}
FLATTER = 0.9  # a gradient has become smaller if it is below this share of the smallest so far
LONGEST_WANDERING = 100  # steps without any gain, such as rounding errors make when tol is below them
