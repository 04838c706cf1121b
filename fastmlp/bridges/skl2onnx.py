"""Estimators for skl2onnx: what `to_onnx` makes of them, among the nodes of a pipeline."""

from __future__ import annotations

from typing import Any

from fastmlp import _optional
from fastmlp.bridges.onnx import to_onnx

ASKER = "fastmlp.bridges.skl2onnx.register"
OPTIONS = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}


def register() -> None:
    """Let skl2onnx convert this library's estimators, alone and in pipelines.

    Raises
    ------
    ImportError
        If skl2onnx or scikit-learn is not installed.

    Notes
    -----
    Once in a process is enough. ``skl2onnx.to_onnx`` then gives what `to_onnx` gives for an estimator: labels and
    probabilities of a classifier, with skl2onnx's options ``zipmap`` and ``output_class_labels``, and of a regressor a
    column for each target. The network computes in its own type, whatever that of the model's inputs, which is the type
    of the outputs. Operator set 18 is the oldest: ``target_opset=18``.

    Examples
    --------
    >>> import numpy as np, fastmlp, onnxruntime, skl2onnx
    >>> from fastmlp.bridges.skl2onnx import register
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> register()
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = fastmlp.MLPClassifier((5,), solver="lbfgs", alpha=1.0, random_state=0)
    >>> model = make_pipeline(StandardScaler(), classifier).fit(X, y)
    >>> graph = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False})
    >>> labels, P = onnxruntime.InferenceSession(graph.SerializeToString()).run(None, {"X": X})
    >>> bool((labels == model.predict(X)).all()), np.allclose(P, model.predict_proba(X), rtol=1e-10)
    (True, True)
    """
    skl2onnx = _optional.load("skl2onnx", "skl2onnx", ASKER)
    _optional.load("sklearn", "sklearn", ASKER)
    from fastmlp.estimators import MLPClassifier, MLPRegressor

    skl2onnx.update_registered_converter(MLPRegressor, "FastmlpMLPRegressor", _describe, _convert)
    skl2onnx.update_registered_converter(MLPClassifier, "FastmlpMLPClassifier", _describe, _convert, options=OPTIONS)


def _describe(operator: Any) -> None:
    """Say which types and shapes outputs have."""
    types = _optional.load("skl2onnx.common.data_types", "skl2onnx", ASKER)
    kinds = {types.guess_proto_type(kind()): kind for kind in (types.Int64TensorType, types.StringTensorType)}
    n_samples = operator.inputs[0].get_first_dimension()
    for output, described in zip(operator.outputs, _model(operator).graph.output, strict=True):
        tensor = described.type.tensor_type
        kind = kinds.get(tensor.elem_type, type(output.type))  # numbers are of the type of the pipeline's
        output.set_type(kind([n_samples, *(each.dim_value for each in tensor.shape.dim[1:])]))


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Put the nodes among the others, under new names, between casts from and to the types of the pipeline."""
    helper = _optional.load("onnx.helper", "onnx", ASKER)
    model = _model(operator)
    version, target = model.opset_import[0].version, container.target_opset_any_domain("")
    if target < version:
        raise ValueError(f"target_opset: expected {version} or more for estimators of fastmlp, got {target}")

    def add(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        name = scope.get_unique_operator_name(kind)
        container.add_node(kind, inputs, outputs, op_version=version, name=name, **attributes)

    (X,), names = model.graph.input, {}
    for name in (X.name, *_names_given(model.graph)):
        names[name] = scope.get_unique_variable_name(name)
    add("Cast", [operator.inputs[0].full_name], [names[X.name]], to=X.type.tensor_type.elem_type)
    for each in model.graph.initializer:
        _add_constant(container, names[each.name], each)
    for each in model.graph.node:
        attributes = {item.name: helper.get_attribute_value(item) for item in each.attribute}
        add(each.op_type, [names[name] for name in each.input], [names[name] for name in each.output], **attributes)
    guess = _optional.load("skl2onnx.common.data_types", "skl2onnx", ASKER).guess_proto_type
    for output, given in zip(operator.outputs, model.graph.output, strict=True):
        add("Cast", [names[given.name]], [output.full_name], to=guess(output.type))


def _names_given(graph: Any) -> list[str]:
    """To constants and to results of nodes."""
    return [each.name for each in graph.initializer] + [name for each in graph.node for name in each.output]


def _add_constant(container: Any, name: str, tensor: Any) -> None:
    value = _optional.load("onnx.numpy_helper", "onnx", ASKER).to_array(tensor)
    content = [each.encode() for each in value] if value.dtype.kind == "O" else value.ravel()
    container.add_initializer(name, tensor.data_type, list(value.shape), content)


def _model(operator: Any) -> Any:
    """What `to_onnx` makes of an estimator that has been fitted, and has one input."""
    _optional.load("sklearn.utils.validation", "sklearn", ASKER).check_is_fitted(operator.raw_operator)
    if len(operator.inputs) != 1:
        given = ", ".join(each.full_name for each in operator.inputs)
        raise ValueError(f"initial_types: expected one input with a column for each feature, got {given}")
    return to_onnx(operator.raw_operator)
