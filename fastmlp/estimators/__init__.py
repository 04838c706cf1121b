"""Estimators for scikit-learn; loaded when first asked for. Networks from and for its own: `bridges/sklearn.py`.

transformed             deviations through scikit-learn's TransformedTargetRegressor
classifier, regressor   the classes: targets, predictions
base                    what they share: data, restarts, going on, attributes
deviations              how far targets scatter about a regressor's predictions: its posterior
fitting                 from starting values to trained networks
estimator_path          from a fitted estimator to ever smaller ones: prune_path
arguments               the constructor's arguments: checks, documentation
layers                  of which layers a network is, and of what shape samples are
given                   arrays, sparse ones too, and where random numbers come from
mean_objective          the scale: scikit-learn's means against sums; validation sets
watch                   what is looked at after each iteration: curves, early stopping, learning rates, progress
"""

from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.estimator_path import EstimatorPath
from fastmlp.estimators.regressor import MLPRegressor
from fastmlp.estimators.transformed import extend

extend()

__all__ = ["EstimatorPath", "MLPClassifier", "MLPRegressor"]
