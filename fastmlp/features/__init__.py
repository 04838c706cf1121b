"""Features of images that do not change where the images do: transformers for scikit-learn, loaded when asked for.

moments         what is computed, in NumPy
transformers    scikit-learn's side of it
"""

from fastmlp.features.transformers import CentralMoments, HuMoments, PowerSpectrum, ZernikeMoments

__all__ = ["CentralMoments", "HuMoments", "PowerSpectrum", "ZernikeMoments"]
