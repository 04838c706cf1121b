"""What an unknown word may have meant: the words of other systems, and slips of the pen."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from fastmlp import _memory

Function = TypeVar("Function", bound=Callable[..., Any])

LONGEST = 40  # letters of a word that is looked at: to find what is alike takes their square
ALIKE = 0.7  # of difflib's ratio: "rleu" is relu, "huber" is nothing

UNITS = "the number of its units"  # which stands for a dense layer
DECAY = ("alpha", "penalty=fastmlp.WeightDecay(...)")
#: What other systems say, in small letters and digits alone: Keras, PyTorch, scikit-learn, MATLAB, R, Netlab. Of what
#: is said here, the first that is possible is told; (): there is nothing like it, whatever looks alike.
WORDS: dict[str, tuple[str, ...]] = {
    # activations
    **dict.fromkeys(("sigmoid", "logsig", "sigm"), ("logistic",)),
    **dict.fromkeys(("tansig", "hyperbolictangent"), ("tanh",)),
    **dict.fromkeys(("purelin", "none", "linout"), ("identity",)),
    "linear": ("identity", UNITS, "fastmlp.Network"),
    **dict.fromkeys(("poslin", "rectifier", "rectlin", "rectifiedlinear"), ("relu",)),
    "swish": ("silu",),
    **dict.fromkeys(("sine", "sinusoid"), ("sin",)),
    "exponential": ("exp",),
    "logsoftmax": ("softmax",),
    **dict.fromkeys(("selu", "celu", "prelu", "mish", "hardsigmoid", "hardtanh", "softsign", "radbas"), ()),
    # losses
    **dict.fromkeys(("mse", "sse", "mseloss", "meansquarederror", "l2loss", "leastsquares"), ("squared_error",)),
    **dict.fromkeys(("bce", "bceloss", "bcewithlogitsloss", "entropy"), ("binary_cross_entropy",)),
    **dict.fromkeys(
        ("categoricalcrossentropy", "sparsecategoricalcrossentropy", "crossentropyloss", "nll", "nllloss", "logloss"),
        ("cross_entropy",),
    ),
    "poissonnllloss": ("poisson",),
    **dict.fromkeys(("mae", "l1loss", "meanabsoluteerror", "huber", "huberloss", "hinge", "logcosh"), ()),
    # methods
    **dict.fromkeys(("trainlm", "levenberg", "marquardt", "levenbergmarquardt", "leastsq"), ("lm",)),
    **dict.fromkeys(("trainscg", "scaledconjugategradient"), ("scg",)),
    **dict.fromkeys(("trainrp", "resilient", "irprop", "resilientbackprop"), ("rprop",)),
    **dict.fromkeys(("trainbfg", "trainoss", "quasinew", "quasinewton"), ("lbfgs",)),
    **dict.fromkeys(("traincgf", "traincgp", "traincgb", "conjgrad", "conjugategradient"), ("cg", "scg")),
    **dict.fromkeys(("traingd", "traingdm", "traingda", "traingdx", "gradientdescent", "graddesc"), ("sgd",)),
    **dict.fromkeys(("backprop", "backpropagation"), ("sgd",)),
    **dict.fromkeys(("adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta"), ("adam",)),
    "trainbr": ("the function fastmlp.fit_evidence",),
    "optimalbrainsurgeon": ("obs",),
    "optimalbraindamage": ("obd",),
    # starting values, number types, curvatures
    **dict.fromkeys(("xavier", "xavieruniform", "glorotuniform", "glorotnormal"), ("glorot",)),
    **dict.fromkeys(("kaiming", "kaiminguniform", "kaimingnormal", "heuniform", "henormal"), ("he",)),
    **dict.fromkeys(("lecununiform", "lecunnormal"), ("lecun",)),
    **dict.fromkeys(("initnw", "nguyen"), ("nguyen_widrow",)),
    **dict.fromkeys(("randomnormal", "randn", "gaussian"), ("normal",)),
    **dict.fromkeys(("single", "float", "f4", "float16", "half", "bfloat16"), ("float32",)),
    **dict.fromkeys(("double", "longdouble", "f8"), ("float64",)),
    **dict.fromkeys(("gaussnewton", "gn"), ("ggn",)),
    "fisher": ("empirical_fisher",),
    # keywords
    **dict.fromkeys(
        ("epoch", "epochs", "nepoch", "nepochs", "numepochs", "maxepochs", "maxit", "niter", "iterations", "nsteps"),
        ("max_iter",),
    ),
    **dict.fromkeys(("lr", "eta", "eta0", "learnrate", "stepsize"), ("learning_rate_init", "learning_rate")),
    "learningrateinit": ("learning_rate",),
    **dict.fromkeys(("seed", "randomstate", "randomseed"), ("random_state", "rng")),
    "rng": ("random_state",),
    **dict.fromkeys(("minibatch", "minibatchsize"), ("batch_size",)),
    **dict.fromkeys(("optimizer", "optimiser", "solver", "trainfcn", "algorithm", "algo"), ("solver", "method")),
    "method": ("solver",),
    **dict.fromkeys(("activation", "activations", "act", "actfct", "transferfcn"), ("activation", "hidden")),
    "hidden": ("activation",),
    **dict.fromkeys(("outputactivation", "outactivation", "outfn"), ("output",)),
    **dict.fromkeys(("lossfunction", "criterion", "performfcn", "errorfunction", "errfct"), ("loss",)),
    **dict.fromkeys(
        ("hiddenlayersizes", "hiddenlayers", "hiddensizes", "size", "sizes", "units", "nhidden", "hiddenunits"),
        ("hidden_layer_sizes", "hidden_sizes", "layers=[D, M1, ..., K]"),
    ),
    "layers": ("hidden_sizes",),
    **dict.fromkeys(("decay", "weightdecay", "l2", "ridge", "kernelregularizer", "regularization", "lambda"), DECAY),
    "penalty": ("alpha",),
    "alpha": ("prior_precision", *DECAY),
    "beta": ("noise_precision",),
    **dict.fromkeys(("l1", "dropout", "batchnormalization"), ()),
    **dict.fromkeys(("validationsplit", "validationdata", "valdata", "evalset"), ("validation", "validation_fraction")),
    "validationfraction": ("validation",),
    "validation": ("validation_fraction",),
    **dict.fromkeys(("earlystopping", "niternochange", "maxfail"), ("early_stopping", "patience")),
    "patience": ("n_iter_no_change",),
    **dict.fromkeys(("progress", "display", "verbosity", "trace", "disp"), ("verbose", "progress")),
    **dict.fromkeys(("weights", "caseweights", "classweight"), ("sample_weight",)),
    **dict.fromkeys(("njobs", "numthreads", "workers", "cores"), ("n_threads",)),
    **dict.fromkeys(("ninit", "restarts", "nrestarts", "trials"), ("n_starts", "n_init")),
    **dict.fromkeys(("timeout", "maxtime"), ("time_limit",)),
    **dict.fromkeys(("normalize", "normalise", "scale", "preprocess", "scaling"), ("standardize",)),
    **dict.fromkeys(("gtol", "tolerance", "abstol", "reltol", "mingrad", "threshold"), ("tol",)),
    # classes
    **dict.fromkeys(("sequential", "module", "net", "mlp", "nnet", "feedforwardnet", "fitnet", "patternnet"),
                    ("fastmlp.Network",)),
    **dict.fromkeys(("conv1d", "conv2d", "convolution1d", "convolution2d"), ("fastmlp.Conv",)),
    **dict.fromkeys(("maxpool1d", "maxpool2d", "maxpooling1d", "maxpooling2d"), ("fastmlp.MaxPool",)),
    **dict.fromkeys(("avgpool1d", "avgpool2d", "averagepooling1d", "averagepooling2d"), ("fastmlp.AveragePool",)),
    **dict.fromkeys(("dense", "fullyconnected"), (UNITS, "fastmlp.Network")),
}  # fmt: skip


def hint(word: Any, possible: Iterable[str]) -> str:
    """Which of the possible words may have been meant, as the end of a message: "; did you mean logistic?", or "".

    Parameters
    ----------
    word : object
        What was given; there is nothing to say of what is no str.
    possible : iterable of str
    """
    if not isinstance(word, str) or str.__len__(word) > LONGEST:
        return ""
    names, written = list(possible), _plain(word)
    same = [name for name in names if _plain(name) == written]
    if not same and written in WORDS:
        same = [text for text in WORDS[written] if _key(text) in names or text.startswith("the function ")]
        if not same and not WORDS[written]:
            return ""
    if not same:
        same = _memory.late("difflib").get_close_matches(str.__str__(word), names, 1, ALIKE)
    return f"; did you mean {same[0]}?" if same else ""


def _key(text: str) -> str:
    """The name in a text that says how it is used."""
    return text.removeprefix("fastmlp.").partition("=")[0]


def _plain(word: str) -> str:
    """Small letters and digits, without what others write between them."""
    return "".join(filter(str.isalnum, str.lower(word)))


def hinting(function: Function) -> Function:
    """A function whose error of an unknown keyword says which one may have been meant.

    For what takes longer than the microsecond that it may cost.
    """
    code = function.__code__
    known = frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not known.issuperset(kwargs):
            what = type(args[0]).__name__ if function.__name__ == "__init__" else function.__name__
            name = next(name for name in kwargs if name not in known)
            meant = hint(name, sorted(known))
            raise TypeError(f"{name}: expected an argument of {what}, got {name!r}{meant}")
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]
