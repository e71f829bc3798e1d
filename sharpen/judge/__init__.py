"""Verdicts without the oracle."""
