"""A network's derivatives, compared with central differences.

report       every derivative that a network offers, compared
differences  the central differences
"""

from fastmlp.checking.report import DerivativeReport, check_derivatives

__all__ = ["DerivativeReport", "check_derivatives"]
