"""Memories and guards: what changes when weights do not."""
