"""PMML, the Predictive Model Markup Language: its neural networks, read and written.

reading  `from_pmml`
writing  `to_pmml`
xml      files as trees of elements
"""

from fastmlp.bridges.pmml.reading import from_pmml
from fastmlp.bridges.pmml.writing import to_pmml

__all__ = ["from_pmml", "to_pmml"]
