"""ONNX: networks as graphs for its runtimes, and graphs of other exporters as networks.

writing    `to_onnx`: the nodes of layers and activations

reading    `from_onnx`: a graph, node by node
chain      layers one behind the other, into which maps between them are folded
operators  what nodes are that are layers, and the table of all
shapes     nodes that change shapes and types
functions  nodes that take each number for itself
curves     what a node holds; which activation a function is
files      models and their weights in files
"""

from fastmlp.bridges.onnx.reading import from_onnx
from fastmlp.bridges.onnx.writing import to_onnx

__all__ = ["from_onnx", "to_onnx"]
