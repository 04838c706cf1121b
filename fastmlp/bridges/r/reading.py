"""Networks of R's packages, out of the text that `dput` writes of a fit."""

from __future__ import annotations

import re

from fastmlp import _validation as check
from fastmlp._quiet import quiet
from fastmlp.bridges.r import dput
from fastmlp.bridges.r.fits import FITS, OUTPUTS
from fastmlp.network.network import Network

SUMMARY = re.compile(r"^ *(b->|a \d+-\d+-\d+ network)", re.MULTILINE)


@quiet
def from_r(text: str, *, output: str | None = None) -> Network:
    """The network of a fit of R's nnet, multinom, brnn or neuralnet, out of what `dput(fit)` has written.

    Parameters
    ----------
    text : str
        Of a whole fit, or of its fields: ``dput(fit[c("n", "wts", "nsunits", "entropy", "softmax")])``, for
        multinom with "coefnames". With ``control = "exact"`` or ``"all"`` weights come over to the last bit; by default
        R writes 15 digits. ``"digits17"`` alone leaves out the names of the fields.
    output : {"identity", "logistic", "softmax"}, optional
        Activation of the outputs, where the text does not tell: nnet keeps ``linout`` in `nsunits` alone.

    Returns
    -------
    Network
        In float64, with logistic hidden units (brnn: tanh; neuralnet: its `act.fct`). Inputs are the columns of the
        model matrix without its intercept, as in ``fit$coefnames``; outputs those of `predict`. Classes are numbers,
        ``fit$lev[1]`` is 0; two classes have one output, the probability of the second.

    Raises
    ------
    TypeError
        If it is no str.
    ValueError
        If it is something else, is broken off, or does not tell all; if a network has skip-layer connections; of what
        `summary` prints, whose weights have two decimals.

    Notes
    -----
    The text is read as data, and nothing in it is evaluated. Units of nnet are cut off at abs(z) > 15: where weights
    are that large there is up to 3e-7 between a unit's activation there and here.

    Examples
    --------
    >>> import fastmlp
    >>> text = "list(n = c(1, 1, 1), wts = c(0.5, 1, -0.25, 2), entropy = FALSE, softmax = FALSE)"
    >>> fastmlp.from_r(text, output="identity").params
    array([ 1.  ,  0.5 ,  2.  , -0.25])
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected a str, such as path.read_text(), got {type(text).__name__}")
    if output is not None:
        check.choice(output, "output", OUTPUTS)
    if SUMMARY.search(text):
        raise ValueError(
            "text: expected what dput(fit) has written, got what summary(fit) prints, whose weights are rounded to two "
            'decimals; in R, dput(fit, control = "exact")'
        )
    fit = dput.read(text, frozenset().union(*(fields for _, fields in FITS.values())))
    for field, (network, _) in FITS.items():
        if field in fit.names:
            return network(fit, output)
    without = "one without" if any(fit.names) else "one without names"
    got = without if len(fit.items) > 1 or any(fit.names) else f"{check.shown(text):.50}"
    raise ValueError(
        "text: expected a list with n and wts (nnet, multinom), theta (brnn) or weights (neuralnet), "
        f'got {got}; in R, dput(fit, control = "exact") has them'
    )
