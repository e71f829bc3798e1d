"""Attempts looked for rather than drawn."""
