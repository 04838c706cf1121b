"""Networks from and for other libraries, each of which is imported when it is asked for.

sklearn   fitted MLPRegressor and MLPClassifier of scikit-learn
keras     models of Keras; keras_layers, keras_reading: its layers as ours; keras_config: these in JSON; keras_files:
          its files; hdf5: of arrays
safetensors   linear layers in files of safetensors
torch     nn.Sequential and state dicts of PyTorch; torch_reading: its modules as layers; torch_layers: layers as its
          modules; torch_modules: modules that it does not have
onnx      graphs for ONNX runtimes; onnx_reading: graphs of others (onnx_files) as networks; onnx_chain: their layers,
          into which maps are folded; onnx_operators, onnx_shapes, onnx_functions: what nodes do; onnx_curves: which
          activation that is; skl2onnx: graphs of estimators in those of pipelines, for the package of that name
r         fits of nnet, multinom, brnn and neuralnet of R; r_fits: by package; r_text: what `dput` writes
mat       NETLAB and MATLAB's genFunction; mat_file: .mat files
pmml      neural networks of PMML, read; pmml_writing: written; pmml_xml: trees of elements
assembly  networks from matrices and vectors of other libraries, and layer by layer for them
"""

from fastmlp.bridges.keras import from_keras
from fastmlp.bridges.mat import from_mat
from fastmlp.bridges.onnx import to_onnx
from fastmlp.bridges.onnx_reading import from_onnx
from fastmlp.bridges.pmml import from_pmml
from fastmlp.bridges.pmml_writing import to_pmml
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
