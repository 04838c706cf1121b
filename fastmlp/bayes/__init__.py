"""Parameters as a normal distribution: error bars, evidence, precisions and sizes that it chooses, samples left out.

laplace     the posterior and what it predicts: posterior (precisions, evidence, draws), modes (how many there are),
            prediction (what that is), moderation (averages over logits), mixed (slopes with error bars), influence
            (samples left out), likelihood (losses by outputs or logits), training (to a maximum), covariance (inverses
            by their roots), doubts (errors and warnings about them), shown (what they print)
evidence    precisions by the evidence: ascent (the way to a maximum), alternation (training, re-estimation), occam (the
            gradient of ln|A|); starts and mixture (several networks)
priors      functions drawn from a prior; precisions: one for each parameter, by name
"""

from fastmlp.bayes.evidence import Evidence, fit_evidence
from fastmlp.bayes.influence import LeaveOneOut
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.mixture import Mixture
from fastmlp.bayes.prediction import Prediction
from fastmlp.bayes.priors import prior_samples
from fastmlp.bayes.starts import Starts

__all__ = ["Evidence", "Laplace", "LeaveOneOut", "Mixture", "Prediction", "Starts", "fit_evidence", "prior_samples"]
