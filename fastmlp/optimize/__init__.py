"""Training: one function, `fit`, that picks a solver and puts the pieces around it together.

options        how to train: all arguments as one object
methods        the methods by name, the choice of one, the arguments checked
monitor        history, validation, patience, callback, time limit, progress: what every solver reports to
holdout        the validation set
reference      the best constant: what a fit is measured by, the default tol
scale          whether a network can learn from the data as they are
explained      whether one that has been trained has learnt what a straight line knows
minibatch      sgd, adam
rprop          resilient back-propagation
lm             Levenberg-Marquardt, in the end Newton
lbfgs          quasi-Newton steps from the latest gradients
loops          how the steps of compiled solvers are reported
truncated      the same without matrices
scg            scaled conjugate gradients
scipy_bridge   SciPy's minimizers, of which L-BFGS-B takes bounds
results        what is returned: SciPy's results, as tables
points         what full-batch solvers know of a point, and when they get nowhere any more
bounds         limits of the parameters, and what a vanishing gradient means there
schedules      learning rates that change with the epoch
least_squares  Levenberg-Marquardt for residuals of any kind
"""

from fastmlp.optimize.fit import fit
from fastmlp.optimize.methods import METHODS
from fastmlp.optimize.options import FitOptions

__all__ = ["METHODS", "FitOptions", "fit"]
