"""The command line: `sharpen` and its commands."""

from sharpen.cli.commands import app, main

__all__ = ["app", "main"]
