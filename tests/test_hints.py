"""What is said of unknown words: what they may have meant here."""

import inspect

import numpy as np
import pytest

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, _hints
from fastmlp._hints import hint

X = np.linspace(-1, 1, 12).reshape(6, 2)
T = X[:, 0]
NET = fastmlp.Network([2, 3, 1], rng=0)


def fit(*args, **options):
    return NET.fit(X, T, *args, **options)


def network(**options):
    return fastmlp.Network([2, 3, 1], **options)


SAID = [
    # Keras
    (lambda: fit(epochs=3), "max_iter"),
    (lambda: fit(validation_split=0.1), "validation"),
    (lambda: fit(optimizer="adam"), "method"),
    (lambda: network(activation="relu"), "hidden"),
    (lambda: network(hidden="swish"), "silu"),
    (lambda: network(loss="categorical_crossentropy"), "cross_entropy"),
    (lambda: network(loss="binary_crossentropy"), "binary_cross_entropy"),
    (lambda: network(init="glorot_uniform"), "glorot"),
    (lambda: fastmlp.Sequential, "fastmlp.Network"),
    (lambda: fastmlp.Network([2, "Dense", 1]), "the number of its units"),
    (lambda: fastmlp.Network([(1, 8), "Conv1D", 1]), "fastmlp.Conv"),
    # PyTorch
    (lambda: fit("adam", lr=0.1), "learning_rate"),
    (lambda: fit("AdamW"), "adam"),
    (lambda: network(loss="MSELoss"), "squared_error"),
    (lambda: network(dtype="half"), "float32"),
    (lambda: fastmlp.Conv2d, "fastmlp.Conv"),
    # MATLAB, Netlab
    (lambda: fit("trainlm"), "lm"),
    (lambda: fit("trainbr"), "the function fastmlp.fit_evidence"),
    (lambda: fit("conjgrad"), "cg"),
    (lambda: network(hidden="tansig"), "tanh"),
    (lambda: network(hidden="logsig"), "logistic"),
    (lambda: network(output="purelin"), "identity"),
    (lambda: network(loss="mse"), "squared_error"),
    # R
    (lambda: fit(decay=0.1), "penalty=fastmlp.WeightDecay(...)"),
    (lambda: fit(maxit=3), "max_iter"),
    # scikit-learn
    (lambda: network(random_state=0), "rng"),
    (lambda: network(hidden_layer_sizes=(3,)), "layers=[D, M1, ..., K]"),
    (lambda: fit(alpha=0.1), "penalty=fastmlp.WeightDecay(...)"),
    (lambda: fit(early_stopping=True), "patience"),
    (lambda: MLPRegressor((10,)).fit(X, T), "hidden_layer_sizes=(10,)"),
    (lambda: MLPRegressor(10).fit(X, T), "hidden_layer_sizes=10"),
    # to estimators, in the other direction
    (lambda: MLPRegressor(rng=0), "random_state"),
    (lambda: MLPClassifier(epochs=3), "max_iter"),
    (lambda: MLPClassifier(lr=0.1), "learning_rate_init"),
    (lambda: MLPClassifier(hidden="tanh"), "activation"),
    (lambda: MLPClassifier(activation="sigmoid").fit(X, T > 0), "logistic"),
    (lambda: MLPRegressor(solver="levenberg").fit(X, T), "lm"),
    # elsewhere
    (lambda: fastmlp.Laplace(NET, X, T, alpha=1.0), "prior_precision"),
    (lambda: fastmlp.fit_evidence(NET, X, T, epochs=3), "max_iter"),
    (lambda: fastmlp.fit_evidence(NET, X, T, restarts=3), "n_starts"),
    (lambda: fastmlp.sweep(X, T, [1], 1, 0.5, epochs=3), "max_iter"),
    (lambda: fastmlp.fit_many([NET], X, T, weight_decay=3), "penalty=fastmlp.WeightDecay(...)"),
    (lambda: fastmlp.prune(NET, X, T, "optimal brain damage"), "obd"),
    (lambda: NET.hessian(X, T, kind="gauss_newton"), "ggn"),
    (lambda: NET.objective(X, T, weight_decay=1.0), "penalty=fastmlp.WeightDecay(...)"),
    # slips
    (lambda: network(hidden="Tanh"), "tanh"),
    (lambda: network(hidden="rleu"), "relu"),
    (lambda: network(hidde="relu"), "hidden"),
    (lambda: fit(max_iters=3), "max_iter"),
    (lambda: fit("l_bfgs"), "lbfgs"),
    (lambda: fastmlp.fit_evidence(NET, X, T, groups="layer"), "layers"),
    (lambda: fastmlp.WeightDecay(weight=1.0), "weights"),
    (lambda: fastmlp.MLPRegresor, "MLPRegressor"),
]


@pytest.mark.parametrize(("call", "meant"), SAID, ids=[f"{i} {meant}" for i, (_, meant) in enumerate(SAID)])
def test_the_words_of_others_and_slips_are_told_what_they_may_mean(call, meant):
    with pytest.raises((TypeError, ValueError, AttributeError)) as caught:
        call()
    assert str(caught.value).endswith(f"; did you mean {meant}?")


def test_a_known_option_of_another_method_is_said_to_be_one():
    with pytest.raises(TypeError, match=r"got 'momentum'; it is one of sgd$"):
        fit("adam", momentum=0.9)


@pytest.mark.parametrize("word", ["huber", "mae", "dropout", "selu", "nonsense", "", "x" * 10**6, 3, None, ["tanh"]])
def test_nothing_is_said_where_there_is_nothing_like_it(word):
    assert hint(word, ("tanh", "elu", "squared_error", "max_iter", "x" * 41)) == ""


@pytest.mark.parametrize("made", [network, MLPRegressor, fastmlp.WeightDecay])
def test_an_unknown_keyword_names_itself_and_the_callable(made):
    with pytest.raises(TypeError, match=r"^rubbish: expected an argument of (Network|MLPR|WeightD)\w*, got 'rubbish'$"):
        made(rubbish=1)


def test_every_meaning_is_a_word_of_this_library():
    """So that none stays behind when something is renamed."""
    asked = [fastmlp.Network, fastmlp.Network.fit, fastmlp.fit_evidence, fastmlp.sweep, fastmlp.prune, fastmlp.Laplace,
             MLPRegressor]  # fmt: skip
    known = {name for each in asked for name in inspect.signature(each).parameters}
    from fastmlp.estimators.arguments import SOLVERS
    from fastmlp.model import activations, initializers, losses
    from fastmlp.optimize.methods import METHODS
    from fastmlp.pruning.deletion_methods import METHODS as DELETIONS

    known |= {*activations.OUTPUT, *losses.NAMES, *initializers.NAMES, *METHODS, *SOLVERS, *DELETIONS}
    known |= {"float32", "float64", "ggn", "empirical_fisher", _hints.UNITS, "the function fastmlp.fit_evidence"}
    meanings = {text for texts in _hints.WORDS.values() for text in texts}
    assert {_hints._key(text) for text in meanings} <= known | set(fastmlp.__all__)
    assert all(word == _hints._plain(word) for word in _hints.WORDS)


def test_signatures_and_names_stay_those_of_the_functions():
    assert list(inspect.signature(fastmlp.Network).parameters)[:3] == ["layers", "hidden", "output"]
    assert "hidden_layer_sizes" in MLPRegressor().get_params()
    assert fastmlp.prune.__name__ == "prune"
