"""What the pages for users of R and ALGLIB claim, against numbers that R's packages have given.

R 4.2.2, nnet 7.3-18, neuralnet 1.2 (1.44.2 has the same formula), on R's iris, which is scikit-learn's. ALGLIB's scale
is that of its sources.
"""

import numpy as np
import pytest
from sklearn.datasets import load_iris

import fastmlp

X, SPECIES = load_iris(return_X_y=True)
ROWS = [0, 59, 119]  # 1, 60, 120 in R
TWO, IS_VIRGINICA = X[50:], SPECIES[50:] - 1


def test_two_classes_of_nnet_have_one_output():
    """nnet(Species ~ ., two, size = 2, decay = 0.5): entropy, one unit, "class" where it exceeds a half."""
    half = [0.758995270400683, 1.084082301293269, 0.983853563357401, -1.639421109328653, -1.674794444169310]
    wts = np.array([*half, 0.758995270497539, 1.084082299249298, 0.983853566576322, -1.639421110906726,
                    -1.674794440285682, 2.255018712829700, -2.933004843559621, -2.933004841655053])  # fmt: skip
    net = fastmlp.Network([4, 2, 1], hidden="logistic", output="logistic")
    for layer, rows in enumerate((wts[:10].reshape(2, 5), wts[10:].reshape(1, 3))):
        net.biases[layer][...], net.weights[layer][...] = rows[:, 0], rows[:, 1:]
    assert net(TWO)[[0, 59, 99], 0] == pytest.approx([0.0763684142572793, 0.8326121833114113, 0.7246978112906685])
    assert (net(TWO)[[0, 59, 99], 0] > 0.5).tolist() == [False, True, True]  # "versicolor" "virginica" "virginica"
    assert not net(TWO).argmax(axis=1).any()  # what does for more classes does not here
    objective = net.objective(TWO, IS_VIRGINICA, penalty=fastmlp.WeightDecay(1.0, 1.0))  # twice the decay
    assert objective.value(net.params) == pytest.approx(45.2904822197711, rel=1e-12)
    assert abs(objective.grad(net.params)).max() < 1e-6


def test_multinom_penalises_its_intercept_and_holds_the_first_class():
    """multinom(Species ~ ., iris, decay = 0.5): blocks of a bias that is held at 0, an intercept, the weights."""
    wts = np.array([0, 0, 0, 0, 0, 0, 0, 0.4746766720774931, -0.0862893659813818, -1.5716160838142514,
                    1.7794247766292153, -0.1767323850773072, 0, -1.2865663530351463, -1.5884814284974695,
                    -2.3159221136533650, 3.5504138230459796, 2.6564406357287225])  # fmt: skip
    blocks = wts.reshape(3, 6)
    assert not blocks[:, 0].any()
    net = fastmlp.Network([4, 3], output="softmax", init="zeros")
    result = net.fit(X, SPECIES, penalty=fastmlp.WeightDecay(1.0, 1.0), fixed=["W1[0,:]", net.groups["b1"].start])
    assert result.fun == pytest.approx(48.3249985324113, rel=1e-12)
    assert net.biases[0] == pytest.approx(blocks[:, 1], abs=1e-6)
    assert net.weights[0] == pytest.approx(blocks[:, 2:], abs=1e-6)
    probabilities = [[0.95302750146216120, 0.0469665940218305, 5.90451600824055e-06],
                     [0.05339529652774803, 0.6343891037553094, 3.12215599716942e-01],
                     [0.00196594312665844, 0.3327470162124424, 6.65287040660899e-01]]  # fmt: skip
    assert net(X[ROWS]) == pytest.approx(np.array(probabilities), rel=1e-5)

    two = fastmlp.Network([4, 1], output="logistic", init="zeros")
    result = two.fit(TWO, IS_VIRGINICA, penalty=fastmlp.WeightDecay(1.0, 1.0))
    assert result.fun == pytest.approx(31.6854057195469, rel=1e-12)
    r = [0.0, -1.21575549119041, -1.70694565122319, -1.53271828799468, 2.46923376458679, 2.55633204353031]
    assert two.params == pytest.approx([*r[2:], r[1]], abs=1e-6)


def test_generalized_weights_of_neuralnet_are_divided_for_linear_outputs_too():
    """neuralnet(y ~ a + b, hidden = 2, linear.output = TRUE), whose outputs are no probabilities."""
    inputs = np.c_[X[:, 2] / 5, X[:, 1] / 3]
    net = fastmlp.Network([2, 2, 1], hidden="logistic")
    net.biases[0][...], net.biases[1][...] = [-0.564629242007843, -1.826595914959344], 0.0102963835132562
    net.weights[0][...] = [[-1.109670022082605, 1.429995666590905], [1.200876291463252, 0.768867088708037]]
    net.weights[1][...] = [[-0.7793785476461248, 1.6920908635772474]]
    y = net(inputs[ROWS])
    assert y[:, 0] == pytest.approx([0.0758779448262813, 0.4110445586438212, 0.5585579069515811], rel=1e-12)
    r = [[9.287981234623619, 0.844040896118896], [2.966553221926563, 0.185385569202071],
         [2.854654912421594, 0.291560146520150]]  # fmt: skip
    assert net.jacobian(inputs[ROWS])[:, 0] / (y * (1 - y)) == pytest.approx(np.array(r), rel=1e-12)


def test_a_decay_of_alglib_acts_on_standardised_units_and_raw_errors():
    """Its error is that of raw targets, its weights those of standardised inputs and outputs: lambda = decay / sd^2."""
    x, t = X[:, :3], 100 * X[:, 3]
    mean, sd, decay = x.mean(axis=0), x.std(axis=0), 30.0
    net = fastmlp.Network([3, 2, 1], rng=0)
    z = net.copy()
    z.fit((x - mean) / sd, (t - t.mean()) / t.std(), penalty=fastmlp.WeightDecay(decay / t.var(), decay / t.var()))

    def alglib(w):  # 1/2 SSE in raw units + decay/2 |w|^2, with thresholds, of which the biases are the negatives
        at = z.copy()
        at.params = w
        errors = at((x - mean) / sd)[:, 0] * t.std() + t.mean() - t
        return 0.5 * errors @ errors + 0.5 * decay * w @ w

    steps = 1e-5 * np.eye(z.n_params)
    slope = [(alglib(z.params + step) - alglib(z.params - step)) / 2e-5 for step in steps]
    assert abs(np.array(slope)).max() < 1e-6 * alglib(z.params)


def test_classifiers_of_alglib_have_a_free_logit_less():
    net = fastmlp.Network([4, 3, 3], output="softmax", rng=0)
    net.weights[1][2], net.biases[1][2] = 0.0, 0.0
    result = net.fit(X, SPECIES, penalty=fastmlp.WeightDecay(0.1, 0.1), fixed=["W2[2,:]", net.groups["b2"].stop - 1])
    assert result.success
    logits = fastmlp.Network([4, 3, 3])
    logits.params = net.params
    assert not logits(X)[:, 2].any()
    assert net(X) == pytest.approx(np.exp(logits(X)) / (1 + np.exp(logits(X)[:, :2]).sum(axis=1, keepdims=True)))
