"""Networks from and for other libraries, each of which is imported when it is asked for.

onnx         graphs for ONNX runtimes, and those of other exporters
skl2onnx     graphs of estimators in those of pipelines, for the package of that name
torch        nn.Sequential and state dicts of PyTorch; torch_modules: modules that it does not have
keras        models of Keras
safetensors  linear layers in files of safetensors
sklearn      fitted MLPRegressor and MLPClassifier of scikit-learn
r            fits of nnet, multinom, brnn and neuralnet of R
mat          NETLAB and MATLAB's genFunction, in .mat files
pmml         neural networks of PMML
assembly     networks from matrices and vectors of other libraries, and layer by layer for them
"""

from fastmlp.bridges.keras import from_keras
from fastmlp.bridges.mat import from_mat
from fastmlp.bridges.onnx import from_onnx, to_onnx
from fastmlp.bridges.pmml import from_pmml, to_pmml
from fastmlp.bridges.r import from_r
from fastmlp.bridges.safetensors import from_safetensors
from fastmlp.bridges.sklearn import from_sklearn, to_sklearn
from fastmlp.bridges.torch import from_torch, to_torch

__all__ = [
    "from_keras",
    "from_mat",
    "from_onnx",
    "from_pmml",
    "from_r",
    "from_safetensors",
    "from_sklearn",
    "from_torch",
    "to_onnx",
    "to_pmml",
    "to_sklearn",
    "to_torch",
]
