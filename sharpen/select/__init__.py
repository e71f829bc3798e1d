"""Verdicts into lessons."""
