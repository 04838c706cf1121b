"""Training: one function, `fit`, that picks a solver and puts the pieces around it together.

monitor        history, validation, patience, callback, time limit, progress: what every solver reports to
holdout        the validation set
minibatch      sgd, adam
rprop          resilient back-propagation
scipy_bridge   L-BFGS and SciPy's other minimizers
schedules      learning rates that change with the epoch
least_squares  Levenberg-Marquardt for residuals of any kind
"""

from fastmlp.optimize.fit import METHODS, fit

__all__ = ["METHODS", "fit"]
