"""Parameters as a normal distribution: error bars, evidence, precisions and sizes that it chooses, samples left out.

laplace     the posterior of a trained network; omitting (samples left out of it), predictive (of new inputs),
            parameters (of themselves, and the evidence), in the user's units (frame)
posterior   a normal distribution of an objective's free parameters: problem (the objective that arguments make), prior,
            noise (its precision), doubts (errors and warnings), posterior_state (in pickles; covariance: older
            ones), stored and posterior_files (in files)
beside      modes (how many there are), prediction (what that is), influence (what leaving out does), likelihood
            (losses by outputs or logits), intervals (quantiles of predictions), derivative_data (known derivatives),
            shown (what posteriors print)
evidence    the posterior at precisions by the evidence: searching (for them), ascent (the way to a maximum),
            alternation (training, re-estimation; narrow: of more inputs than samples), levels (of the noise),
            quantized (samples as the search sees them), budget (what ends it early), occam (the gradient of ln|A|),
            sharpened (digits that A has lost); starts and mixture (several networks), screening (which of them go on),
            workers (of an executor, which train them), journal (what a folder keeps of them), ending (what is said)
priors      prior_samples (functions drawn from a prior), precisions (one for each parameter, by name)
"""

from fastmlp.bayes.evidence import Evidence
from fastmlp.bayes.influence import LeaveOneOut
from fastmlp.bayes.laplace import Laplace
from fastmlp.bayes.mixture import Mixture
from fastmlp.bayes.prediction import Prediction
from fastmlp.bayes.prior_samples import prior_samples
from fastmlp.bayes.searching import fit_evidence
from fastmlp.bayes.starts import Starts

__all__ = ["Evidence", "Laplace", "LeaveOneOut", "Mixture", "Prediction", "Starts", "fit_evidence", "prior_samples"]
