"""A network's derivatives, compared with central differences."""

from fastmlp.checking.report import DerivativeReport, check_derivatives

__all__ = ["DerivativeReport", "check_derivatives"]
