"""A language model, a prompt or a memory gets better at a task from its own attempts."""

__version__ = "0.1.0"
