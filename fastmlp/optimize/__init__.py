"""Training: one function, `fit`, that picks a solver and puts the pieces around it together.

rounds         `fit`: a training, or several where each output has its own noise
fit            one of them
options        how to train: all arguments as one object
methods        the methods by name, the choice of one, the arguments checked
monitor        history, validation, patience, callback, time limit, progress: what every solver reports to
holdout        the validation set
reference      the best constant: what a fit is measured by, the default tol
scale          whether a network can learn from the data as they are
explained      whether one that has been trained has learnt what a straight line knows
advice         what is advised, in the words of whoever has called
minibatch      sgd, adam
changes        samples changed anew before each epoch
rprop          resilient back-propagation
lm             Levenberg-Marquardt, in the end Newton
lbfgs          quasi-Newton steps from the latest gradients
subspace       more inputs than samples: the coordinates of what these span
dual           Gauss-Newton equations of fewer residuals than parameters
truncated      Levenberg-Marquardt without matrices, for many parameters
settled        a minimum from parameters near by, without reports
loops          how the steps of compiled solvers are reported
scg            scaled conjugate gradients
scipy_bridge   SciPy's minimizers, of which L-BFGS-B takes bounds
scipy_options  their options, looked at before SciPy does
earlier        the result that a warm start continues, looked at
generators     the random generator that it tells of
results        what is returned: SciPy's results, as tables
points         what full-batch solvers know of a point, and when they get nowhere any more
bounds         limits of the parameters, and what a vanishing gradient means there
schedules      learning rates that change with the epoch
least_squares  Levenberg-Marquardt for residuals of any kind
"""

from fastmlp.optimize.methods import METHODS
from fastmlp.optimize.options import FitOptions
from fastmlp.optimize.rounds import fit

__all__ = ["METHODS", "FitOptions", "fit"]
