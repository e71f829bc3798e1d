"""Attempts, and the solvers that make them."""
