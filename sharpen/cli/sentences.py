"""How the command line speaks: results on stdout, every expected failure as one sentence on stderr, with its code."""

from errno import EACCES, EDQUOT, EEXIST, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from sharpen.core.errors import SharpenError

LOG_WIDTH = 120

REFUSED = frozenset({EACCES, EDQUOT, EEXIST, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS})
"""What a disk says when it takes or gives nothing: never a bug."""


class Interrupted(SharpenError):
    """The user stopped it; what was finished is kept."""

    code = 130


class Commands(TyperGroup):
    """Commands whose expected failures end in a sentence; anything else is a bug and shows where."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; `ctx` is click's, which typer may carry inside itself under another name."""
        try:
            return super().invoke(ctx)
        except SharpenError as failure:
            said(str(failure))
            raise typer.Exit(failure.code) from failure
        except KeyboardInterrupt as stop:
            said("interrupted; nothing that was finished is lost")
            raise typer.Exit(Interrupted.code) from stop
        except OSError as failure:
            if failure.errno not in REFUSED:
                raise
            full = failure.errno in (ENOSPC, EDQUOT)
            advice = "free some space, then try again" if full else "choose another place, or change its permissions"
            said(f"could not use {failure.filename or 'the disk'}: {failure.strerror}; {advice}")
            raise typer.Exit(SharpenError.code) from failure


def out() -> Console:
    """Where results go; wide enough for the tables where it is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=LOG_WIDTH)


def said(sentence: str) -> None:
    """One sentence on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"sharpen: {sentence}", markup=False)
