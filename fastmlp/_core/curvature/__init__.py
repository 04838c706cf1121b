"""Matrices of second derivatives, and their factors."""
