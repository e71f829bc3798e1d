"""Knobs chosen anew each round."""
