"""Where pickles of posteriors that were made before 2026-11-30 look for `Covariance`."""

from fastmlp.derivatives.definite import Covariance

__all__ = ["Covariance"]
